//! Watching a build: what happened since the watcher last looked, until there is nothing more to come.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::Event;
use futures_util::stream::{self, Stream, StreamExt as _};
use microblog_domain::BuildId;
use microblog_process::Stopping;
use microblog_store::builds;
use microblog_store::builds::events::{self, BuildEvent};
use microblog_store::in_time;
use tokio::sync::broadcast;

use crate::error::{ApiError, Named as _};
use crate::state::App;

/// Events that are read from the database in one go.
const BATCH: u32 = 100;
/// How long a watcher rests at most before it looks again: another process may have written.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// When whoever watched asks again, of another service if there is one.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Somebody who watches a build.
pub(crate) struct Watch {
    app: App,
    stopping: Stopping,
    build: BuildId,
    last_seen: u64,
    news: broadcast::Receiver<BuildId>,
    is_over: bool,
}

impl Watch {
    /// Watches a build from the start or, for a browser that reconnects, from the last event it saw.
    pub(crate) async fn begin(
        app: App,
        stopping: Stopping,
        build: BuildId,
        headers: &HeaderMap,
    ) -> Result<Self, ApiError> {
        builds::get(&mut *app.store.read().await?, build).await.named("build")?;
        let last_seen = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default()) {
            None | Some("") => 0,
            Some(text) => {
                text.parse().map_err(|_| ApiError::invalid_field("Last-Event-ID", "must be the id of an event"))?
            }
        };
        let news = app.events.watch();
        Ok(Self { app, stopping, build, last_seen, news, is_over: false })
    }

    /// The events since the last call, as soon as there are any; `None` once there will be no more, or none from here.
    async fn next(&mut self) -> Result<Option<Vec<BuildEvent>>, ApiError> {
        while !self.is_over && !self.stopping.is_told() {
            // Browsers are told that the stream lives; only its end lets them ask again.
            let unseen = in_time(self.read()).await?;
            if let Some(last) = unseen.last() {
                self.last_seen = last.id;
                self.is_over |= last.step.is_last();
                return Ok(Some(unseen));
            }
            if !self.is_over {
                self.rest().await;
            }
        }
        Ok(None)
    }

    /// The same, as streams take it.
    pub(crate) async fn step(mut self) -> Result<Option<(Vec<BuildEvent>, Self)>, ApiError> {
        Ok(self.next().await?.map(|events| (events, self)))
    }

    async fn read(&mut self) -> Result<Vec<BuildEvent>, ApiError> {
        let mut conn = self.app.store.read().await?;
        // The state is read first: an end that is written in between is then seen among the events.
        let is_final = builds::get(&mut conn, self.build).await.named("build")?.state.is_final();
        let unseen = events::of_build(&mut conn, self.build, self.last_seen, BATCH).await?;
        self.is_over = is_final && unseen.is_empty();
        Ok(unseen)
    }

    /// Until there is news of this build or of the service, or for a second.
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
        tokio::select! {
            () = heard => {}
            () = self.stopping.told() => {}
            () = tokio::time::sleep(LONGEST_REST) => {}
        }
    }
}

/// What a stream ends with: when it ends because the service stops, browsers are told to ask again soon.
pub(crate) fn farewell(stopping: Stopping) -> impl Stream<Item = Result<Event, ApiError>> {
    stream::iter([stopping]).filter_map(async |stopping| {
        let hint = Event::default().retry(ASK_AGAIN_AFTER);
        stopping.is_told().then_some(Ok(hint))
    })
}
