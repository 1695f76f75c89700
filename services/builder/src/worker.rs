//! The loop of a worker: wait until something is due, claim it, work it off, settle it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use microblog_domain::Clock;
use microblog_process::{ErrorReports, GRACE, Trouble};
use microblog_queue::{BuildEvents, HintReceiver, RetryPolicy, Waker};
use microblog_release::Tidied;
use microblog_store::builds::{self, Claim, ClaimedBuild, Due, Heartbeat, leases};
use microblog_store::{Store, StoreError, in_time, repeat};
use tokio::sync::watch;

use crate::build_site::Desk;
use crate::pulse::Pulse;
use crate::quarantine::ProbeCommand;
use crate::vigil::Vigil;
use crate::{job, metrics};

/// How a worker does its work.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Its name, for people who look.
    pub name: String,
    /// How long it has a build without renewing its lease.
    pub lease_for: Duration,
    /// A build that takes longer has failed.
    pub deadline: Duration,
    /// A page, or a post, that takes longer than this hangs.
    pub page_limit: Duration,
    /// A build that goes on for this long after it was told to stop will never end.
    pub stuck_after: Duration,
    /// A worker that is told to stop leaves a build behind that goes on for this long, and hands it back.
    pub leave_after: Duration,
    /// Looks for posts that crash the renderer, in a process of its own.
    pub probe: Option<ProbeCommand>,
    /// What becomes of builds that failed.
    pub retry: RetryPolicy,
    /// When it looks again whether what could not be tidied can be: somebody may read a whole tree, or room be scarce.
    pub tidy_again: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            name: format!("builder-{}", std::process::id()),
            lease_for: Duration::from_secs(10),
            deadline: Duration::from_secs(900),
            page_limit: Duration::from_secs(30),
            stuck_after: Duration::from_secs(10),
            leave_after: GRACE.saturating_sub(TO_HAND_BACK),
            probe: None,
            retry: RetryPolicy::default(),
            tidy_again: Duration::from_secs(10),
        }
    }
}

/// A build does not end, whatever it is told: only the end of the process ends it. All that it was told to do is in the
/// database, for whoever comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a build does not stop; only a new process is rid of it, and takes the place of this one")]
pub struct Stuck;

/// What is left of the time that a process has to end, for storing that a build was handed back.
const TO_HAND_BACK: Duration = Duration::from_secs(2);

/// Why a build that may be due was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// To take it now would only be to give it back.
    #[error("another process is changing the releases; if it stands still, end it")]
    ReleasesInUse,
}

impl Hindrance {
    fn is_undone(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_undone())
    }
}

/// How long a worker rests at most before it looks into the database without having heard anything.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// How often a worker looks whether another one still changes the releases: often, since an author waits.
const LOOK_AT_RELEASES: Duration = Duration::from_millis(10);

/// When the release store is to be tidied.
#[derive(Debug, Clone, Copy)]
enum Tidy {
    /// As soon as no build is due.
    Now,
    /// Not before this moment.
    At(Instant),
    /// Nothing is left to do.
    AfterNextBuild,
}

impl Tidy {
    fn wait(self) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::At(moment) => moment.saturating_duration_since(Instant::now()),
            Self::AfterNextBuild => Duration::MAX,
        }
    }
}

/// A worker.
#[derive(Debug, Clone)]
pub struct Worker {
    pub(crate) config: WorkerConfig,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: BuildEvents,
    /// Woken when a job went back to the outbox.
    pub(crate) relay: Waker,
    pub(crate) desk: Arc<Mutex<Desk>>,
    pub(crate) errors: ErrorReports,
    vigil: Arc<Mutex<Vigil>>,
    pulse: Pulse,
}

impl Worker {
    /// A worker at this desk.
    #[must_use]
    pub fn new(
        config: WorkerConfig,
        store: Store,
        clock: Arc<dyn Clock>,
        events: BuildEvents,
        relay: Waker,
        desk: Arc<Mutex<Desk>>,
    ) -> Self {
        metrics::describe();
        let (errors, vigil, pulse) = (ErrorReports::default(), Arc::default(), Pulse::default());
        Self { config, store, clock, events, relay, desk, errors, vigil, pulse }
    }

    /// The same, telling of what goes wrong.
    #[must_use]
    pub fn reporting(self, errors: ErrorReports) -> Self {
        Self { errors, ..self }
    }

    /// Tells whether its loop turns.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Works until `stop` becomes true. A build that runs then is stopped and handed back.
    ///
    /// # Errors
    /// When a build does not stop: the process should be replaced by a new one.
    pub async fn run(self, mut hints: HintReceiver, mut stop: watch::Receiver<bool>) -> Result<(), Stuck> {
        let (mut tidy, mut trouble) = (Tidy::Now, Trouble::default());
        while !*stop.borrow_and_update() {
            self.pulse.beat();
            hints.gather();
            let claimed = in_time(repeat(|| self.claim(), Hindrance::is_undone)).await;
            tell(&mut trouble, claimed.as_ref().err());
            match claimed {
                Ok(Some(claimed)) => {
                    self.pulse.during(job::work_off(&self, claimed, &mut stop)).await?;
                    tidy = Tidy::Now;
                }
                Ok(None) => {
                    hints.settle();
                    match tidy.wait() {
                        Duration::ZERO => tidy = self.pulse.during(self.tidy(&mut hints, &mut stop)).await,
                        wait => self.rest(wait, &mut hints, &mut stop).await,
                    }
                }
                Err(_) => Self::rest_after_failure(&mut stop).await,
            }
        }
        Ok(())
    }

    /// Works off the build that is due, if any. Tells whether there was one.
    ///
    /// # Errors
    /// When none can be taken.
    pub async fn work_once(&self) -> Result<bool, Hindrance> {
        let Some(claimed) = self.claim().await? else { return Ok(false) };
        let (_keep, mut never) = watch::channel(false);
        // Whoever works once has no process to replace.
        let _ = job::work_off(self, claimed, &mut never).await;
        Ok(true)
    }

    /// Does what the release store left undone so that nobody had to wait for it; stops when there is a new job, or when
    /// the worker is told to stop. Tells when there is more to do.
    async fn tidy(&self, hints: &mut HintReceiver, stop: &mut watch::Receiver<bool>) -> Tidy {
        let may_go_on = Arc::new(AtomicBool::new(true));
        let (desk, go_on) = (Arc::clone(&self.desk), Arc::clone(&may_go_on));
        let mut work = tokio::task::spawn_blocking(move || {
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.releases_mut().tidy(&|| go_on.load(Ordering::Relaxed))
        });
        let done = tokio::select! {
            done = &mut work => Some(done),
            _ = hints.next() => None,
            _ = stop.changed() => None,
        };
        let done = match done {
            Some(done) => done,
            None => {
                may_go_on.store(false, Ordering::Relaxed);
                work.await
            }
        };
        match done {
            Ok(Ok(Tidied::Done)) => return Tidy::AfterNextBuild,
            Ok(Ok(Tidied::BrokenOff)) => return Tidy::Now,
            Ok(Ok(Tidied::Later)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the release store could not be tidied; it is tried again later"),
            Err(error) => tracing::error!(%error, "tidying the release store crashed; it is tried again later"),
        }
        Tidy::At(Instant::now() + self.config.tidy_again)
    }

    async fn claim(&self) -> Result<Option<ClaimedBuild>, Hindrance> {
        let now = self.clock.now();
        let silent = match builds::next_due(&mut *self.store.read().await?).await? {
            Due::From(at) if builds::is_due(at, now) => None,
            Due::Unless(heartbeat) if self.is_dead(heartbeat) => Some(heartbeat),
            _ => return Ok(None),
        };
        if !self.find_releases_free().await {
            return Err(Hindrance::ReleasesInUse);
        }
        let mut tx = self.store.begin().await?;
        let claim = Claim { worker: self.config.name.clone(), lease_for: self.config.lease_for };
        let claimed = match &silent {
            None => builds::claim(&mut tx, &claim, now).await?,
            Some(silent) => leases::take_over(&mut tx, &claim, silent, now).await?,
        };
        tx.commit().await?;
        if let Some(claimed) = &claimed {
            self.events.announce(claimed.build.id);
        }
        Ok(claimed)
    }

    /// Waits for whoever else changes the releases, for a while: a builder that tidies is done in moments.
    async fn find_releases_free(&self) -> bool {
        let deadline = Instant::now() + LONGEST_REST;
        while self.are_releases_in_use() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(LOOK_AT_RELEASES).await;
        }
        true
    }

    /// What is wrong with them is for the build to find out and to tell.
    fn are_releases_in_use(&self) -> bool {
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.releases().is_in_use().unwrap_or(false)
    }

    /// Whether the worker with this heartbeat was silent for as long as it may be.
    fn is_dead(&self, heartbeat: Heartbeat) -> bool {
        self.vigil.lock().unwrap_or_else(PoisonError::into_inner).is_dead(heartbeat, self.config.lease_for)
    }

    /// Rests until there is a hint, the next build is due, or so much time is over, a second at most.
    async fn rest(&self, most: Duration, hints: &mut HintReceiver, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            _ = hints.next() => {}
            () = tokio::time::sleep(self.until_due().await.min(most)) => {}
            _ = stop.changed() => {}
        }
    }

    /// What could not be claimed is still due: without a rest it would be tried without an end.
    async fn rest_after_failure(stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            () = tokio::time::sleep(LONGEST_REST) => {}
            _ = stop.changed() => {}
        }
    }

    /// Until the next build is due, or a second.
    async fn until_due(&self) -> Duration {
        let due = async { builds::next_due(&mut *self.store.read().await?).await };
        match in_time(due).await {
            Ok(Due::From(due)) => {
                Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default().min(LONGEST_REST)
            }
            Ok(Due::Unless(_) | Due::Nothing) | Err(_) => LONGEST_REST,
        }
    }
}

/// Once for each reason, not with each attempt.
fn tell(trouble: &mut Trouble, error: Option<&Hindrance>) {
    match error {
        Some(error) if trouble.is_news(error) => {
            tracing::warn!(%error, "no build can be claimed; trying again until one can");
        }
        None if trouble.is_over() => tracing::info!("builds can be claimed again"),
        _ => {}
    }
}
