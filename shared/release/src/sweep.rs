//! Removing, round by round, the objects that only releases which are no longer kept name.

use std::collections::BTreeSet;

use microblog_domain::ReleaseId;

use crate::chain;
use crate::disk::Disk;
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::tree::GoOn;

/// How many objects are removed before somebody who waits is heard: a few milliseconds of work.
const ROUND: usize = 256;

/// What is left to be removed. It is kept in memory while it is broken off; made anew, it finds the rest.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// What only releases before this one name is gone.
    from: ReleaseId,
    /// What only releases before this one name is to go.
    up_to: ReleaseId,
    /// The deltas up to this one are taken in.
    read: ReleaseId,
    unneeded: BTreeSet<ObjectName>,
}

impl Sweep {
    pub(crate) fn new(from: ReleaseId, up_to: ReleaseId) -> Self {
        Self { from, up_to, read: from, unneeded: BTreeSet::new() }
    }

    pub(crate) fn from(&self) -> ReleaseId {
        self.from
    }

    pub(crate) fn up_to(&self) -> ReleaseId {
        self.up_to
    }

    /// The deltas after this one are still to be looked at.
    pub(crate) fn read(&self) -> ReleaseId {
        self.read
    }

    /// Takes in what the deltas up to the live release say, as long as `go_on` says yes: what went live since it was broken
    /// off may name again what was about to go. Tells whether it came to the end.
    pub(crate) fn look(&mut self, disk: &Disk, live: ReleaseId, go_on: GoOn<'_>) -> Result<bool> {
        for id in chain::between(self.read, live) {
            if !go_on() {
                return Ok(false);
            }
            self.take_in(disk, id)?;
        }
        Ok(true)
    }

    /// Removes what was found, at least one round of it. Tells whether nothing is left.
    pub(crate) fn remove(&mut self, disk: &Disk, go_on: GoOn<'_>) -> Result<bool> {
        loop {
            for _ in 0..ROUND {
                let Some(object) = self.unneeded.pop_first() else { return Ok(true) };
                disk.remove(&object.place())?;
                disk.remove(&object.sibling_place())?;
            }
            if !go_on() {
                return Ok(self.unneeded.is_empty());
            }
        }
    }

    fn take_in(&mut self, disk: &Disk, id: ReleaseId) -> Result<()> {
        for change in &chain::read_delta(disk, id)?.changes {
            let path = change.path.as_str();
            if id <= self.up_to {
                self.unneeded.extend(object(path, change.before));
            }
            // What went away may have come back.
            if let Some(name) = object(path, change.after) {
                self.unneeded.remove(&name);
            }
        }
        self.read = id;
        Ok(())
    }
}

pub(crate) fn object(path: &str, entry: Option<Entry>) -> Option<ObjectName> {
    entry.map(|entry| ObjectName::of(path, &entry.content))
}
