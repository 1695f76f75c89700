//! The names of this crate's metrics, one typed function for each event.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::transport::rabbitmq::BreakerState;
use crate::transport::rabbitmq::link::Purpose;

const PUBLISHES: &str = "microblog_queue_publishes_total";
const DEAD_LETTERED: &str = "microblog_messages_dead_lettered_total";
const BREAKER: &str = "microblog_queue_breaker_state";
const LINK: &str = "microblog_queue_link_up";
const SWEPT: &str = "microblog_builds_announced_again_total";

/// Why a message was set aside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DeadLetter {
    Undecodable,
}

impl DeadLetter {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
        }
    }
}

/// Describes what a relay counts, and lets the counters begin at 0 so that their first increase is seen.
pub(crate) fn describe_relay() {
    describe_counter!(PUBLISHES, "Messages handed to the broker, by outcome");
    describe_counter!(SWEPT, "Builds that waited for too long and were announced again");
    published(0, 0);
    counter!(SWEPT).absolute(0);
}

/// Describes what a consumer counts.
pub(crate) fn describe_dead_letters() {
    describe_counter!(DEAD_LETTERED, "Messages that were set aside, by reason");
    counter!(DEAD_LETTERED, "reason" => DeadLetter::Undecodable.as_str()).absolute(0);
}

/// Messages were confirmed, or were not.
pub(crate) fn published(confirmed: usize, failed: usize) {
    for (outcome, count) in [("confirmed", confirmed), ("failed", failed)] {
        counter!(PUBLISHES, "outcome" => outcome).increment(count as u64);
    }
}

/// Builds were announced again.
pub(crate) fn swept(builds: u64) {
    counter!(SWEPT).increment(builds);
}

/// A message was set aside.
pub(crate) fn dead_lettered(reason: DeadLetter) {
    counter!(DEAD_LETTERED, "reason" => reason.as_str()).increment(1);
}

/// Describes how the connections to the broker are, and the breaker before it.
pub(crate) fn describe_broker() {
    describe_gauge!(BREAKER, "Whether the circuit breaker before the broker is in the state: 1 or 0");
    describe_gauge!(LINK, "Whether a connection to the broker does its work: 1 or 0");
}

/// Where the circuit breaker stands.
pub(crate) fn breaker_is(state: BreakerState) {
    for each in BreakerState::ALL {
        gauge!(BREAKER, "state" => each.as_str()).set(f64::from(u8::from(each == state)));
    }
}

/// Whether a connection to the broker does its work.
pub(crate) fn link_is_up(link: Purpose, is_up: bool) {
    gauge!(LINK, "link" => link.as_str()).set(f64::from(u8::from(is_up)));
}
