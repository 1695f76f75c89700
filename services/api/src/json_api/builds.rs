//! Builds: start, watch, call off.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, stream};
use microblog_domain::{BuildId, BuildMode, BuildState, PageCounts, ReleaseId, Timestamp};
use microblog_store::Connection;
use microblog_store::builds::events::{self, BuildEvent};
use microblog_store::builds::{self, Build, BuildRequest};
use serde::Serialize;
use tokio::sync::broadcast;

use super::paging::{PageBody, PageQuery};
use crate::auth::Caller;
use crate::change::{Answer, Begun, Intent};
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
    let request = BuildRequest::now(body.mode, &change.origin);
    let build = builds::ask(&mut change.tx, &request, &change.origin).await?;
    let location = format!("/api/v1/builds/{}", build.id);
    let body = BuildBody::of(&mut change.tx, build).await?;
    let answer = Answer::created(&location, &body)?.with_status(StatusCode::ACCEPTED);
    change.finish(answer).await
}

/// `POST /builds/{id}/cancel`
pub(crate) async fn cancel_build(
    State(app): State<App>,
    intent: Intent,
    PathOf(id): PathOf<BuildId>,
) -> Result<Answer, ApiError> {
    let mut change = intent.begin_anew(&app).await?;
    let build = builds::cancel(&mut change.tx, id, &change.origin).await.named("build")?;
    let answer = Answer::ok(&BuildBody::of(&mut change.tx, build).await?)?;
    let answer = change.finish(answer).await?;
    app.events.announce(id);
    Ok(answer)
}

/// Events that are read from the database in one go.
const BATCH: u32 = 100;
/// How long a watcher rests at most before it looks again: another process may have written.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// How often a quiet stream says that it is alive, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `GET /builds/{id}/events`: what happened so far, then what happens, until the end of the build. A browser that
/// reconnects sends the id of the last event it saw, and misses nothing.
pub(crate) async fn watch_build(
    State(app): State<App>,
    headers: HeaderMap,
    PathOf(id): PathOf<BuildId>,
) -> Result<Sse<impl Stream<Item = Result<Event, ApiError>>>, ApiError> {
    builds::get(&mut *app.store.read().await?, id).await.named("build")?;
    let last_seen = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default()) {
        None | Some("") => 0,
        Some(text) => {
            text.parse().map_err(|_| ApiError::invalid_field("Last-Event-ID", "must be the id of an event"))?
        }
    };
    let news = app.events.watch();
    let watch = Watch { app, build: id, last_seen, news, unsent: VecDeque::new(), is_over: false };
    let events = stream::try_unfold(watch, Watch::next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Somebody who watches a build.
struct Watch {
    app: App,
    build: BuildId,
    last_seen: u64,
    news: broadcast::Receiver<BuildId>,
    unsent: VecDeque<BuildEvent>,
    is_over: bool,
}

impl Watch {
    async fn next(mut self) -> Result<Option<(Event, Self)>, ApiError> {
        loop {
            if let Some(event) = self.unsent.pop_front() {
                self.last_seen = event.id;
                self.is_over = event.step.is_last();
                return Ok(Some((told(&event)?, self)));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read().await?;
            if self.unsent.is_empty() && !self.is_over {
                self.rest().await;
            }
        }
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let mut conn = self.app.store.read().await?;
        // The state is read first: an end that is written in between is then seen among the events.
        let is_final = builds::get(&mut conn, self.build).await.named("build")?.state.is_final();
        self.unsent = events::of_build(&mut conn, self.build, self.last_seen, BATCH).await?.into();
        self.is_over = is_final && self.unsent.is_empty();
        Ok(())
    }

    /// Until there is news of this build, or for a second.
    async fn rest(&mut self) {
        let (build, news) = (self.build, &mut self.news);
        let heard = async {
            loop {
                match news.recv().await {
                    Ok(other) if other != build => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let _ = tokio::time::timeout(LONGEST_REST, heard).await;
    }
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
