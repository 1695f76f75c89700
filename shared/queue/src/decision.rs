//! What becomes of a job whose try went wrong. Pure, so that every case is tested without a broker, a database or a
//! clock.

use std::time::Duration;

/// Whether trying again could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The cause lies outside of the site: the database is away, the disk is full. Whenever that is over, and whoever ended
    /// it, the build must come by itself.
    Outside,
    /// Trying again may help, or not.
    Passing,
    /// The same would happen again: broken content, a theme with an error.
    Lasting,
    /// The program itself broke down: somebody must find out about what, before the same happens again.
    Crash,
    /// It could not even begin: another process works there.
    Busy,
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
    /// No rest of a job that waits for something outside is longer: it is to go on soon after that is back.
    pub longest_wait: Duration,
    /// From how many crashes on the next try begins with looking for a post that causes them. One alone proves nothing:
    /// machines are restarted, processes killed.
    pub suspicious_crashes: u32,
    /// From how many crashes on the job is given up.
    pub most_crashes: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(300),
            longest_wait: Duration::from_secs(5),
            suspicious_crashes: 2,
            most_crashes: 8,
        }
    }
}

/// What is done with the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It waits this long, then it is tried again.
    RetryAfter(Duration),
    /// It is tried again at once, by somebody who looks for the cause first.
    RetryWithCare,
    /// It goes back untried, and may be taken after this long.
    PutBack(Duration),
    /// It is given up; readers keep the release they have.
    GiveUp,
}

/// How a try is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// At once.
    None,
    /// With looking for a post that crashes it.
    FindCulprit,
    /// Not at all: it has crashed too often.
    GiveUp,
}

impl RetryPolicy {
    /// Decides about a job whose try number `attempt` (from 1) failed.
    #[must_use]
    pub fn settle(&self, attempt: u32, failure: &Failure) -> Settlement {
        match failure.kind {
            FailureKind::Busy => Settlement::PutBack(self.first_delay),
            FailureKind::Outside => Settlement::RetryAfter(self.delay_after(attempt).min(self.longest_wait)),
            FailureKind::Lasting => Settlement::GiveUp,
            FailureKind::Passing | FailureKind::Crash if attempt >= self.attempts => Settlement::GiveUp,
            FailureKind::Passing => Settlement::RetryAfter(self.delay_after(attempt)),
            FailureKind::Crash => Settlement::RetryWithCare,
        }
    }

    /// Decides how a job begins of which so many tries crashed.
    #[must_use]
    pub fn caution(&self, crashes: u32) -> Caution {
        match crashes {
            crashes if crashes >= self.most_crashes => Caution::GiveUp,
            crashes if crashes >= self.suspicious_crashes => Caution::FindCulprit,
            _ => Caution::None,
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
    fn a_crash_is_looked_into_and_given_up_after_the_last_try() {
        let policy = RetryPolicy::default();
        let settled: Vec<_> = (1..=3).map(|attempt| policy.settle(attempt, &failure(FailureKind::Crash))).collect();
        assert_eq!(settled, [Settlement::RetryWithCare, Settlement::RetryWithCare, Settlement::GiveUp]);
    }

    #[test]
    fn a_job_that_waits_for_something_outside_is_never_given_up_and_never_rests_for_long() {
        let policy = RetryPolicy::default();
        let settled = [1, 2, 3, 1_000].map(|attempt| policy.settle(attempt, &failure(FailureKind::Outside)));
        let after = |seconds| Settlement::RetryAfter(Duration::from_secs(seconds));
        assert_eq!(settled, [after(1), after(4), after(5), after(5)]);
    }

    #[test]
    fn a_job_that_could_not_begin_is_never_given_up() {
        let settled = RetryPolicy::default().settle(1_000, &failure(FailureKind::Busy));
        assert_eq!(settled, Settlement::PutBack(Duration::from_secs(1)));
    }

    #[test]
    fn one_crash_is_chance_two_are_suspicious_and_many_the_end() {
        let policy = RetryPolicy::default();
        let cautions = [0, 1, 2, 7, 8, 9].map(|crashes| policy.caution(crashes));
        let (none, find, end) = (Caution::None, Caution::FindCulprit, Caution::GiveUp);
        assert_eq!(cautions, [none, none, find, find, end, end]);
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
