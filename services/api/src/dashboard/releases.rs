//! What readers saw and see: the history of releases, and the way back.

use axum::extract::State;
use axum::response::Response;
use microblog_domain::{BuildId, ReleaseId};
use microblog_store::releases::{self, ReleaseRecord};

use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{ReleaseRow, ReleasesPage};
use crate::change::Intent;
use crate::error::ApiError;
use crate::input::{PathOf, Query};
use crate::json_api::paging::{PageBody, PageQuery};
use crate::json_api::releases::{go_back, go_on};
use crate::state::App;

/// `GET /dashboard/releases`
pub(crate) async fn show_releases(
    visit: Visit,
    State(app): State<App>,
    Query(page): Query<PageQuery<ReleaseId>>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Releases).await?;
    let moments = visit.moments(&site);
    let newest = releases::list(&mut conn, None, 1).await?.first().map(|release| release.id);
    let found = releases::list(&mut conn, page.cursor, page.limit + 1).await?;
    let found = PageBody::of(found, page.limit, |release| release.id.to_string());
    let more = found.next_cursor.map(|cursor| format!("?cursor={cursor}"));
    let releases = found.items.into_iter().map(|release| row(&release, newest, &moments)).collect();
    visit.show(&ReleasesPage { frame, releases, more })
}

fn row(release: &ReleaseRecord, newest: Option<ReleaseId>, moments: &Moments) -> ReleaseRow {
    ReleaseRow {
        id: release.id,
        at: moments.of(release.activated_at),
        pages: release.pages,
        build: release.build,
        rolled_back_to: release.rolled_back_to,
        is_live: newest == Some(release.id),
    }
}

/// `POST /dashboard/releases/{id}/activate`
pub(crate) async fn activate_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<ReleaseId>,
) -> Result<Response, ApiError> {
    let mut change = intent.begin_anew(&visit.app).await?;
    let build = go_back(&mut change, id).await?;
    change.keep().await?;
    watch(&visit, build)
}

/// `POST /dashboard/releases/unpin`
pub(crate) async fn unpin_from_form(visit: Visit, intent: Intent) -> Result<Response, ApiError> {
    let mut change = intent.begin_anew(&visit.app).await?;
    let build = go_on(&mut change).await?;
    change.keep().await?;
    watch(&visit, build)
}

/// Going back and on are builds, and are watched like them.
fn watch(visit: &Visit, build: BuildId) -> Result<Response, ApiError> {
    visit.go_silently(&format!("/dashboard/builds/{build}"))
}
