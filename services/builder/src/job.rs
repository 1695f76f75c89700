//! One claimed build: worked on by a blocking thread, watched over by this task, settled in the database.
//!
//! The watcher renews the lease, tells how far the build is, and stops it when somebody cancels it, when its time is up,
//! when the worker is told to stop, or when the lease is lost.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use microblog_domain::{BuildState, BuildStep, PageCounts, Timestamp};
use microblog_queue::{Failure, FailureKind, Settlement};
use microblog_release::{Origin, Release};
use microblog_store::builds::leases::{self, Renewal};
use microblog_store::builds::{Build, ClaimedBuild, Lease};
use microblog_store::releases::{self, ReleaseRecord};
use microblog_store::{StoreError, Transaction};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::build_site::{BuildError, Built, Control, Order, Phase, build_site};
use crate::failure::failure;
use crate::metrics::{self, Outcome};
use crate::worker::Worker;

/// How often the watcher looks.
const LOOK: Duration = Duration::from_millis(100);
/// How often the lease is renewed at least: with the renewal the watcher hears that somebody cancelled the build.
const LONGEST_UNHEARD: Duration = Duration::from_secs(1);
/// How many warnings of one build are kept.
const MOST_WARNINGS: usize = 100;

/// Why the watcher stopped a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopReason {
    Cancelled,
    DeadlinePassed,
    WorkerStops,
    LeaseLost,
}

/// How a build ended on its thread.
enum End {
    Built(Built),
    Failed(Failure),
    Stopped(StopReason),
}

/// Works a build off, whatever happens.
pub(crate) async fn work_off(worker: &Worker, claimed: ClaimedBuild, stop: &mut watch::Receiver<bool>) {
    let ClaimedBuild { build, lease } = claimed;
    tracing::info!(job_id = %build.id, attempt = build.attempt, mode = %build.mode, request_id = build.request_id, "build started");
    let control = Arc::new(Control::default());
    let thread = start(worker, &build, &control);
    let end = watch_over(worker, &lease, thread, &control, stop).await;
    if let Err(error) = settle(worker, &build, &lease, end, &control).await {
        if matches!(error, StoreError::LeaseLost { .. }) {
            metrics::build_ended(Outcome::Superseded);
        }
        tracing::error!(job_id = %build.id, %error, "the end of the build could not be stored; it will be taken up again");
    }
    worker.events.announce(build.id);
    worker.relay.wake();
}

fn start(worker: &Worker, build: &Build, control: &Arc<Control>) -> JoinHandle<Result<Built, BuildError>> {
    let (desk, control, order) = (Arc::clone(&worker.desk), Arc::clone(control), Order { mode: build.mode });
    tokio::task::spawn_blocking(move || {
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        build_site(&mut desk, order, &control)
    })
}

/// Waits for the thread; renews, reports and stops meanwhile.
async fn watch_over(
    worker: &Worker,
    lease: &Lease,
    mut thread: JoinHandle<Result<Built, BuildError>>,
    control: &Control,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let deadline = Instant::now() + worker.config.deadline;
    let renew_every = LONGEST_UNHEARD.min(worker.config.lease_for / 3);
    let mut renew_at = Instant::now() + renew_every;
    let mut look = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    let mut reason = None;
    loop {
        tokio::select! {
            ended = &mut thread => return end_of(ended, reason),
            _ = look.tick() => {}
        }
        if reason.is_none() {
            reason = if *stop.borrow() {
                Some(StopReason::WorkerStops)
            } else if Instant::now() >= deadline {
                Some(StopReason::DeadlinePassed)
            } else if Instant::now() >= renew_at {
                renew_at = Instant::now() + renew_every;
                renew(worker, lease).await
            } else {
                None
            };
            if reason.is_some() {
                control.stop();
            }
        }
        told = tell(worker, lease, control, told).await;
    }
}

fn end_of(ended: Result<Result<Built, BuildError>, tokio::task::JoinError>, reason: Option<StopReason>) -> End {
    match (ended, reason) {
        (Ok(Ok(built)), _) => End::Built(built),
        (Ok(Err(BuildError::Stopped)), Some(reason)) => End::Stopped(reason),
        (Ok(Err(error)), _) => End::Failed(failure(&error)),
        (Err(panic), _) => End::Failed(Failure {
            kind: FailureKind::Lasting,
            code: "panic",
            message: format!("the build crashed, which is a mistake in Microblog: {panic}"),
        }),
    }
}

async fn renew(worker: &Worker, lease: &Lease) -> Option<StopReason> {
    let renewal = async {
        let mut tx = worker.store.begin().await?;
        let renewal = leases::renew(&mut tx, lease, worker.config.lease_for, worker.clock.now()).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(renewal)
    };
    match renewal.await {
        Ok(Renewal::GoOn) => None,
        Ok(Renewal::CancelRequested) => Some(StopReason::Cancelled),
        Err(StoreError::LeaseLost { .. }) => Some(StopReason::LeaseLost),
        Err(error) => {
            tracing::warn!(%error, "the lease could not be renewed; trying again");
            None
        }
    }
}

/// Stores how far the build is, if that is news.
async fn tell(
    worker: &Worker,
    lease: &Lease,
    control: &Control,
    told: Option<(Phase, PageCounts)>,
) -> Option<(Phase, PageCounts)> {
    let progress = control.progress();
    let news = Some((progress.phase, progress.pages));
    let step = match progress.phase {
        Phase::Render => BuildStep::Rendering { done: progress.pages.rendered, total: progress.to_render },
        Phase::Validate => BuildStep::Validating,
        Phase::Load | Phase::Activate => return told,
    };
    if news == told {
        return told;
    }
    let stored = async {
        let mut tx = worker.store.begin().await?;
        leases::report(&mut tx, lease, &step, progress.pages, worker.clock.now()).await?;
        tx.commit().await
    };
    match stored.await {
        Ok(()) => worker.events.announce(lease.build),
        Err(error) => tracing::warn!(job_id = %lease.build, %error, "the progress of the build could not be stored"),
    }
    news
}

/// Stores what became of the build, in one transaction, and counts what was stored.
async fn settle(worker: &Worker, build: &Build, lease: &Lease, end: End, control: &Control) -> Result<(), StoreError> {
    let ended_at = worker.clock.now();
    let mut tx = worker.store.begin().await?;
    let state = match &end {
        End::Built(built) => succeed(worker, &mut tx, build, lease, built).await?,
        End::Failed(failure) => fail(worker, &mut tx, build, lease, failure).await?,
        End::Stopped(reason) => stopped(worker, &mut tx, build, lease, *reason).await?,
    };
    tx.commit().await?;
    if let End::Built(built) = &end {
        count_work(build, built, control, ended_at);
    }
    if let Some(outcome) = Outcome::of(state) {
        metrics::build_ended(outcome);
    }
    Ok(())
}

fn count_work(build: &Build, built: &Built, control: &Control, ended_at: Timestamp) {
    metrics::build_succeeded(build.mode, &control.timings(), built.pages, ended_at);
    if let Some(live) = &built.live {
        metrics::live_since(live.activated_at);
        if built.activated {
            // The time that a release carries is when it was put together, which is before it was durable and live.
            metrics::went_live(wanted_at(build), ended_at);
        }
    }
}

/// Since when somebody waits: a build that was asked for later is not late before.
fn wanted_at(build: &Build) -> Timestamp {
    if build.attempt > 1 { build.requested_at } else { build.requested_at.max(build.run_after) }
}

async fn succeed(
    worker: &Worker,
    tx: &mut Transaction,
    build: &Build,
    lease: &Lease,
    built: &Built,
) -> Result<BuildState, StoreError> {
    let now = worker.clock.now();
    for message in told_warnings(&built.warnings) {
        tracing::warn!(job_id = %build.id, message, "the build found something");
        leases::report(tx, lease, &BuildStep::Warning { message }, built.pages, now).await?;
    }
    if let Some(live) = &built.live {
        releases::forget_after(tx, live.id).await?;
        releases::record(tx, &record_of(live, build)).await?;
    }
    if let Some(oldest) = built.kept {
        releases::forget_before(tx, oldest).await?;
    }
    let release = built.live.as_ref().filter(|_| built.activated).map(|live| live.id);
    if let Some(release) = release {
        leases::report(tx, lease, &BuildStep::Activated { release }, built.pages, now).await?;
    }
    leases::succeed(tx, lease, release, built.pages, now).await?;
    tracing::info!(job_id = %build.id, release = release.map(|id| id.0), rendered = built.pages.rendered, total = built.pages.total, "build succeeded");
    Ok(BuildState::Succeeded)
}

/// The first of many warnings, and how many more there are: each is an event that every build writes again.
fn told_warnings(warnings: &[String]) -> Vec<String> {
    let mut told: Vec<String> = warnings.iter().take(MOST_WARNINGS).cloned().collect();
    if let more @ 1.. = warnings.len() - told.len() {
        told.push(format!("there are {more} more warnings like these; mend the first ones to see them"));
    }
    told
}

/// The row of the live release. A worker that is killed after it made a release live never writes that row; the next
/// build, whether or not it finds something to do, writes it then.
fn record_of(live: &Release, build: &Build) -> ReleaseRecord {
    let (build, rolled_back_to) = match live.origin {
        Origin::Built => (Some(build.id), None),
        Origin::RolledBackTo(to) => (None, Some(to)),
        Origin::Mended => (None, None),
    };
    ReleaseRecord { id: live.id, build, activated_at: live.activated_at, pages: live.totals.pages, rolled_back_to }
}

async fn fail(
    worker: &Worker,
    tx: &mut Transaction,
    build: &Build,
    lease: &Lease,
    failure: &Failure,
) -> Result<BuildState, StoreError> {
    let now = worker.clock.now();
    match worker.config.retry.settle(build.attempt, failure) {
        Settlement::RetryAfter(delay) => {
            tracing::warn!(job_id = %build.id, code = failure.code, error = failure.message, ?delay, "build failed; trying again");
            let at = now.checked_add(delay).unwrap_or(now);
            leases::retry(tx, lease, &failure.message, at, now).await
        }
        Settlement::GiveUp => {
            tracing::error!(job_id = %build.id, code = failure.code, error = failure.message, "build failed; readers keep the release they have");
            leases::fail(tx, lease, &failure.message, now).await?;
            Ok(BuildState::Failed)
        }
    }
}

async fn stopped(
    worker: &Worker,
    tx: &mut Transaction,
    build: &Build,
    lease: &Lease,
    reason: StopReason,
) -> Result<BuildState, StoreError> {
    let now = worker.clock.now();
    match reason {
        StopReason::Cancelled => {
            leases::stop(tx, lease, now).await?;
            Ok(BuildState::Cancelled)
        }
        StopReason::WorkerStops => leases::hand_back(tx, lease, now).await,
        StopReason::LeaseLost => Err(StoreError::LeaseLost { build: build.id }),
        StopReason::DeadlinePassed => {
            let message = format!("it took longer than {:?} (build.deadline)", worker.config.deadline);
            fail(worker, tx, build, lease, &Failure { kind: FailureKind::Passing, code: "deadline", message }).await
        }
    }
}

#[cfg(test)]
mod tests;
