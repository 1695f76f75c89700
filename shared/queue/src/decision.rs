//! What becomes of a job whose try went wrong. Pure, so that every case is tested without a broker, a database or a
//! clock.

use std::time::Duration;

/// Whether trying again could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The cause may pass by itself: a lost connection, a lock held by another.
    Passing,
    /// The same would happen again: broken content, a full disk, a theme with an error.
    Lasting,
}

/// A try that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether trying again could help.
    pub kind: FailureKind,
    /// One word for logs and metrics, e.g. `disk_full`.
    pub code: &'static str,
    /// What happened, where, and what to do, for people.
    pub message: String,
}

/// How often a job is tried, and how long it rests in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, the first included.
    pub attempts: u32,
    /// The rest after the first try; each further rest is four times as long.
    pub first_delay: Duration,
    /// No rest is longer.
    pub longest_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 3, first_delay: Duration::from_secs(1), longest_delay: Duration::from_secs(300) }
    }
}

/// What is done with the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It waits this long, then it is tried again.
    RetryAfter(Duration),
    /// It is given up; readers keep the release they have.
    GiveUp,
}

impl RetryPolicy {
    /// Decides about a job whose try number `attempt` (from 1) failed.
    #[must_use]
    pub fn settle(&self, attempt: u32, failure: &Failure) -> Settlement {
        match failure.kind {
            FailureKind::Lasting => Settlement::GiveUp,
            FailureKind::Passing if attempt >= self.attempts => Settlement::GiveUp,
            FailureKind::Passing => Settlement::RetryAfter(self.delay_after(attempt)),
        }
    }

    fn delay_after(&self, attempt: u32) -> Duration {
        let factor = 4_u32.saturating_pow(attempt.saturating_sub(1));
        self.first_delay.saturating_mul(factor).min(self.longest_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind) -> Failure {
        Failure { kind, code: "test", message: "it broke".to_owned() }
    }

    #[test]
    fn a_passing_failure_is_tried_again_ever_later_and_given_up_after_the_last_try() {
        let policy = RetryPolicy::default();
        let settled: Vec<_> = (1..=3).map(|attempt| policy.settle(attempt, &failure(FailureKind::Passing))).collect();
        let after = |seconds| Settlement::RetryAfter(Duration::from_secs(seconds));
        assert_eq!(settled, [after(1), after(4), Settlement::GiveUp]);
    }

    #[test]
    fn a_lasting_failure_is_given_up_at_once() {
        assert_eq!(RetryPolicy::default().settle(1, &failure(FailureKind::Lasting)), Settlement::GiveUp);
    }

    #[test]
    fn rests_never_exceed_the_longest_one() {
        let policy = RetryPolicy { attempts: u32::MAX, ..RetryPolicy::default() };
        for attempt in [5, 50, u32::MAX - 1] {
            assert_eq!(
                policy.settle(attempt, &failure(FailureKind::Passing)),
                Settlement::RetryAfter(Duration::from_secs(if attempt == 5 { 256 } else { 300 }))
            );
        }
    }
}
