//! Builds: start, watch, call off.

mod watch;

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use microblog_domain::{BuildId, BuildMode, BuildState, PageCounts, ReleaseId, Timestamp};
use microblog_process::Stopping;
use microblog_store::Connection;
use microblog_store::builds::events::BuildEvent;
use microblog_store::builds::{self, Build, BuildRequest};
use serde::Serialize;

pub(crate) use self::watch::{Watch, farewell};
use super::paging::{PageBody, PageQuery};
use crate::auth::Caller;
use crate::change::{Answer, Begun, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{Fields, FromFields, Json, PathOf, Query};
use crate::state::App;

/// A build as clients see it.
#[derive(Debug, Serialize)]
struct BuildBody {
    id: BuildId,
    state: BuildState,
    mode: BuildMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    attempt: u32,
    requested_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_id: Option<ReleaseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    pages: PageCounts,
}

impl BuildBody {
    async fn of(conn: &mut Connection, build: Build) -> Result<Self, ApiError> {
        let position = builds::position(conn, &build).await?;
        let Build { id, state, mode, attempt, requested_at, started_at, finished_at, release, error, pages, .. } =
            build;
        let release_id = release;
        Ok(Self { id, state, mode, position, attempt, requested_at, started_at, finished_at, release_id, error, pages })
    }
}

/// `GET /builds`, newest first.
pub(crate) async fn list_builds(
    State(app): State<App>,
    Query(page): Query<PageQuery<BuildId>>,
) -> Result<Answer, ApiError> {
    let mut conn = app.store.read().await?;
    let mut items = Vec::new();
    for build in builds::list(&mut conn, page.cursor, page.limit + 1).await? {
        items.push(BuildBody::of(&mut conn, build).await?);
    }
    Answer::ok(&PageBody::of(items, page.limit, |build| build.id.to_string()))
}

/// `GET /builds/{id}`
pub(crate) async fn show_build(State(app): State<App>, PathOf(id): PathOf<BuildId>) -> Result<Answer, ApiError> {
    let mut conn = app.store.read().await?;
    let build = builds::get(&mut conn, id).await.named("build")?;
    Answer::ok(&BuildBody::of(&mut conn, build).await?)
}

pub(crate) struct BuildWish {
    mode: BuildMode,
}

impl FromFields for BuildWish {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { mode: fields.optional("mode").unwrap_or(BuildMode::Incremental) })
    }
}

/// `POST /builds`: asks for one, or joins the one that waits.
pub(crate) async fn start_build(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    Json { body, hash }: Json<BuildWish>,
) -> Result<Answer, ApiError> {
    let mut change = match intent.begin(&app, &caller, &hash).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let build = start(&mut change, body.mode).await?;
    let location = format!("/api/v1/builds/{}", build.id);
    let body = BuildBody::of(&mut change.tx, build).await?;
    let answer = Answer::created(&location, &body)?.with_status(StatusCode::ACCEPTED);
    change.finish(answer).await
}

/// Asks for a build, or joins the one that waits.
pub(crate) async fn start(change: &mut Change, mode: BuildMode) -> Result<Build, ApiError> {
    let request = BuildRequest::now(mode, &change.origin);
    Ok(builds::ask(&mut change.tx, &request, &change.origin).await?)
}

/// `POST /builds/{id}/cancel`
pub(crate) async fn cancel_build(
    State(app): State<App>,
    intent: Intent,
    PathOf(id): PathOf<BuildId>,
) -> Result<Answer, ApiError> {
    let mut change = intent.begin_anew(&app).await?;
    let build = call_off(&mut change, id).await?;
    let answer = Answer::ok(&BuildBody::of(&mut change.tx, build).await?)?;
    let answer = change.finish(answer).await?;
    app.events.announce(id);
    Ok(answer)
}

/// Calls a build off. Whoever watches it is told after the change is kept.
pub(crate) async fn call_off(change: &mut Change, id: BuildId) -> Result<Build, ApiError> {
    builds::cancel(&mut change.tx, id, &change.origin).await.named("build")
}

/// How often a quiet stream says that it is alive, so that proxies keep it open.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /builds/{id}/events`: what happened so far, then what happens, until the end of the build. A browser that
/// reconnects sends the id of the last event it saw, and misses nothing.
pub(crate) async fn watch_build(
    State(app): State<App>,
    headers: HeaderMap,
    stopping: Stopping,
    PathOf(id): PathOf<BuildId>,
) -> Result<Sse<impl Stream<Item = Result<Event, ApiError>>>, ApiError> {
    let watch = Watch::begin(app, stopping.clone(), id, &headers).await?;
    let batches = stream::try_unfold(watch, Watch::step);
    let events = batches.map_ok(|batch| stream::iter(batch).map(|event| told(&event))).try_flatten();
    Ok(Sse::new(events.chain(farewell(stopping))).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// An event as it is sent: its number, its kind, and all of it as JSON.
fn told(event: &BuildEvent) -> Result<Event, ApiError> {
    #[derive(Serialize)]
    struct EventBody<'a> {
        at: Timestamp,
        #[serde(flatten)]
        step: &'a microblog_domain::BuildStep,
    }
    let body = EventBody { at: event.at, step: &event.step };
    Event::default().id(event.id.to_string()).event(event.step.kind()).json_data(body).map_err(ApiError::internal)
}
