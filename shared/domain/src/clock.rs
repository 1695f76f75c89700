//! The one place where the time of day enters the program, so that tests can set it.

use std::fmt;

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
