//! A clock that goes only when it is told to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use microblog_domain::{Clock, Timestamp};

/// A clock that stands still at the start of 2026 until it is moved. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// A clock that shows `2026-01-01T00:00:00Z`.
    #[must_use]
    pub fn new() -> Self {
        Self::at("2026-01-01T00:00:00Z")
    }

    /// A clock that shows this time, written as in RFC 3339.
    #[must_use]
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(time.parse().expect("a time like 2026-01-01T00:00:00Z"))))
    }

    /// Lets time pass; gives the new time.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time = time.checked_add(by).expect("a time within the calendar");
        *time
    }

    /// Jumps to a time, forwards or backwards.
    pub fn set(&self, time: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
