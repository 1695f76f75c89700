//! How much memory pictures may take at once, whoever works on them and on however many threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most memory that the pictures in work take together, and so the most that one may take.
pub const MAX_BYTES: u64 = 512_000_000;
/// How often who waits for memory asks whether to go on.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The memory that a process has for pictures. A picture for which there is not enough now waits for others.
#[derive(Debug)]
pub struct Memory {
    free: Mutex<u64>,
    given_back: Condvar,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(MAX_BYTES)
    }
}

impl Memory {
    pub(crate) fn of(bytes: u64) -> Self {
        Self { free: Mutex::new(bytes), given_back: Condvar::new() }
    }

    /// Takes so much, as soon as it is there. Nothing if `go_on` says no meanwhile.
    pub(crate) fn take(&self, bytes: u64, go_on: &dyn Fn() -> bool) -> Option<Share<'_>> {
        let mut free = self.free();
        while *free < bytes {
            if !go_on() {
                return None;
            }
            let waited = self.given_back.wait_timeout(free, ASK_EVERY);
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= bytes;
        Some(Share { memory: self, bytes })
    }

    fn free(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that one picture has for itself.
#[derive(Debug)]
pub(crate) struct Share<'m> {
    memory: &'m Memory,
    bytes: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.memory.free() += self.bytes;
        self.memory.given_back.notify_all();
    }
}
