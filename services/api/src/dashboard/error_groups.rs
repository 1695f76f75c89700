//! What went wrong, for those who look after the service.

use axum::extract::State;
use axum::response::Response;
use microblog_domain::ErrorGroupId;
use microblog_store::errors::{self, ErrorGroup};

use super::flash::Flash;
use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{ErrorRow, ErrorsPage};
use crate::change::Intent;
use crate::error::ApiError;
use crate::input::{PathOf, Query};
use crate::json_api::errors::{ErrorQuery, ErrorState, acknowledge, read_page};
use crate::state::App;

const PATH: &str = "/dashboard/errors";

/// `GET /dashboard/errors`: those of which nobody has taken note, or the others.
pub(crate) async fn show_errors(
    visit: Visit,
    State(app): State<App>,
    Query(query): Query<ErrorQuery>,
) -> Result<Response, ApiError> {
    let state = query.state.unwrap_or(ErrorState::Open);
    let found = read_page(&app, &ErrorQuery { state: Some(state), ..query }).await?;
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Errors).await?;
    let moments = visit.moments(&site);
    let (shows_open, open_count) = (state == ErrorState::Open, errors::count_open(&mut conn).await?);
    let word = if shows_open { "open" } else { "acknowledged" };
    let more = found.next_cursor.map(|cursor| format!("?state={word}&cursor={cursor}"));
    let errors = found.items.into_iter().map(|group| row(group, &moments)).collect();
    visit.show(&ErrorsPage { frame, shows_open, open_count, errors, more })
}

fn row(group: ErrorGroup, moments: &Moments) -> ErrorRow {
    let nobody = || "somebody who is gone".to_owned();
    ErrorRow {
        id: group.id,
        code: group.code,
        place: group.place,
        message: group.message,
        count: group.count,
        first: moments.of(group.first_seen_at),
        last: moments.of(group.last_seen_at),
        request_id: group.request_id,
        acknowledged: group.acknowledged.map(|taken| (taken.name.unwrap_or_else(nobody), moments.of(taken.at))),
    }
}

/// `POST /dashboard/errors/{id}/acknowledge`
pub(crate) async fn acknowledge_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<ErrorGroupId>,
) -> Result<Response, ApiError> {
    let mut change = intent.begin_anew(&visit.app).await?;
    acknowledge(&mut change, id).await?;
    change.keep().await?;
    visit.go(PATH, Flash::ErrorAcknowledged)
}
