//! Probes: whether the process lives, has started, can work, and how everything is.
//!
//! `live` asks nobody, since a restart mends no dependency. The others ask those that this service can not work without;
//! the summary asks all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use microblog_domain::BuildState;
use microblog_store::{StoreError, builds, outbox};
use microblog_telemetry::health::{CheckResult, Finding, HealthReport, check};
use rustix::fs::{Access, access};

use crate::VERSION;
use crate::space::Space;
use crate::state::{App, AppState};

/// With less of a disk free than this it is degraded.
const LOW_SPACE: f64 = 0.10;
/// With less of a disk free than this, or less than [`LEAST_BYTES`], it is unhealthy.
const LEAST_SPACE: f64 = 0.01;
/// Enough for the database to finish what it does.
const LEAST_BYTES: u64 = 64 * 1024 * 1024;
/// A job that waits longer to be passed on than this means that nobody passes them on.
pub(crate) const STALE_OUTBOX: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

type Checks = BTreeMap<&'static str, CheckResult>;
type Probed = (StatusCode, Json<HealthReport>);

/// `GET /health/live`
pub(crate) async fn show_live(State(app): State<App>) -> Probed {
    report(&app, Checks::new(), Instant::now())
}

/// `GET /health/startup`: the schema is up to date, or the process would not serve.
pub(crate) async fn show_startup(State(app): State<App>) -> Probed {
    let started = Instant::now();
    let checks = Checks::from([("database", check(database(&app)).await)]);
    report(&app, checks, started)
}

/// `GET /health/ready`
pub(crate) async fn show_ready(State(app): State<App>) -> Probed {
    let started = Instant::now();
    let (database, filesystem, broker) =
        tokio::join!(check(database(&app)), check(filesystem(&app)), check(broker(&app)));
    let checks = Checks::from([("database", database), ("filesystem", filesystem), ("broker", broker)]);
    report(&app, checks, started)
}

/// `GET /health`
pub(crate) async fn show_summary(State(app): State<App>) -> Probed {
    let started = Instant::now();
    let (database, filesystem, disk, broker, last_build) = tokio::join!(
        check(database(&app)),
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
    let report = HealthReport::new(checks, app.clock.now(), VERSION, started.elapsed());
    let status = if report.is_unhealthy() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(report))
}

async fn database(app: &AppState) -> Finding {
    found(app.store.ping().await.map(|()| Finding::healthy()), "database")
}

/// What went wrong is logged; whoever probes learns only that it did.
fn found(result: Result<Finding, StoreError>, what: &str) -> Finding {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "the {what} can not be examined");
        Finding::unhealthy("the database does not answer; see the log")
    })
}

/// Both folders must be there and take files.
async fn filesystem(app: &AppState) -> Finding {
    let data = app.media.path().parent().map(Path::to_owned);
    let folders = [("build", Some(app.build_dir.clone())), ("data", data)];
    for (name, folder) in folders {
        let Some(folder) = folder else { continue };
        let allowed = tokio::task::spawn_blocking(move || access(&folder, Access::WRITE_OK | Access::EXEC_OK)).await;
        if !matches!(allowed, Ok(Ok(()))) {
            return Finding::unhealthy(&format!("the {name} folder is missing or can not be written"));
        }
    }
    Finding::healthy()
}

async fn disk(app: &AppState) -> Finding {
    let Some(space) = Space::of(&app.build_dir).await else {
        return Finding::unhealthy("the free space of the build folder can not be read");
    };
    let share = space.share_free();
    let finding = if share < LEAST_SPACE || space.free < LEAST_BYTES {
        Finding::unhealthy("the disk is full")
    } else if share < LOW_SPACE {
        Finding::degraded("less than 10 % of the disk is free")
    } else {
        Finding::healthy()
    };
    finding.with("free_bytes", space.free).with("total_bytes", space.total)
}

/// Whoever passes jobs on to the builder. They wait in the database until then, so one that stands still loses nothing.
async fn broker(app: &AppState) -> Finding {
    let examined = async {
        let now = app.clock.now();
        let backlog = outbox::backlog(&mut *app.store.read().await?, now).await?;
        let is_stale = backlog.oldest_due.is_some_and(|oldest| now.duration_since(oldest) > STALE_OUTBOX);
        let finding = if is_stale { Finding::degraded("jobs are not passed on") } else { Finding::healthy() };
        Ok(finding.with("pending", backlog.pending))
    };
    found(examined.await, "outbox")
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
    found(examined.await, "last build")
}
