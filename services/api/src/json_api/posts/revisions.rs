//! The saved texts of a post.

use axum::extract::State;
use microblog_domain::{PostContent, PostId, RevisionNumber, Timestamp, UserId};
use microblog_store::posts;
use microblog_store::revisions::{self, Revision};
use serde::Serialize;

use super::{changes, finish, no_body};
use crate::auth::Caller;
use crate::change::{Answer, Begun, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{IfMatch, PathOf, Query};
use crate::json_api::paging::{PageBody, PageQuery};
use crate::state::App;

/// A revision as clients see it.
#[derive(Debug, Serialize)]
struct RevisionBody {
    number: RevisionNumber,
    saved_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_by: Option<UserId>,
    /// Whether it is the text of a file that lost against the database.
    conflict: bool,
    content: PostContent,
}

impl From<Revision> for RevisionBody {
    fn from(Revision { number, saved_at, saved_by, is_conflict, content, .. }: Revision) -> Self {
        Self { number, saved_at, saved_by, conflict: is_conflict, content }
    }
}

/// `GET /posts/{id}/revisions`, newest first.
pub(crate) async fn list_revisions(
    State(app): State<App>,
    PathOf(id): PathOf<PostId>,
    Query(page): Query<PageQuery<RevisionNumber>>,
) -> Result<Answer, ApiError> {
    let mut conn = app.store.read().await?;
    posts::get(&mut conn, id).await.named("post")?;
    let found = revisions::list(&mut conn, id, page.cursor, page.limit + 1).await?;
    let items = found.into_iter().map(RevisionBody::from).collect();
    Answer::ok(&PageBody::of(items, page.limit, |revision| revision.number.to_string()))
}

/// `POST /posts/{id}/revisions/{n}/restore`
pub(crate) async fn restore_revision(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    PathOf((id, number)): PathOf<(PostId, RevisionNumber)>,
) -> Result<Answer, ApiError> {
    let mut change = match intent.begin(&app, &caller, &no_body()).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let saved = changes::restore_revision(&mut change, &caller, id, number, if_match.optional()).await?;
    finish(*change, saved).await
}
