//! Lets a test stop the store before any single change of the file system, or make that change fail.
//!
//! Compiled only with the feature `fault-injection`; production code has neither the branch nor the counter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use rustix::io::Errno;

/// What happens at the chosen change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: only count.
    None,
    /// This change fails; those after it succeed.
    Fail(Errno),
    /// This change and all after it fail, as if the process had ended.
    Stop,
    /// The process is killed, as by `kill -9`.
    Kill,
}

/// Counts the changes of the file system and strikes at one of them.
#[derive(Debug)]
pub struct Faults {
    made: AtomicU64,
    strike_at: u64,
    fault: Fault,
    slow_sync: Option<SlowSync>,
}

/// One sync that takes as long as a test wants.
#[derive(Debug)]
struct SlowSync {
    /// How many syncs come before it.
    after: AtomicU64,
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Ahead,
    UnderWay,
    MayEnd,
}

impl Faults {
    /// Strikes at the change with this number, counted from 0.
    #[must_use]
    pub fn new(strike_at: u64, fault: Fault) -> Self {
        Self { made: AtomicU64::new(0), strike_at, fault, slow_sync: None }
    }

    /// Only counts.
    #[must_use]
    pub fn counting() -> Self {
        Self::new(u64::MAX, Fault::None)
    }

    /// Lets the sync with this number, counted from 0, last until [`Faults::end_sync`].
    #[must_use]
    pub fn with_slow_sync(number: u64) -> Self {
        let slow = SlowSync { after: AtomicU64::new(number), stage: Mutex::new(Stage::Ahead), changed: Condvar::new() };
        Self { slow_sync: Some(slow), ..Self::counting() }
    }

    /// Whether the slow sync is under way.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        let stage = |slow: &SlowSync| *slow.stage.lock().unwrap_or_else(PoisonError::into_inner) == Stage::UnderWay;
        self.slow_sync.as_ref().is_some_and(stage)
    }

    /// Lets the slow sync end.
    pub fn end_sync(&self) {
        if let Some(slow) = &self.slow_sync {
            slow.enter(Stage::MayEnd);
        }
    }

    /// How many changes were asked for so far.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// Called before each change.
    pub(crate) fn before_change(&self) -> Result<(), Errno> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Fail(errno) if number == self.strike_at => Err(errno),
            Fault::Stop if number >= self.strike_at => Err(Errno::IO),
            Fault::Kill if number == self.strike_at => {
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                Err(Errno::IO)
            }
            _ => Ok(()),
        }
    }

    /// Called before each sync.
    pub(crate) fn before_sync(&self) {
        if let Some(slow) = &self.slow_sync
            && slow.after.fetch_sub(1, Ordering::SeqCst) == 0
        {
            slow.enter(Stage::UnderWay);
            slow.wait();
        }
    }
}

impl SlowSync {
    fn enter(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(stage, |stage| *stage != Stage::MayEnd));
    }
}
