//! Probes: whether the process lives, has started, can work, and how everything is.
//!
//! Everything is examined together, at most twice a second; each probe tells the part that it is asked for. `live` is made
//! of nothing, since a restart mends no dependency.

use axum::extract::State;
use microblog_config::Settings;
use microblog_domain::BuildState;
use microblog_process::dependency_up;
use microblog_process::health::{Checks, Needs, Probed, Probes, Troubles, Volumes};
use microblog_queue::Condition;
use microblog_store::{builds, in_a_moment, outbox};
use microblog_telemetry::health::{Finding, check};

use crate::state::{App, AppState};

/// A job that waits longer to be passed on than this means that nobody passes them on.
const STALE_OUTBOX: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// The schema is up to date, or the process would not serve.
const TO_HAVE_STARTED: Needs = &["database"];
const TO_WORK: Needs = &["database", "filesystem", "broker"];

/// What this service is examined with.
#[derive(Debug)]
pub struct Health {
    probes: Probes,
    troubles: Troubles,
    volumes: Volumes,
}

impl Health {
    /// Of a process that works in the data folder, and in that of the releases if these are its business.
    #[must_use]
    pub fn new(settings: &Settings, has_releases: bool) -> Self {
        let build = has_releases.then(|| ("build", settings.build.dir.clone()));
        let folders = build.into_iter().chain([("data", settings.data.dir.clone())]);
        Self { probes: Probes::default(), troubles: Troubles::default(), volumes: Volumes::new(folders) }
    }
}

impl Health {
    /// What could not be read of the database, for whoever reads it to tell how things are.
    pub(crate) fn troubles(&self) -> &Troubles {
        &self.troubles
    }
}

/// `GET /health/live`
pub(crate) async fn show_live(State(app): State<App>) -> Probed {
    Probes::live(&*app.clock)
}

/// `GET /health/startup`
pub(crate) async fn show_startup(State(app): State<App>) -> Probed {
    app.health.probes.about(TO_HAVE_STARTED, &*app.clock, examine(&app)).await
}

/// `GET /health/ready`
pub(crate) async fn show_ready(State(app): State<App>) -> Probed {
    app.health.probes.about(TO_WORK, &*app.clock, examine(&app)).await
}

/// `GET /health`
pub(crate) async fn show_summary(State(app): State<App>) -> Probed {
    app.health.probes.summary(&*app.clock, examine(&app)).await
}

/// Tells the metrics how this process and what it depends on are.
pub(crate) async fn measure(app: &AppState) {
    app.health.probes.measure(TO_WORK, &*app.clock, examine(app)).await;
}

async fn examine(app: &AppState) -> Checks {
    let (database, volumes, broker, last_build) = tokio::join!(
        app.health.troubles.database(&app.store),
        app.health.volumes.examine(),
        check(broker(app)),
        check(last_build(app)),
    );
    dependency_up("broker", app.queue.condition() == Condition::Up);
    Checks::from([
        ("database", database),
        ("filesystem", volumes.filesystem),
        ("disk", volumes.disk),
        ("broker", broker),
        ("last_build", last_build),
    ])
}

/// Whoever passes jobs on to the builder. They wait in the database until then, so one that stands still loses nothing,
/// and the service goes on taking them.
async fn broker(app: &AppState) -> Finding {
    let examined = async {
        let now = app.clock.now();
        let backlog = outbox::backlog(&mut *app.store.read().await?, now).await?;
        let is_stale = backlog.oldest_due.is_some_and(|oldest| now.duration_since(oldest) > STALE_OUTBOX);
        let finding = match app.queue.condition().trouble() {
            Some(reason) => Finding::degraded(&reason),
            None if is_stale => Finding::degraded("jobs are not passed on"),
            None => Finding::healthy(),
        };
        Ok(finding.with("pending", backlog.pending))
    };
    app.health.troubles.found(in_a_moment(examined).await, "outbox")
}

async fn last_build(app: &AppState) -> Finding {
    let examined = async {
        let mut conn = app.store.read().await?;
        let failed = builds::last_ended(&mut conn, BuildState::Failed).await?;
        let succeeded = builds::last_ended(&mut conn, BuildState::Succeeded).await?;
        let finding = if failed > succeeded { Finding::degraded("the last build failed") } else { Finding::healthy() };
        Ok(match succeeded {
            Some(at) => finding.with("succeeded_at", at.to_string()),
            None => finding,
        })
    };
    app.health.troubles.found(in_a_moment(examined).await, "last build")
}
