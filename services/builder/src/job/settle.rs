//! Storing what became of a build: release, outcome, events and the state of the build, in one transaction.

use std::time::Duration;

use microblog_domain::{BuildId, BuildState, BuildStep, PageCounts, ReleaseId, Timestamp};
use microblog_process::ErrorReport;
use microblog_queue::{Failure, FailureKind, Settlement};
use microblog_release::{Origin, Release};
use microblog_store::builds::{Build, Lease, leases};
use microblog_store::releases::{self, ReleaseRecord};
use microblog_store::{StoreError, Transaction, in_time, repeat};
use tokio::sync::watch;

use super::End;
use super::watch::StopReason;
use crate::build_site::{Built, Control, Phase};
use crate::metrics::{self, Outcome};
use crate::worker::Worker;

/// How many warnings of one build are kept.
pub(super) const MOST_WARNINGS: usize = 100;
/// How long the database rests before it is asked again.
const REST: Duration = Duration::from_millis(500);

/// What is stored of how a build ended.
pub(super) enum Ending {
    Built(Built),
    Failed(Failure),
    Left(Leave),
}

/// Why a build is left that nothing is wrong with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leave {
    Cancelled,
    WorkerStops,
    LeaseLost,
}

impl Ending {
    pub(super) fn of(worker: &Worker, end: End) -> Self {
        match end {
            End::Built(built) => Self::Built(built),
            End::Failed(failure) => Self::Failed(failure),
            End::Stopped(reason) | End::Stuck(reason) => Self::of_stopped(worker, &reason),
        }
    }

    fn of_stopped(worker: &Worker, reason: &StopReason) -> Self {
        let config = &worker.config;
        match reason {
            StopReason::Cancelled => Self::Left(Leave::Cancelled),
            StopReason::WorkerStops => Self::Left(Leave::WorkerStops),
            StopReason::LeaseLost => Self::Left(Leave::LeaseLost),
            StopReason::DeadlinePassed => {
                let message = format!("it took longer than {:?} (build.deadline)", config.deadline);
                Self::Failed(Failure { kind: FailureKind::Passing, code: "deadline", message })
            }
            StopReason::Hangs(piece) => {
                let message =
                    format!("{piece} took longer than {:?}, as nothing does that is sound", config.page_limit);
                Self::Failed(Failure { kind: FailureKind::Crash, code: "hangs", message })
            }
        }
    }
}

/// Stores what became of the build, and tells and counts what was stored; what became of a build that another worker has is
/// for that one to count. While the database can not be reached it tries again: what is not stored is all built once more.
pub(super) async fn settle(
    worker: &Worker,
    build: &Build,
    lease: &Lease,
    end: End,
    control: &Control,
    stop: &mut watch::Receiver<bool>,
) {
    let (ended_at, ending) = (worker.clock.now(), Ending::of(worker, end));
    loop {
        let is_last_try = *stop.borrow_and_update();
        match in_time(repeat(|| store(worker, build, lease, &ending), StoreError::is_undone)).await {
            Ok(Some(state)) => {
                tell(worker, build, &ending, control, ended_at);
                return Outcome::of(state).map_or((), metrics::build_ended);
            }
            Ok(None) => {
                tracing::warn!("another worker has taken the build over; what became of it here counts no more");
                return;
            }
            Err(error) if error.may_pass() && !is_last_try => {
                tracing::warn!(%error, "the end of the build can not be stored; trying again");
                let _ = tokio::time::timeout(REST, stop.changed()).await;
            }
            Err(error) => {
                tracing::error!(%error, "the end of the build could not be stored; it will be taken up again");
                return;
            }
        }
    }
}

/// Gives the state of the build, unless another worker has it. What an earlier try stored, although nobody said that its
/// commit was kept, is stored.
pub(super) async fn store(
    worker: &Worker,
    build: &Build,
    lease: &Lease,
    ending: &Ending,
) -> Result<Option<BuildState>, StoreError> {
    match store_now(worker, build, lease, ending).await {
        Ok(state) => Ok(Some(state)),
        Err(StoreError::LeaseLost { .. }) => leases::settled(&mut *worker.store.read().await?, lease).await,
        Err(error) => Err(error),
    }
}

async fn store_now(worker: &Worker, build: &Build, lease: &Lease, ending: &Ending) -> Result<BuildState, StoreError> {
    let mut tx = worker.store.begin().await?;
    let state = match ending {
        Ending::Built(built) => succeed(worker, &mut tx, build, lease, built).await?,
        Ending::Failed(failure) => fail(worker, &mut tx, build, lease, failure).await?,
        Ending::Left(reason) => leave(worker, &mut tx, lease, *reason).await?,
    };
    tx.commit().await?;
    Ok(state)
}

/// Logs and counts what was stored.
fn tell(worker: &Worker, build: &Build, ending: &Ending, control: &Control, ended_at: Timestamp) {
    match ending {
        Ending::Built(built) => {
            tell_success(built);
            count_work(build, built, control, ended_at);
        }
        Ending::Failed(failure) => {
            tell_failure(worker, build, failure);
            report(worker, build, failure);
        }
        Ending::Left(_) => {}
    }
}

fn tell_success(built: &Built) {
    for message in told_warnings(&built.warnings) {
        tracing::warn!(message, "the build found something");
    }
    let PageCounts { rendered, total, .. } = built.pages;
    tracing::info!(release = activated(built).map(|id| id.0), rendered, total, "build succeeded");
}

fn tell_failure(worker: &Worker, build: &Build, failure: &Failure) {
    let (code, error) = (failure.code, failure.message.as_str());
    match worker.config.retry.settle(build.attempt, failure) {
        Settlement::RetryAfter(delay) => tracing::warn!(code, error, ?delay, "build failed; trying again"),
        Settlement::RetryWithCare => {
            tracing::error!(code, error, "build broke down; looking for a post that causes it");
        }
        Settlement::PutBack(delay) => tracing::warn!(code, error, ?delay, "build could not begin; trying again"),
        Settlement::GiveUp => tracing::error!(code, error, "build failed; readers keep the release they have"),
    }
}

/// Each try counts: one that waits for room on a disk never ends as a failed build.
fn report(worker: &Worker, build: &Build, failure: &Failure) {
    if failure.kind != FailureKind::Busy {
        let (message, request_id) = (failure.message.as_str(), build.request_id.as_deref());
        worker.errors.report(ErrorReport { code: failure.code, place: "build", message, request_id });
    }
}

fn count_work(build: &Build, built: &Built, control: &Control, ended_at: Timestamp) {
    let timings = control.timings();
    metrics::build_succeeded(build.mode, &timings, built.pages);
    log_performance(built, &timings);
    if built.activated {
        // The time that a release carries is when it was put together, which is before it was durable and live.
        metrics::went_live(wanted_at(build), ended_at);
    }
}

/// How long each phase took, in milliseconds.
fn log_performance(built: &Built, timings: &[(Phase, Duration)]) {
    let took = |wanted: Phase| {
        let timing = timings.iter().find(|(phase, _)| *phase == wanted);
        timing.map(|(_, took)| took.as_secs_f64() * 1_000.0)
    };
    let total: Duration = timings.iter().map(|(_, took)| took).sum();
    tracing::info!(
        target: "performance",
        total_ms = total.as_secs_f64() * 1_000.0,
        load_ms = took(Phase::Load),
        render_ms = took(Phase::Render),
        validate_ms = took(Phase::Validate),
        activate_ms = took(Phase::Activate),
        rendered = built.pages.rendered,
        reused = built.pages.reused,
        "a build took its time"
    );
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
        leases::report(tx, lease, &BuildStep::Warning { message }, built.pages, now).await?;
    }
    if let Some(live) = &built.live {
        releases::forget_after(tx, live.id).await?;
        record_unreported(tx, built, live).await?;
        releases::record(tx, &record_of(live, Some(build.id))).await?;
    }
    if let Some(oldest) = built.kept.iter().map(|release| release.id).min() {
        releases::forget_before(tx, oldest).await?;
    }
    let release = activated(built);
    if let Some(release) = release {
        leases::report(tx, lease, &BuildStep::Activated { release }, built.pages, now).await?;
    }
    leases::succeed(tx, lease, release, built.pages, now).await?;
    Ok(BuildState::Succeeded)
}

/// The release that this build made live.
fn activated(built: &Built) -> Option<ReleaseId> {
    built.live.as_ref().filter(|_| built.activated).map(|live| live.id)
}

/// The first of many warnings, and how many more there are: each is an event that every build writes again.
pub(super) fn told_warnings(warnings: &[String]) -> Vec<String> {
    let mut told: Vec<String> = warnings.iter().take(MOST_WARNINGS).cloned().collect();
    if let more @ 1.. = warnings.len() - told.len() {
        told.push(format!("there are {more} more warnings like these; mend the first ones to see them"));
    }
    told
}

/// Writes the rows of releases between the newest one that is known and the live one: their workers were killed, or had
/// lost their build, after they had made them live.
async fn record_unreported(tx: &mut Transaction, built: &Built, live: &Release) -> Result<(), StoreError> {
    let newest = releases::list(tx, None, 1).await?.first().map(|record| record.id);
    let unreported = built.kept.iter().filter(|release| Some(release.id) > newest && release.id < live.id);
    for release in unreported {
        releases::record(tx, &record_of(release, None)).await?;
    }
    Ok(())
}

/// The row of a release. A worker that is killed after it made a release live never writes that row; the next build,
/// whether or not it finds something to do, writes it then.
fn record_of(release: &Release, build: Option<BuildId>) -> ReleaseRecord {
    let (build, rolled_back_to) = match release.origin {
        Origin::Built => (build, None),
        Origin::RolledBackTo(to) => (None, Some(to)),
        Origin::Mended => (None, None),
    };
    let (id, activated_at, pages) = (release.id, release.activated_at, release.totals.pages);
    ReleaseRecord { id, build, activated_at, pages, rolled_back_to }
}

async fn fail(
    worker: &Worker,
    tx: &mut Transaction,
    build: &Build,
    lease: &Lease,
    failure: &Failure,
) -> Result<BuildState, StoreError> {
    let now = worker.clock.now();
    let after = |delay| now.checked_add(delay).unwrap_or(now);
    let (error, retry) = (failure.message.as_str(), &worker.config.retry);
    match retry.settle(build.attempt, failure) {
        Settlement::RetryAfter(delay) => leases::retry(tx, lease, error, after(delay), now).await,
        Settlement::RetryWithCare => leases::retry_after_crash(tx, lease, error, retry.suspicious_crashes, now).await,
        Settlement::PutBack(delay) => leases::hand_back(tx, lease, after(delay), now).await,
        Settlement::GiveUp => {
            leases::fail(tx, lease, error, now).await?;
            Ok(BuildState::Failed)
        }
    }
}

async fn leave(worker: &Worker, tx: &mut Transaction, lease: &Lease, reason: Leave) -> Result<BuildState, StoreError> {
    let now = worker.clock.now();
    match reason {
        Leave::Cancelled => {
            leases::stop(tx, lease, now).await?;
            Ok(BuildState::Cancelled)
        }
        Leave::WorkerStops => leases::hand_back(tx, lease, now, now).await,
        Leave::LeaseLost => Err(StoreError::LeaseLost { build: lease.build }),
    }
}
