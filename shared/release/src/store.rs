//! The store: opening it, asking it, and the exclusive right to change it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use microblog_domain::{InstallationId, ReleaseId};

use crate::activate;
use crate::chain::NetChange;
use crate::delta::{Change, Delta};
use crate::disk::{Disk, Space};
use crate::draft::{Committed, Draft};
use crate::error::{Error, Result};
use crate::layout;
use crate::lease::Lease;
use crate::lock::LockFile;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::owner;
use crate::prune::{self, Effort};
use crate::release::{Origin, Release};
use crate::repair::{self, Repaired};
use crate::verify::Checks;
use crate::view::{self, View};
use crate::{chain, compress, standby, tree};

/// The releases of one site, and the tree that readers are served from.
///
/// Several processes may have the same store open; each change takes a lock for as long as it lasts.
#[derive(Debug)]
pub struct ReleaseStore {
    /// Shared with threads that nobody waits for.
    pub(crate) disk: Arc<Disk>,
    pub(crate) options: Options,
    pub(crate) view: View,
    lock: LockFile,
    repaired: Option<Repaired>,
}

impl ReleaseStore {
    /// Opens the store in `folder`, makes it if there is none, and repairs what an interruption left.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        options.check()?;
        layout::claim(folder)?;
        let disk = Arc::new(Disk::open(folder, &options)?);
        let mut lock = LockFile::open(&disk)?;
        lock.acquire(&disk, options.lock_wait)?;
        options.installation.map_or(Ok(true), |us| owner::check(&disk, us))?;
        let trees = layout::furnish(&disk, options.trees)?;
        layout::check_one_file_system(&disk, trees)?;
        repair::empty_tmp(&disk)?;
        let view = View::load_or_salvage(&disk, options.grace, options.clock.now())?;
        let mut store = Self { disk, options, view, lock, repaired: None };
        let mut right = Exclusive { store: &mut store };
        right.notice_reboot()?;
        right.recover()?;
        drop(right);
        Ok(store)
    }

    /// The live release as of the last change by this handle; nothing before the first.
    #[must_use]
    pub fn live(&self) -> Option<&Release> {
        Some(self.view.live()).filter(|live| live.id != ReleaseId(0))
    }

    /// The files of the live release.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.view.manifest
    }

    /// What opening the store, or the last change, had to repair.
    #[must_use]
    pub fn last_repair(&self) -> Option<&Repaired> {
        self.repaired.as_ref()
    }

    /// How much room is left.
    pub fn space(&self) -> Result<Space> {
        self.disk.space()
    }

    /// Whether another process is changing the store at this moment.
    pub fn is_in_use(&self) -> Result<bool> {
        self.lock.is_held(&self.disk)
    }

    /// The kept releases, the newest first, whichever process made them; each can be gone back to.
    pub fn releases(&self) -> Result<Vec<Release>> {
        view::kept_releases(&self.disk)
    }

    /// Keeps the live tree as it is until the lease is dropped: for those who read all of it.
    pub fn lease(&self) -> Result<Lease> {
        Lease::take(&self.disk)
    }

    /// Takes note of what other processes did. A store whose files were lost under this handle, as when somebody removed
    /// the folder, is opened anew: that repairs what can be repaired, and the next release brings the rest.
    pub fn catch_up(&mut self) -> Result<()> {
        match self.exclusive().map(drop) {
            Err(Error::Damaged { .. } | Error::Io { .. }) => self.reopen(),
            Ok(()) if layout::lacks_something(&self.disk, self.view.live_tree, self.view.live().id)? => self.reopen(),
            done => done,
        }
    }

    fn reopen(&mut self) -> Result<()> {
        let folder = self.disk.path().to_owned();
        *self = Self::open(&folder, self.options.clone())?;
        Ok(())
    }

    /// Refuses an installation that the releases do not belong to, as far as they belong to one.
    pub fn check_owner(&self, installation: InstallationId) -> Result<()> {
        owner::check(&self.disk, installation).map(drop)
    }

    /// Gives the releases to an installation, whoever had them: no other can publish here any more.
    pub fn adopt(&mut self, installation: InstallationId) -> Result<()> {
        self.options.installation = None;
        let right = self.exclusive()?;
        owner::set(&right.store.disk, installation)?;
        right.store.options.installation = Some(installation);
        Ok(())
    }

    /// Begins a release on top of the live one. Other processes wait until it is committed or dropped.
    pub fn draft(&mut self, checks: Checks) -> Result<Draft<'_>> {
        let right = self.exclusive()?;
        right.begin()?;
        Ok(Draft::new(right, checks))
    }

    /// Makes a kept release live again, as a new release that holds the same files.
    pub fn roll_back(&mut self, to: ReleaseId) -> Result<Committed> {
        let mut right = self.exclusive()?;
        let (oldest, live) = (right.store.view.oldest, right.store.view.live().id);
        if to < oldest || to > live {
            return Err(Error::UnknownRelease { id: to, oldest, live });
        }
        let changes = right.inverse(to)?;
        if changes.is_empty() {
            return Ok(Committed::Unchanged(live));
        }
        right.begin()?;
        let delta = right.store.delta(changes, Origin::RolledBackTo(to));
        activate::activate(&mut right, delta).map(Committed::Activated)
    }

    /// Does what is left after a release went live and would have kept its author waiting: brings the other trees up to
    /// date after a very large change, removes what is no longer kept, shortens the chain, compresses what is new.
    ///
    /// Stops as soon as `go_on` says no, so that a new release need not wait; called again, it goes on from there.
    pub fn tidy(&mut self, go_on: &(dyn Fn() -> bool + Sync)) -> Result<Tidied> {
        let right = self.exclusive()?;
        right.begin()?;
        let settled = standby::settle(right.store, go_on)?;
        let is_pruned = prune::tidy(right.store, Effort::While(go_on))?;
        right.finish()?;
        drop(right);
        let tidied = settled.max(if is_pruned { Tidied::Done } else { Tidied::BrokenOff });
        if tidied == Tidied::BrokenOff || !self.options.compress {
            return Ok(tidied);
        }
        Ok(tidied.max(compress::fill(self, go_on)?))
    }

    /// Removes all but the newest `keep` releases, and tells how many were removed.
    pub fn prune(&mut self, keep: usize) -> Result<u64> {
        let right = self.exclusive()?;
        right.begin()?;
        let before = right.store.view.oldest;
        prune::keep_only(right.store, keep.max(1), Effort::While(&|| true))?;
        let removed = right.store.view.oldest.0 - before.0;
        right.finish()?;
        Ok(removed)
    }

    pub(crate) fn exclusive(&mut self) -> Result<Exclusive<'_>> {
        self.lock.acquire(&self.disk, self.options.lock_wait)?;
        let mut right = Exclusive { store: self };
        right.recover()?;
        Ok(right)
    }

    /// The second that the files of the next release carry: no release before had it.
    pub(crate) fn next_stamp(&self) -> i64 {
        self.options.clock.now().as_second().max(self.view.live().stamp + 1)
    }

    /// The release that the changes lead to.
    pub(crate) fn delta(&self, changes: Vec<Change>, origin: Origin) -> Delta {
        let live = self.view.live();
        let mut totals = live.totals;
        for change in &changes {
            if let Some(before) = &change.before {
                totals.subtract(change.path.as_str(), before);
            }
            if let Some(after) = &change.after {
                totals.add(change.path.as_str(), after);
            }
        }
        let now = self.options.clock.now();
        let release = Release {
            id: live.id.next(),
            // As exactly as it is written down.
            activated_at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            origin,
            totals,
            changed: changes.len() as u64,
            stamp: self.next_stamp(),
        };
        Delta { release, changes }
    }
}

/// The exclusive right to change the store, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Exclusive<'s> {
    pub(crate) store: &'s mut ReleaseStore,
}

impl Exclusive<'_> {
    /// Takes note of what other processes did, and repairs what one of them left unfinished.
    fn recover(&mut self) -> Result<()> {
        let store = &mut *self.store;
        if let Some(us) = store.options.installation {
            owner::claim(&store.disk, us)?;
        }
        let interrupted = store.disk.read_link(layout::WRITING)?.is_some();
        if interrupted || store.view.is_outdated(&store.disk)? {
            store.view = View::load_or_salvage(&store.disk, store.options.grace, store.options.clock.now())?;
        } else {
            store.view.refresh(&store.disk)?;
        }
        if interrupted {
            self.repair()?;
        }
        Ok(())
    }

    /// Finishes or undoes whatever was begun.
    pub(crate) fn repair(&mut self) -> Result<()> {
        let repaired = repair::repair(self)?;
        self.store.repaired = Some(repaired);
        self.finish()
    }

    /// After a reboot, what was not made durable may be lost in part: trust only what is live.
    fn notice_reboot(&mut self) -> Result<()> {
        let now = layout::boot_id();
        let disk = &self.store.disk;
        if now.is_some() && disk.read_link(layout::BOOT)? == now {
            return Ok(());
        }
        self.begin()?;
        repair::distrust_trees(self)?;
        let disk = &self.store.disk;
        now.map_or(Ok(()), |now| tree::replace_link(disk, &now, layout::BOOT))
    }

    /// Marks the store as being changed. If the mark is still there later, something was interrupted.
    pub(crate) fn begin(&self) -> Result<()> {
        layout::mark(&self.store.disk)
    }

    /// Marks the store as whole.
    pub(crate) fn finish(&self) -> Result<()> {
        self.store.disk.remove(layout::WRITING)
    }

    /// The changes that lead from the live release to an earlier one.
    fn inverse(&self, to: ReleaseId) -> Result<Vec<Change>> {
        let live = self.store.view.live().id;
        let net = chain::net_changes(&self.store.disk, to, live)?;
        let change = |(path, net): (_, NetChange)| Change { path, before: net.after, after: net.before };
        Ok(net.into_iter().map(change).filter(|change| change.before != change.after).collect())
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        self.store.lock.release();
    }
}

/// How far [`ReleaseStore::tidy`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tidied {
    /// Nothing is left to do until the next release.
    Done,
    /// Something is left that can not be done now: somebody reads a whole tree, or room is scarce. It may be possible in
    /// some seconds.
    Later,
    /// It was told to stop.
    BrokenOff,
}

/// How long each step of going live took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until no reader could be in the standby tree any more.
    pub wait: Duration,
    /// Bringing the standby tree up to date.
    pub apply: Duration,
    /// Bringing a second tree along, after a large change.
    pub spare: Duration,
    /// Making it durable.
    pub sync: Duration,
    /// Moving `current`, durably.
    pub flip: Duration,
    /// Removing what is no longer kept; the release is already live.
    pub tidy: Duration,
}
