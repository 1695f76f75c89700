//! Watching over the thread that builds: renews the lease, tells how far the build is, and stops it when somebody cancels
//! it, when its time is up, when one page takes for ever, when the worker is told to stop, or when the lease is lost.

use std::time::Duration;

use microblog_domain::{BuildStep, PageCounts};
use microblog_queue::{Failure, FailureKind};
use microblog_store::builds::Lease;
use microblog_store::builds::leases::{self, Renewal};
use microblog_store::{StoreError, in_time};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior};

use super::End;
use crate::build_site::{BuildError, Built, Control, Phase, Piece};
use crate::failure::failure;
use crate::worker::Worker;

/// How often the watcher looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// How often the lease is renewed at least: with the renewal the watcher hears that somebody cancelled the build.
const LONGEST_UNHEARD: Duration = Duration::from_secs(1);

/// Why the watcher stopped a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StopReason {
    Cancelled,
    DeadlinePassed,
    /// This piece of it takes longer than any does that is sound.
    Hangs(Piece),
    WorkerStops,
    LeaseLost,
}

/// What the watcher remembers from look to look.
struct Watch<'a> {
    worker: &'a Worker,
    lease: &'a Lease,
    control: &'a Control,
    deadline: Instant,
    renew_at: Instant,
    told: Option<(Phase, PageCounts)>,
    /// Why and when the thread was told to stop.
    stopped: Option<(StopReason, Instant)>,
    /// When the worker leaves, once it was told to stop.
    leave_at: Option<Instant>,
}

/// Waits for the thread; renews, reports and stops meanwhile.
pub(super) async fn watch_over(
    worker: &Worker,
    lease: &Lease,
    mut thread: JoinHandle<Result<Built, BuildError>>,
    control: &Control,
    stop: &watch::Receiver<bool>,
) -> End {
    let now = Instant::now();
    let deadline = now + worker.config.deadline;
    let mut watch =
        Watch { worker, lease, control, deadline, renew_at: now, told: None, stopped: None, leave_at: None };
    watch.renew_at += watch.renew_every();
    let mut look = tokio::time::interval_at(now + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = &mut thread => return end_of(ended, watch.stopped.map(|(reason, _)| reason)),
            _ = look.tick() => {}
        }
        if *stop.borrow() {
            watch.leave_at.get_or_insert_with(|| Instant::now() + worker.config.leave_after);
        }
        match &watch.stopped {
            None => watch.stop_if_due().await,
            Some((reason, since)) if watch.gives_up(*since) => return End::Stuck(reason.clone()),
            Some(_) => {}
        }
        watch.tell().await;
    }
}

impl Watch<'_> {
    fn renew_every(&self) -> Duration {
        LONGEST_UNHEARD.min(self.worker.config.lease_for / 3)
    }

    /// Whether a thread that was told to stop `since` then is waited for no longer.
    fn gives_up(&self, since: Instant) -> bool {
        since.elapsed() >= self.worker.config.stuck_after || self.leave_at.is_some_and(|at| Instant::now() >= at)
    }

    async fn stop_if_due(&mut self) {
        if let Some(reason) = self.reason_to_stop().await {
            self.control.stop();
            self.stopped = Some((reason, Instant::now()));
        }
    }

    async fn reason_to_stop(&mut self) -> Option<StopReason> {
        let now = Instant::now();
        if self.leave_at.is_some() {
            return Some(StopReason::WorkerStops);
        }
        if now >= self.deadline {
            return Some(StopReason::DeadlinePassed);
        }
        if let Some((piece, _)) = self.control.slowest().filter(|(_, time)| *time >= self.worker.config.page_limit) {
            return Some(StopReason::Hangs(piece));
        }
        if now < self.renew_at {
            return None;
        }
        self.renew_at = now + self.renew_every();
        self.renew().await
    }

    async fn renew(&self) -> Option<StopReason> {
        let renewal = async {
            let mut tx = self.worker.store.begin().await?;
            let now = self.worker.clock.now();
            let renewal = leases::renew(&mut tx, self.lease, self.worker.config.lease_for, now).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(renewal)
        };
        match in_time(renewal).await {
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
    async fn tell(&mut self) {
        let progress = self.control.progress();
        let news = Some((progress.phase, progress.pages));
        let step = match progress.phase {
            Phase::Render => BuildStep::Rendering { done: progress.pages.rendered, total: progress.to_render },
            Phase::Validate => BuildStep::Validating,
            Phase::Load | Phase::Activate => return,
        };
        if news == self.told {
            return;
        }
        self.told = news;
        let (worker, lease) = (self.worker, self.lease);
        let stored = async {
            let mut tx = worker.store.begin().await?;
            leases::report(&mut tx, lease, &step, progress.pages, worker.clock.now()).await?;
            tx.commit().await
        };
        match in_time(stored).await {
            Ok(()) => worker.events.announce(lease.build),
            Err(error) => {
                tracing::warn!(%error, "the progress of the build could not be stored");
            }
        }
    }
}

fn end_of(ended: Result<Result<Built, BuildError>, JoinError>, reason: Option<StopReason>) -> End {
    match (ended, reason) {
        (Ok(Ok(built)), _) => End::Built(built),
        (Ok(Err(BuildError::Stopped)), Some(reason)) => End::Stopped(reason),
        (Ok(Err(BuildError::LeaseLost)), _) => End::Stopped(StopReason::LeaseLost),
        (Ok(Err(error)), _) => End::Failed(failure(&error)),
        (Err(panic), _) => End::Failed(Failure {
            kind: FailureKind::Crash,
            code: "crash",
            message: format!("the build crashed, which is a mistake in Microblog: {panic}"),
        }),
    }
}
