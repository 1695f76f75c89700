//! What went wrong, each error once by what it is and where it happens, and who has taken note of it.

use axum::extract::State;
use microblog_domain::{ErrorGroupId, Timestamp, UserId};
use microblog_store::errors::{self, ErrorGroup};
use serde::Serialize;

use super::paging::{Cursor, PageBody, PageQuery};
use crate::change::{Answer, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{Fields, FromFields, PathOf, Query};
use crate::state::App;

/// Whether somebody has taken note since it last happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ErrorState {
    Open,
    Acknowledged,
}

/// An error as clients see it.
#[derive(Debug, Serialize)]
struct ErrorBody {
    id: ErrorGroupId,
    code: String,
    place: String,
    message: String,
    count: u64,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    state: ErrorState,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<UserId>,
}

impl From<ErrorGroup> for ErrorBody {
    fn from(group: ErrorGroup) -> Self {
        Self {
            id: group.id,
            code: group.code,
            place: group.place,
            message: group.message,
            count: group.count,
            first_seen_at: group.first_seen_at,
            last_seen_at: group.last_seen_at,
            request_id: group.request_id,
            state: if group.acknowledged.is_some() { ErrorState::Acknowledged } else { ErrorState::Open },
            acknowledged_at: group.acknowledged.as_ref().map(|taken| taken.at),
            acknowledged_by: group.acknowledged.and_then(|taken| taken.by),
        }
    }
}

/// Which errors the client wants.
#[derive(Debug)]
pub(crate) struct ErrorQuery {
    pub(crate) state: Option<ErrorState>,
    pub(crate) page: PageQuery<Cursor<ErrorGroupId>>,
}

impl FromFields for ErrorQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let state = match fields.optional::<String>("state").as_deref() {
            None => None,
            Some("open") => Some(ErrorState::Open),
            Some("acknowledged") => Some(ErrorState::Acknowledged),
            Some(_) => {
                fields.reject("state", "must be open or acknowledged");
                None
            }
        };
        Some(Self { state, page: PageQuery::take(fields) })
    }
}

/// `GET /errors`, the one that happened last first.
pub(crate) async fn list_errors(State(app): State<App>, Query(query): Query<ErrorQuery>) -> Result<Answer, ApiError> {
    let page = read_page(&app, &query).await?;
    let items: Vec<_> = page.items.into_iter().map(ErrorBody::from).collect();
    Answer::ok(&PageBody { items, next_cursor: page.next_cursor })
}

/// A page of errors.
pub(crate) async fn read_page(app: &App, query: &ErrorQuery) -> Result<PageBody<ErrorGroup>, ApiError> {
    let ErrorQuery { state, page } = query;
    let (open, after) = (state.map(|state| state == ErrorState::Open), page.cursor.map(|cursor| cursor.0));
    let found = errors::list(&mut *app.store.read().await?, open, after, page.limit + 1).await?;
    Ok(PageBody::of(found, page.limit, |group| Cursor::behind(group.last_seen_at, group.id).to_text()))
}

/// `POST /errors/{id}/acknowledge`
pub(crate) async fn acknowledge_error(
    State(app): State<App>,
    intent: Intent,
    PathOf(id): PathOf<ErrorGroupId>,
) -> Result<Answer, ApiError> {
    let mut change = intent.begin_anew(&app).await?;
    let group = acknowledge(&mut change, id).await?;
    change.finish(Answer::ok(&ErrorBody::from(group))?).await
}

/// Notes that the caller has taken note.
pub(crate) async fn acknowledge(change: &mut Change, id: ErrorGroupId) -> Result<ErrorGroup, ApiError> {
    errors::acknowledge(&mut change.tx, id, &change.origin).await.named("error")
}
