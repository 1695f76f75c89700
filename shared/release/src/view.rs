//! What the store's folder says: which release is live and where, what it holds, what each tree holds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use microblog_domain::ReleaseId;

use crate::chain;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::lacking::Lacking;
use crate::layout;
use crate::manifest::Manifest;
use crate::reconcile::Walk;
use crate::release::Release;
use crate::salvage;
use crate::sweep::Sweep;
use crate::tree::{self, Plan, TreeState};

/// The store as it was read from disk, and kept in step by whoever holds the lock.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) manifest: Manifest,
    /// Which tree `current` points to.
    pub(crate) live_tree: usize,
    pub(crate) trees: Vec<Tree>,
    /// The oldest release that one can go back to.
    pub(crate) oldest: ReleaseId,
    /// What `st/swept` says: objects of releases between this one and the oldest may be left.
    pub(crate) unswept: Option<ReleaseId>,
    /// The removal of those, if it was broken off.
    pub(crate) sweep: Option<Sweep>,
}

/// A tree, and since when no reader is sent to it.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) state: TreeState,
    /// Nothing if that was long ago.
    pub(crate) retired: Option<Instant>,
    /// Which of its files may lack compressed siblings.
    pub(crate) lacking: Lacking,
    /// What is left of bringing it up to date, if that was broken off.
    pub(crate) rest: Option<Rest>,
}

/// What is left of bringing a tree up to date.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) work: Work,
    /// The release that it leads to.
    pub(crate) to: ReleaseId,
}

/// How far it came.
#[derive(Debug)]
pub(crate) enum Work {
    /// It is being found out what is to be done.
    Looking(Box<Walk>),
    /// This is to be done.
    Doing(Plan),
}

impl View {
    pub(crate) fn load(disk: &Disk, grace: Duration) -> Result<Self> {
        let (live_tree, live) = read_live(disk)?;
        let retired = flipped_within(disk, grace)?.then(Instant::now);
        let mut trees = Vec::new();
        while disk.stat(&tree::folder(trees.len()))?.is_some() {
            let state = tree::read_state(disk, trees.len())?;
            trees.push(Tree { state, retired, lacking: Lacking::default(), rest: None });
        }
        let (oldest, unswept) = (read_oldest(disk)?, read_id(disk, layout::SWEPT)?);
        Ok(Self { manifest: chain::load(disk, live)?, live_tree, trees, oldest, unswept, sweep: None })
    }

    /// Takes note of what another process may have done without a new release: pruned, or settled a tree.
    pub(crate) fn refresh(&mut self, disk: &Disk) -> Result<()> {
        for (number, tree) in self.trees.iter_mut().enumerate() {
            let state = tree::read_state(disk, number)?;
            if state != tree.state {
                *tree = Tree { state, retired: tree.retired, lacking: Lacking::default(), rest: None };
            }
        }
        self.oldest = read_oldest(disk)?;
        self.unswept = read_id(disk, layout::SWEPT)?;
        Ok(())
    }

    /// As [`View::load`]; if manifests or objects are lost, it makes them of what is live.
    pub(crate) fn load_or_salvage(disk: &Disk, grace: Duration, now: Timestamp) -> Result<Self> {
        let (live_tree, live) = read_live(disk)?;
        if !layout::lacks_content(disk, live)? {
            match Self::load(disk, grace) {
                Err(Error::Damaged { place, .. }) if place.starts_with(disk.place("m")) => {}
                view => return view,
            }
        }
        salvage::salvage(disk, live_tree, live, now)?;
        Self::load(disk, grace)
    }

    pub(crate) fn live(&self) -> &Release {
        self.manifest.release()
    }

    /// What only releases before this one name is gone.
    pub(crate) fn swept(&self) -> ReleaseId {
        self.unswept.unwrap_or(self.oldest)
    }

    /// The trees that readers are not sent to.
    pub(crate) fn standby_trees(&self) -> Vec<usize> {
        (0..self.trees.len()).filter(|tree| *tree != self.live_tree).collect()
    }

    /// Whether another process has made a release live since this was read.
    pub(crate) fn is_outdated(&self, disk: &Disk) -> Result<bool> {
        Ok(read_live(disk)? != (self.live_tree, self.live().id))
    }

    /// The oldest release whose successor's delta some tree still needs.
    pub(crate) fn oldest_in_trees(&self) -> ReleaseId {
        let held = self.trees.iter().filter_map(|tree| match tree.state {
            TreeState::Clean(id) | TreeState::Dirty { from: id, .. } => Some(id),
            TreeState::Unknown => None,
        });
        held.min().unwrap_or(self.live().id)
    }
}

fn read_oldest(disk: &Disk) -> Result<ReleaseId> {
    Ok(read_id(disk, layout::OLDEST)?.unwrap_or(ReleaseId(1)))
}

fn read_id(disk: &Disk, name: &str) -> Result<Option<ReleaseId>> {
    Ok(disk.read_link(name)?.and_then(|id| id.parse().ok()))
}

/// The kept releases, the newest first, as they are on disk now, read without a lock.
///
/// The list ends before a release whose manifest is gone: it was pruned a moment ago, or is lost, and neither it nor those
/// before it can be gone back to.
pub(crate) fn kept_releases(disk: &Disk) -> Result<Vec<Release>> {
    let (_, live) = read_live(disk)?;
    let before_oldest = ReleaseId(read_oldest(disk)?.0.saturating_sub(1));
    let mut releases = Vec::new();
    for id in chain::between(before_oldest, live).rev() {
        match chain::read_release(disk, id) {
            Err(Error::Damaged { .. }) if id < live => break,
            release => releases.push(release?),
        }
    }
    Ok(releases)
}

/// Which tree is live, and which release it holds.
fn read_live(disk: &Disk) -> Result<(usize, ReleaseId)> {
    let damaged = |reason: String| Error::Damaged { place: disk.place(layout::CURRENT), reason };
    let target = disk.read_link(layout::CURRENT)?.unwrap_or_default();
    let tree = target
        .strip_prefix("trees/")
        .and_then(|tree| tree.parse().ok())
        .ok_or_else(|| damaged(format!("it points to {target:?}, not to a tree of the store")))?;
    match tree::read_state(disk, tree)? {
        TreeState::Clean(id) => Ok((tree, id)),
        other => Err(damaged(format!("the state of {target} is {other:?}"))),
    }
}

/// Whether `current` may have been moved within the grace. Only then can a reader still be in a retired tree.
fn flipped_within(disk: &Disk, grace: Duration) -> Result<bool> {
    let Some(stat) = disk.stat(layout::CURRENT)? else { return Ok(false) };
    let (seconds, nanoseconds) = stat.changed;
    let flipped = u64::try_from(seconds).ok().zip(u32::try_from(nanoseconds).ok());
    let flipped = flipped.map(|(seconds, nanoseconds)| UNIX_EPOCH + Duration::new(seconds, nanoseconds));
    let age = flipped.and_then(|flipped| SystemTime::now().duration_since(flipped).ok());
    Ok(age.is_none_or(|age| age <= grace))
}
