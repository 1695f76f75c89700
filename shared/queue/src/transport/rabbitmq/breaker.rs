//! The circuit breaker before publishing: while nothing gets through, nothing is tried but a probe now and then, so that
//! messages rest in the outbox instead of going back and forth. Pure: time comes in from outside.

use std::time::{Duration, Instant};

/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// How long it stays open first; each probe that fails doubles that.
const FIRST_REST: Duration = Duration::from_millis(500);
/// It is never open for longer without a probe, so that service is back soon after the broker is.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Where the breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakerState {
    /// Messages pass.
    Closed,
    /// Nothing is tried.
    Open,
    /// One message is tried.
    HalfOpen,
}

impl BreakerState {
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chance {
    /// As much as there is.
    Free,
    /// One message.
    Probe,
    /// Nothing before this moment.
    NotBefore(Instant),
}

#[derive(Debug)]
pub(super) struct Breaker {
    position: Position,
    rest: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Position {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { position: Position::Closed { failures: 0 }, rest: FIRST_REST }
    }
}

impl Breaker {
    /// Asks for a try.
    pub(super) fn ask(&mut self, now: Instant) -> Chance {
        match self.position {
            Position::Closed { .. } => Chance::Free,
            Position::Open { until } if now < until => Chance::NotBefore(until),
            Position::Open { .. } | Position::HalfOpen => {
                self.position = Position::HalfOpen;
                Chance::Probe
            }
        }
    }

    /// Everything that was tried got through.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Something that was tried did not get through.
    pub(super) fn failed(&mut self, now: Instant) {
        self.position = match self.position {
            Position::Closed { failures } if failures + 1 < FAILURES => Position::Closed { failures: failures + 1 },
            Position::Closed { .. } => Position::Open { until: now + self.rest },
            Position::Open { until } => Position::Open { until },
            Position::HalfOpen => {
                self.rest = self.rest.saturating_mul(2).min(LONGEST_REST);
                Position::Open { until: now + self.rest }
            }
        };
    }

    /// There is reason to believe that a try would get through now.
    pub(super) fn encourage(&mut self) {
        if let Position::Open { .. } = self.position {
            self.position = Position::HalfOpen;
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.position {
            Position::Closed { .. } => BreakerState::Closed,
            Position::Open { .. } => BreakerState::Open,
            Position::HalfOpen => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker that has just opened.
    fn open(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.ask(now), Chance::Free);
            breaker.failed(now);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_fewer_do_not() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            for _ in 1..FAILURES {
                breaker.failed(now);
            }
            breaker.succeeded();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(open(now).ask(now), Chance::NotBefore(now + FIRST_REST));
    }

    #[test]
    fn after_a_rest_one_message_is_tried_and_closes_it_again() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert_eq!(breaker.ask(now + FIRST_REST), Chance::Probe);
        breaker.succeeded();
        assert_eq!(breaker.ask(now), Chance::Free);
    }

    #[test]
    fn rests_grow_but_never_beyond_five_seconds() {
        let mut now = Instant::now();
        let mut breaker = open(now);
        let mut rests = Vec::new();
        while rests.len() < 6 {
            match breaker.ask(now) {
                Chance::NotBefore(until) => {
                    rests.push((until - now).as_millis());
                    now = until;
                }
                Chance::Probe => breaker.failed(now),
                Chance::Free => panic!("it closed"),
            }
        }
        assert_eq!(rests, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn a_new_connection_lets_a_probe_through_at_once() {
        let now = Instant::now();
        let mut breaker = open(now);
        breaker.encourage();
        assert_eq!(breaker.ask(now), Chance::Probe);
    }
}
