//! Which faults strike, in which order.

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};

use super::fault::{ALL, Fault};
use super::stack::Stack;

/// Sets of faults that strike at once: each fault alone once, then random ones until the time is over, if there is any.
pub(crate) fn plan(stack: &Stack, seed: u64, time: Duration) -> impl Iterator<Item = Vec<Fault>> + use<> {
    let mut dice = SmallRng::seed_from_u64(seed);
    let mut possible: Vec<Fault> = ALL.into_iter().filter(|fault| fault.is_possible(stack)).collect();
    possible.shuffle(&mut dice);
    let until = Instant::now() + time;
    let once: Vec<Vec<Fault>> = possible.iter().map(|fault| vec![*fault]).collect();
    let more = std::iter::repeat_with(move || random(&possible, &mut dice));
    once.into_iter().chain(more.take_while(move |_| Instant::now() < until))
}

/// One, or two that can strike at once.
fn random(possible: &[Fault], dice: &mut SmallRng) -> Vec<Fault> {
    let mut drawn: Vec<Fault> = possible.sample(dice, 2).copied().collect();
    if dice.random_bool(0.5) || !drawn[0].goes_with(drawn[1]) {
        drawn.truncate(1);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::super::fault::Part;
    use super::*;

    #[test]
    fn what_needs_a_server_never_strikes_while_that_server_is_away() {
        assert!(Fault::Kill(Part::Broker).goes_with(Fault::Kill(Part::Database)));
        assert!(Fault::Kill(Part::Api).goes_with(Fault::QueueDeleted));
        for alone in [Fault::QueueDeleted, Fault::KillBoth, Fault::Kill(Part::Broker)] {
            assert!(!alone.goes_with(Fault::Kill(Part::Broker)) && !Fault::Kill(Part::Broker).goes_with(alone));
        }
        for other in [Fault::Kill(Part::Database), Fault::Restart(Part::Builder)] {
            assert!(!Fault::Paused.goes_with(other));
        }
    }
}
