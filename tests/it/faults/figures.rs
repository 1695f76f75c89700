//! What a run has shown, in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// What is promised.
const READY: Duration = Duration::from_secs(10);

/// How the system came back from one fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recovery {
    /// From the end of the fault until all services said that they can work.
    pub(crate) ready: Duration,
    /// From then until readers had all that was acknowledged before.
    pub(crate) live: Duration,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ready after {:.1} s, live after {:.1} s more", self.ready.as_secs_f64(), self.live.as_secs_f64())
    }
}

/// The numbers of a run.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) seed: u64,
    pub(crate) lasted: Duration,
    /// How many struck, alone and with others.
    pub(crate) struck: usize,
    pub(crate) faults: BTreeMap<String, Vec<Recovery>>,
    /// Edits, all of them acknowledged and live in the end.
    pub(crate) edits: u64,
    /// Requests that they took.
    pub(crate) requests: u64,
    pub(crate) answers: u64,
    pub(crate) releases: u64,
    pub(crate) watched: usize,
    pub(crate) reconnected: u64,
    pub(crate) failed_builds: Vec<String>,
    /// In calm times: from the request to the reader.
    pub(crate) to_live: Vec<Duration>,
}

impl Figures {
    /// Takes note of a strike of so many faults.
    pub(crate) fn note(&mut self, fault: &str, struck: usize, recovery: Recovery) {
        self.struck += struck;
        self.faults.entry(fault.to_owned()).or_default().push(recovery);
    }
}

impl Figures {
    /// Why builds were given up, as far as the names of files do not differ.
    fn reasons(&self) -> BTreeSet<&str> {
        self.failed_builds.iter().map(|error| error.split(" at /").next().unwrap_or_default()).collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} faults in {:.0} s", self.seed, self.struck, self.lasted.as_secs_f64())?;
        let ready: Vec<Duration> = self.faults.values().flatten().map(|recovery| recovery.ready).collect();
        let in_time = ready.iter().filter(|ready| **ready < READY).count();
        writeln!(
            f,
            "ready within {READY:?} after {in_time} of {} recoveries, at most {}",
            ready.len(),
            share(&ready, 1.0)
        )?;
        writeln!(f, "edits acknowledged {}, lost 0, in {} requests", self.edits, self.requests)?;
        writeln!(f, "releases {}, activated twice 0, lost 0", self.releases)?;
        writeln!(f, "answers to readers {}, mixed 0, missing 0, went back 0", self.answers)?;
        writeln!(f, "builds watched {}, reconnected {}, events missed 0, repeated 0", self.watched, self.reconnected)?;
        writeln!(f, "builds given up {}: {:?}", self.failed_builds.len(), self.reasons())?;
        let (median, most) = (share(&self.to_live, 0.5), share(&self.to_live, 0.99));
        writeln!(f, "publish to live in calm times: {} edits, median {median}, p99 {most}", self.to_live.len())?;
        writeln!(f, "{:48} {:>5} {:>15} {:>15}", "fault", "times", "ready (max)", "live (max)")?;
        for (fault, recoveries) in &self.faults {
            let ready: Vec<_> = recoveries.iter().map(|recovery| recovery.ready).collect();
            let live: Vec<_> = recoveries.iter().map(|recovery| recovery.live).collect();
            writeln!(f, "{fault:48} {:>5} {:>15} {:>15}", recoveries.len(), both(&ready), both(&live))?;
        }
        Ok(())
    }
}

/// Median, and the longest.
fn both(times: &[Duration]) -> String {
    format!("{} ({})", share(times, 0.5), share(times, 1.0))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a place in it")]
fn share(times: &[Duration], share: f64) -> String {
    let mut times = times.to_vec();
    times.sort();
    let place = (times.len().saturating_sub(1) as f64 * share).round() as usize;
    times.get(place).map_or_else(|| "-".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()))
}
