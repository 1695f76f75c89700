//! Lets a test stop the store before any single change of the file system, or make that change fail.
//!
//! Compiled only with the feature `fault-injection`; production code has neither the branch nor the counter.

use std::sync::atomic::{AtomicU64, Ordering};

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
}

impl Faults {
    /// Strikes at the change with this number, counted from 0.
    #[must_use]
    pub fn new(strike_at: u64, fault: Fault) -> Self {
        Self { made: AtomicU64::new(0), strike_at, fault }
    }

    /// Only counts.
    #[must_use]
    pub fn counting() -> Self {
        Self::new(u64::MAX, Fault::None)
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
}
