//! Which faults strike, in which order, and what writers do meanwhile.

use std::fmt;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};

use super::fault::{ALL, Fault};
use super::stack::Stack;

/// So many strike at once where each has to strike in little time.
const COMPANY: usize = 4;

/// What writers do while faults last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// They go on.
    Steady,
    /// They stop before the faults pass: no later edit makes good what became of those before.
    EndsFirst,
}

/// Faults that strike at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strike {
    /// Those first that have to find their moment; they pass last.
    pub(crate) faults: Vec<Fault>,
    pub(crate) load: Load,
}

impl Strike {
    fn new(mut faults: Vec<Fault>, load: Load) -> Self {
        faults.sort_by_key(|fault| !fault.needs_writers());
        let needs_writers = faults.iter().any(|fault| fault.needs_writers());
        Self { faults, load: if needs_writers { Load::Steady } else { load } }
    }

    fn alone(fault: Fault, load: Load) -> Self {
        Self::new(vec![fault], load)
    }

    /// As it stands in the figures.
    pub(crate) fn kind(&self) -> String {
        match *self.faults {
            [_] => self.to_string(),
            _ => "several at once".to_owned(),
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.faults.iter().map(Fault::to_string).collect();
        let load = if self.load == Load::EndsFirst { ", load ends first" } else { "" };
        write!(f, "{}{load}", names.join(" and "))
    }
}

/// What whoever runs the suite wants of it.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// Makes the order of faults, and whom they strike, the same again.
    pub(crate) seed: u64,
    /// For how long faults go on after each has struck once.
    more_time: Duration,
    /// Only faults whose names contain this.
    only: String,
}

impl Wishes {
    /// From the variables of the environment.
    pub(crate) fn of_environment() -> Self {
        let given = |variable: &str| std::env::var_os(variable)?.into_string().ok();
        let number = |variable: &str| given(variable)?.parse().ok();
        Self {
            seed: number("MICROBLOG_TEST_FAULT_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000)),
            more_time: Duration::from_secs(60 * number("MICROBLOG_TEST_FAULT_MINUTES").unwrap_or(0)),
            only: given("MICROBLOG_TEST_FAULT_ONLY").unwrap_or_default(),
        }
    }

    /// What strikes on this machine. Each fault strikes once, in company; if there is more time, or only some are wanted,
    /// each alone, and then random ones until the time is over.
    pub(crate) fn plan(&self, stack: &Stack) -> Box<dyn Iterator<Item = Strike>> {
        let mut dice = SmallRng::seed_from_u64(self.seed);
        let is_meant = |fault: &Fault| fault.is_possible(stack) && fault.to_string().contains(&self.only);
        let mut faults: Vec<Fault> = ALL.into_iter().filter(is_meant).collect();
        assert!(!faults.is_empty(), "no fault has {:?} in its name", self.only);
        faults.shuffle(&mut dice);
        if self.more_time.is_zero() && self.only.is_empty() {
            return Box::new(in_company(&faults).into_iter());
        }
        let until = Instant::now() + self.more_time;
        let alone = each_alone(&faults);
        let more = std::iter::repeat_with(move || random(&faults, &mut dice));
        Box::new(alone.into_iter().chain(more.take_while(move |_| Instant::now() < until)))
    }
}

/// Writers end first where they would hide something.
fn in_company(faults: &[Fault]) -> Vec<Strike> {
    let mut companies: Vec<Vec<Fault>> = Vec::new();
    for fault in faults {
        let welcome =
            |company: &&mut Vec<Fault>| company.len() < COMPANY && company.iter().all(|one| one.goes_with(*fault));
        match companies.iter_mut().find(welcome) {
            Some(company) => company.push(*fault),
            None => companies.push(vec![*fault]),
        }
    }
    let load = |company: &[Fault]| match company.iter().any(|fault| fault.is_hidden_by_writers()) {
        true => Load::EndsFirst,
        false => Load::Steady,
    };
    companies.into_iter().map(|company| (load(&company), company)).map(|(load, it)| Strike::new(it, load)).collect()
}

fn each_alone(faults: &[Fault]) -> Vec<Strike> {
    let hidden = faults.iter().filter(|fault| fault.is_hidden_by_writers());
    let steady = faults.iter().map(|fault| Strike::alone(*fault, Load::Steady));
    steady.chain(hidden.map(|fault| Strike::alone(*fault, Load::EndsFirst))).collect()
}

/// One, or two that can strike at once.
fn random(possible: &[Fault], dice: &mut SmallRng) -> Strike {
    let mut drawn: Vec<Fault> = possible.sample(dice, 2).copied().collect();
    if drawn.len() == 2 && (dice.random_bool(0.5) || !drawn[0].goes_with(drawn[1])) {
        drawn.truncate(1);
    }
    Strike::new(drawn, if dice.random_bool(0.3) { Load::EndsFirst } else { Load::Steady })
}

#[cfg(test)]
mod tests {
    use super::super::fault::{Part, Wire};
    use super::*;

    #[test]
    fn what_needs_a_server_never_strikes_while_that_server_is_away() {
        assert!(Fault::Kill(Part::Broker).goes_with(Fault::Kill(Part::Database)));
        assert!(Fault::Kill(Part::Api).goes_with(Fault::QueueDeleted));
        assert!(Fault::BrokerMemory.goes_with(Fault::QueueDeleted));
        for alone in [Fault::QueueDeleted, Fault::KillBoth, Fault::Kill(Part::Broker)] {
            assert!(!alone.goes_with(Fault::Kill(Part::Broker)) && !Fault::Kill(Part::Broker).goes_with(alone));
        }
        for other in [Fault::Kill(Part::Database), Fault::Restart(Part::Builder), Fault::BuildDisk] {
            assert!(!Fault::BuilderPaused.goes_with(other));
        }
        assert!(!Fault::BuildDisk.goes_with(Fault::Kill(Part::Builder)));
    }

    #[test]
    fn each_fault_strikes_once_in_little_company_and_what_writers_hide_after_they_ended() {
        let strikes = in_company(&ALL);
        assert!(strikes.len() <= ALL.len() / 3, "{strikes:?}");
        for fault in ALL {
            let of_it: Vec<_> = strikes.iter().filter(|strike| strike.faults.contains(&fault)).collect();
            assert_eq!(of_it.len(), 1, "{fault}");
            assert!(!fault.is_hidden_by_writers() || of_it[0].load == Load::EndsFirst, "{fault}");
        }
    }

    #[test]
    fn what_has_to_find_its_moment_strikes_first_and_has_writers() {
        let slow = Fault::Wire(Wire::Slow, super::super::fault::Dependency::Broker);
        let strike = Strike::new(vec![slow, Fault::ApiPaused], Load::EndsFirst);
        assert_eq!(strike, Strike { faults: vec![Fault::ApiPaused, slow], load: Load::Steady });
        assert_eq!(Strike::alone(slow, Load::EndsFirst).to_string(), "wire to the broker slow, load ends first");
    }
}
