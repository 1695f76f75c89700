//! Releases: history, going back, going on.
//!
//! Going back is a wish that is kept with the site's state (the pin), and a build that fulfils it: the builder finds
//! the pin, and makes that release live instead of building. So it survives crashes, and needs no way from here to the
//! folder of releases.

use axum::extract::State;
use axum::http::StatusCode;
use microblog_domain::{BuildId, BuildMode, ReleaseId, Timestamp};
use microblog_store::builds::{self, BuildRequest};
use microblog_store::releases::{self, ReleaseRecord};
use serde::Serialize;

use super::paging::{PageBody, PageQuery};
use super::session::no_body;
use crate::auth::Caller;
use crate::change::{Answer, Begun, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{PathOf, Query};
use crate::state::App;

/// A release as clients see it.
#[derive(Debug, Serialize)]
struct ReleaseBody {
    id: ReleaseId,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_id: Option<BuildId>,
    activated_at: Timestamp,
    pages: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<ReleaseId>,
    /// Whether it is the newest: what readers see.
    live: bool,
    /// Whether the site is held at it.
    pinned: bool,
}

/// What became of the wish to go back, or on.
#[derive(Debug, Serialize)]
struct PinBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<ReleaseId>,
    /// The build that fulfils it.
    build_id: BuildId,
}

/// `GET /releases`, newest first.
pub(crate) async fn list_releases(
    State(app): State<App>,
    Query(page): Query<PageQuery<ReleaseId>>,
) -> Result<Answer, ApiError> {
    let mut conn = app.store.read().await?;
    let pinned = releases::pinned(&mut conn).await?;
    let newest = releases::list(&mut conn, None, 1).await?.first().map(|release| release.id);
    let found = releases::list(&mut conn, page.cursor, page.limit + 1).await?;
    let items = found.iter().map(|release| body(release, newest, pinned)).collect();
    Answer::ok(&PageBody::of(items, page.limit, |release| release.id.to_string()))
}

fn body(release: &ReleaseRecord, newest: Option<ReleaseId>, pinned: Option<ReleaseId>) -> ReleaseBody {
    let &ReleaseRecord { id, build, activated_at, pages, rolled_back_to } = release;
    let (live, pinned) = (newest == Some(id), pinned == Some(id));
    ReleaseBody { id, build_id: build, activated_at, pages, rolled_back_to, live, pinned }
}

/// `POST /releases/{id}/activate`: shows an earlier release again, and holds the site at it.
pub(crate) async fn activate_release(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    PathOf(id): PathOf<ReleaseId>,
) -> Result<Answer, ApiError> {
    let mut change = match intent.begin(&app, &caller, &no_body()).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let build_id = go_back(&mut change, id).await?;
    change.finish(pinned(Some(id), build_id)?).await
}

/// `DELETE /releases/pin`: lets the site follow its builds again.
pub(crate) async fn unpin(State(app): State<App>, intent: Intent) -> Result<Answer, ApiError> {
    let mut change = intent.begin_anew(&app).await?;
    let build_id = go_on(&mut change).await?;
    change.finish(pinned(None, build_id)?).await
}

fn pinned(pinned: Option<ReleaseId>, build_id: BuildId) -> Result<Answer, ApiError> {
    Ok(Answer::ok(&PinBody { pinned, build_id })?.with_status(StatusCode::ACCEPTED))
}

/// Holds the site at an earlier release; gives the build that makes it live.
pub(crate) async fn go_back(change: &mut Change, id: ReleaseId) -> Result<BuildId, ApiError> {
    releases::get(&mut change.tx, id).await.named("release")?;
    releases::pin(&mut change.tx, id, &change.origin).await?;
    ask(change).await
}

/// Lets the site follow its builds again; gives the build that shows what waited.
pub(crate) async fn go_on(change: &mut Change) -> Result<BuildId, ApiError> {
    releases::unpin(&mut change.tx, &change.origin).await?;
    ask(change).await
}

async fn ask(change: &mut Change) -> Result<BuildId, ApiError> {
    let request = BuildRequest::now(BuildMode::Incremental, &change.origin);
    Ok(builds::ask(&mut change.tx, &request, &change.origin).await?.id)
}
