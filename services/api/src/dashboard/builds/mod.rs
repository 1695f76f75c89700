//! Builds: the list, and each with its progress and its log.

mod panel;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{Response, Sse};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use microblog_domain::{BuildId, BuildMode};
use microblog_process::Stopping;
use microblog_store::builds::events::BuildEvent;
use microblog_store::builds::{self, Build};

pub(super) use self::panel::panel;
use super::flash::Flash;
use super::form::FormData;
use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{BuildPage, BuildRow, BuildUpdate, BuildsPage, Page as _};
use super::templates;
use crate::change::Intent;
use crate::error::{ApiError, Named as _};
use crate::input::{PathOf, Query};
use crate::json_api::builds::{KEEP_ALIVE, Watch, call_off, farewell, start};
use crate::json_api::paging::{PageBody, PageQuery};
use crate::state::App;

/// `GET /dashboard/builds`
pub(crate) async fn show_builds(
    visit: Visit,
    State(app): State<App>,
    Query(page): Query<PageQuery<BuildId>>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Builds).await?;
    let moments = visit.moments(&site);
    let found = builds::list(&mut conn, page.cursor, page.limit + 1).await?;
    let found = PageBody::of(found, page.limit, |build| build.id.to_string());
    let more = found.next_cursor.map(|cursor| format!("?cursor={cursor}"));
    let builds = found.items.into_iter().map(|build| row(build, &moments)).collect();
    visit.show(&BuildsPage { frame, builds, more })
}

fn row(build: Build, moments: &Moments) -> BuildRow {
    let took = build.started_at.zip(build.finished_at).map(|(from, to)| panel::duration(to.duration_since(from)));
    BuildRow {
        id: build.id,
        state: build.state,
        mode: build.mode,
        at: moments.of(build.requested_at),
        took,
        rendered: build.pages.rendered,
        total: build.pages.total,
        release: build.release,
        error: build.error.filter(|_| !matches!(build.state, microblog_domain::BuildState::Succeeded)),
    }
}

/// `GET /dashboard/builds/{id}`
pub(crate) async fn show_build_page(
    visit: Visit,
    State(app): State<App>,
    PathOf(id): PathOf<BuildId>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Builds).await?;
    let moments = visit.moments(&site);
    let build = builds::get(&mut conn, id).await.named("build")?;
    let (mode, at) = (build.mode, moments.of(build.requested_at));
    let panel = panel(&mut conn, build, &site, &moments).await?;
    visit.show(&BuildPage { frame, mode, at, panel })
}

/// `POST /dashboard/builds`
pub(crate) async fn start_from_form(visit: Visit, intent: Intent, form: FormData) -> Result<Response, ApiError> {
    let mode = if form.has("full") { BuildMode::Full } else { BuildMode::Incremental };
    let mut change = intent.begin_anew(&visit.app).await?;
    let build = start(&mut change, mode).await?;
    change.keep().await?;
    visit.go_silently(&format!("/dashboard/builds/{}", build.id))
}

/// `POST /dashboard/builds/{id}/cancel`
pub(crate) async fn cancel_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<BuildId>,
) -> Result<Response, ApiError> {
    let mut change = intent.begin_anew(&visit.app).await?;
    call_off(&mut change, id).await?;
    change.keep().await?;
    visit.app.events.announce(id);
    visit.go(&format!("/dashboard/builds/{id}"), Flash::BuildCancelled)
}

/// `GET /dashboard/builds/{id}/events`: the panel of a build, anew whenever something happened. A browser that
/// reconnects sends the id of the last event that its panel tells of.
pub(crate) async fn watch_panel(
    visit: Visit,
    State(app): State<App>,
    headers: HeaderMap,
    stopping: Stopping,
    PathOf(id): PathOf<BuildId>,
) -> Result<Sse<impl Stream<Item = Result<Event, ApiError>>>, ApiError> {
    let watch = Watch::begin(app, stopping.clone(), id, &headers).await?;
    let panels = stream::try_unfold(watch, Watch::step).and_then(move |news| {
        let visit = visit.clone();
        async move { told(&visit, id, &news).await }
    });
    Ok(Sse::new(panels.chain(farewell(stopping))).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// All that is new is told with one panel.
async fn told(visit: &Visit, id: BuildId, news: &[BuildEvent]) -> Result<Event, ApiError> {
    let mut conn = visit.app.store.read().await?;
    let site = visit.app.site(&mut conn).await?.settings;
    let build = builds::get(&mut conn, id).await.named("build")?;
    let panel = panel(&mut conn, build, &site, &visit.moments(&site)).await?;
    let last = news.last().map_or(0, |event| event.id);
    let kind = if panel.is_final { "last" } else { "panel" };
    Ok(Event::default()
        .event(kind)
        .id(last.to_string())
        .data(templates::render(BuildUpdate::TEMPLATE, &BuildUpdate { panel })?))
}
