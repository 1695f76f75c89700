//! Probes: whether the process lives, has started, can work, and how everything is.
//!
//! `live` asks nobody, since a restart mends no dependency. The others ask those that this service can not work without;
//! the summary asks all.

use std::path::{Path, PathBuf};
use std::time::Instant;

use axum::extract::State;
use microblog_domain::BuildState;
use microblog_process::health::{self, Checks, Probed};
use microblog_store::{builds, in_a_moment, outbox};
use microblog_telemetry::health::{Finding, check};

use crate::state::{App, AppState};

/// A job that waits longer to be passed on than this means that nobody passes them on.
pub(crate) const STALE_OUTBOX: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// `GET /health/live`
pub(crate) async fn show_live(State(app): State<App>) -> Probed {
    report(&app, Checks::new(), Instant::now())
}

/// `GET /health/startup`: the schema is up to date, or the process would not serve.
pub(crate) async fn show_startup(State(app): State<App>) -> Probed {
    let started = Instant::now();
    let checks = Checks::from([("database", check(app.troubles.database(&app.store)).await)]);
    report(&app, checks, started)
}

/// `GET /health/ready`
pub(crate) async fn show_ready(State(app): State<App>) -> Probed {
    let started = Instant::now();
    let (database, filesystem, broker) =
        tokio::join!(check(app.troubles.database(&app.store)), check(filesystem(&app)), check(broker(&app)));
    let checks = Checks::from([("database", database), ("filesystem", filesystem), ("broker", broker)]);
    report(&app, checks, started)
}

/// `GET /health`
pub(crate) async fn show_summary(State(app): State<App>) -> Probed {
    let started = Instant::now();
    let (database, filesystem, disk, broker, last_build) = tokio::join!(
        check(app.troubles.database(&app.store)),
        check(filesystem(&app)),
        check(disk(&app)),
        check(broker(&app)),
        check(last_build(&app)),
    );
    let checks = Checks::from([
        ("database", database),
        ("filesystem", filesystem),
        ("disk", disk),
        ("broker", broker),
        ("last_build", last_build),
    ]);
    report(&app, checks, started)
}

fn report(app: &AppState, checks: Checks, started: Instant) -> Probed {
    health::report(checks, &*app.clock, started)
}

/// The folders that this process writes to, or whose releases it watches over, must be there and take files.
async fn filesystem(app: &AppState) -> Finding {
    let mut folders = vec![("data", data_dir(app))];
    folders.extend(app.build_dir.clone().map(|folder| ("build", folder)));
    health::folders(folders).await
}

/// Of the releases; or else of the uploads.
async fn disk(app: &AppState) -> Finding {
    match &app.build_dir {
        Some(folder) => health::disk("build", folder).await,
        None => health::disk("data", &data_dir(app)).await,
    }
}

/// Where the uploads are, and the database if it is a file.
pub(crate) fn data_dir(app: &AppState) -> PathBuf {
    app.media.path().parent().map(Path::to_owned).unwrap_or_else(|| app.media.path().to_owned())
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
    app.troubles.found(in_a_moment(examined).await, "outbox")
}

async fn last_build(app: &AppState) -> Finding {
    let examined = async {
        let mut conn = app.store.read().await?;
        let failed = builds::newest_in(&mut conn, BuildState::Failed).await?.and_then(|build| build.finished_at);
        let succeeded = builds::newest_in(&mut conn, BuildState::Succeeded).await?.and_then(|build| build.finished_at);
        let finding = if failed > succeeded { Finding::degraded("the last build failed") } else { Finding::healthy() };
        Ok(match succeeded {
            Some(at) => finding.with("succeeded_at", at.to_string()),
            None => finding,
        })
    };
    app.troubles.found(in_a_moment(examined).await, "last build")
}
