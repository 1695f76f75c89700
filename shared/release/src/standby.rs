//! The trees that readers are not sent to: which of them the next release is brought to, and how all are kept close to the
//! live release, so that no author ever waits for a tree that lags far behind.
//!
//! Close trees are brought up to date when they are needed; that is what makes a publish cheap. A tree falls far behind
//! through a large release, a walker's long lease or a power cut. It is brought up in the background, in rounds of a few
//! milliseconds between which a publish gets its turn, and what was broken off goes on where it was; a large release brings a spare tree along before it goes live.

use std::sync::Arc;
use std::time::Duration;

use microblog_domain::ReleaseId;

use crate::activate::{self, Planned};
use crate::chain;
use crate::crew;
use crate::error::{Error, Result};
use crate::lock::{Locked, poll};
use crate::reconcile::Walk;
use crate::store::{ReleaseStore, Tidied};
use crate::tree::{self, GoOn, Plan, TreeState};
use crate::view::{Rest, Work};

/// How often somebody who waits for readers to leave asks whether to go on.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A tree that is not live, that no reader is in, and that no walker may enter while it is held.
pub(crate) struct Standby {
    pub(crate) tree: usize,
    _lock: Locked,
}

impl Standby {
    /// Takes the tree that suits the next release best, or the next best if walkers have that one.
    pub(crate) fn take(store: &ReleaseStore) -> Result<Self> {
        let trees = by_suitability(store)?;
        let mut standby = None;
        let wait = store.options.lease_wait;
        poll(wait, || {
            standby = Self::first_free(store, &trees)?;
            Ok(standby.is_some())
        })?;
        standby.ok_or_else(|| Error::Leased { folder: store.disk.path().to_owned(), waited: wait })
    }

    fn first_free(store: &ReleaseStore, trees: &[usize]) -> Result<Option<Self>> {
        for tree in trees {
            wait_until_left(store, *tree, &|| true);
            if let Some(standby) = Self::try_take(store, *tree)? {
                return Ok(Some(standby));
            }
        }
        Ok(None)
    }

    fn try_take(store: &ReleaseStore, tree: usize) -> Result<Option<Self>> {
        let lock = Locked::alone(&store.disk, &tree::folder(tree))?;
        Ok(lock.map(|lock| Self { tree, _lock: lock }))
    }
}

/// Close trees come before far ones, trees without readers before those that must be waited for, and among equals the
/// one that lags least: one that just went out of use needs a third less work than one that went before it.
fn by_suitability(store: &ReleaseStore) -> Result<Vec<usize>> {
    let rank = |tree| Ok(((is_far(store, tree)?, until_left(store, tree), lag(store, tree)?), tree));
    let mut trees: Vec<_> = store.view.standby_trees().into_iter().map(rank).collect::<Result<_>>()?;
    trees.sort_unstable();
    Ok(trees.into_iter().map(|(_, tree)| tree).collect())
}

fn is_far(store: &ReleaseStore, tree: usize) -> Result<bool> {
    Ok(lag(store, tree)? > store.options.far)
}

/// How much manifest lies between a tree and the live release of the view; all there can be, if nobody knows.
fn lag(store: &ReleaseStore, tree: usize) -> Result<u64> {
    let from = match store.view.trees[tree].state {
        TreeState::Clean(from) | TreeState::Dirty { from, .. } => from,
        TreeState::Unknown => return Ok(u64::MAX),
    };
    let bytes = chain::delta_bytes_up_to(&store.disk, from, store.view.live().id, store.options.far)?;
    Ok(bytes.unwrap_or(u64::MAX))
}

/// How long a reader that resolved `current` just before it moved may still need to open its file.
fn until_left(store: &ReleaseStore, tree: usize) -> Duration {
    store.view.trees[tree]
        .retired
        .map_or(Duration::ZERO, |retired| store.options.grace.saturating_sub(retired.elapsed()))
}

/// Waits until no reader is in a tree. Tells whether it came to that.
fn wait_until_left(store: &ReleaseStore, tree: usize, go_on: GoOn<'_>) -> bool {
    loop {
        match until_left(store, tree) {
            Duration::ZERO => return true,
            _ if !go_on() => return false,
            left => std::thread::sleep(left.min(LOOK_AGAIN)),
        }
    }
}

/// Before a large release goes live, a second tree is brought to it: else the edit that follows would have to do it, while
/// its author waits.
pub(crate) fn keep_a_spare(store: &mut ReleaseStore, taken: usize) -> Result<()> {
    let live = store.view.live().id;
    let before = ReleaseId(live.0.saturating_sub(1));
    if chain::delta_bytes(&store.disk, before, live)? <= store.options.far {
        return Ok(());
    }
    for tree in by_suitability(store)?.into_iter().filter(|tree| *tree != taken) {
        wait_until_left(store, tree, &|| true);
        if let Some(spare) = Standby::try_take(store, tree)? {
            let plan = activate::plan(store, spare.tree)?;
            return activate::bring(store, spare.tree, plan);
        }
    }
    Ok(())
}

/// Brings trees that lag far behind up to date, so that the next release does not have to.
pub(crate) fn settle(store: &mut ReleaseStore, go_on: GoOn<'_>) -> Result<Tidied> {
    let mut tidied = Tidied::Done;
    for tree in store.view.standby_trees() {
        if !is_far(store, tree)? {
            continue;
        }
        if !wait_until_left(store, tree, go_on) {
            return Ok(Tidied::BrokenOff);
        }
        match Standby::try_take(store, tree)? {
            // A walker's tree is brought up when the walker is gone.
            None => tidied = Tidied::Later,
            Some(standby) if !go_on_bringing(store, &standby, go_on)? => return Ok(Tidied::BrokenOff),
            Some(_) => {}
        }
    }
    Ok(tidied)
}

/// Begins to bring a tree up to date, or goes on where that was broken off. Tells whether it came to the end.
fn go_on_bringing(store: &mut ReleaseStore, standby: &Standby, go_on: GoOn<'_>) -> Result<bool> {
    let tree = standby.tree;
    let Some(mut plan) = plan(store, tree, go_on)? else { return Ok(false) };
    let to = store.view.live().id;
    activate::begin_bringing(store, tree, &plan, to)?;
    let ReleaseStore { disk, view, .. } = &mut *store;
    let mut sync = || {
        let disk = Arc::clone(disk);
        Ok(crew::aside(move || disk.sync_all(), go_on)?.is_some() && go_on())
    };
    // Each round is made durable at once: left for later, all of it would burden the next release. Nothing depends on it,
    // so who wants to publish need not wait for it.
    let done = plan.carry_out(disk, tree, &view.manifest, &mut sync)?;
    if !done {
        view.trees[tree].rest = Some(Rest { work: Work::Doing(plan), to });
        return Ok(false);
    }
    activate::set_state(store, tree, TreeState::Clean(to))?;
    Ok(true)
}

/// What is to be done so that a tree holds the live release; nothing if there was no time to find out.
fn plan(store: &mut ReleaseStore, tree: usize, go_on: GoOn<'_>) -> Result<Option<Plan>> {
    let Some(Rest { work, to }) = begun(store, tree, go_on)? else { return Ok(None) };
    let mut plan = match work {
        Work::Doing(plan) => plan,
        Work::Looking(mut walk) => {
            if !walk.go_on(&store.disk, &store.view.manifest, go_on)? {
                store.view.trees[tree].rest = Some(Rest { work: Work::Looking(walk), to });
                return Ok(None);
            }
            walk.finish()
        }
    };
    match activate::plan_by_deltas(store, to, store.view.live().id, false, &|| true) {
        // Releases that went live since may have let go of objects that the plan names.
        Ok(newer) => plan.overrule(newer.unwrap_or_default()),
        // What they did can not be told any more: it begins anew.
        Err(Error::Damaged { .. }) => return self::plan(store, tree, go_on),
        Err(error) => return Err(error),
    }
    Ok(Some(plan))
}

/// What was broken off, or else a beginning; nothing if there was no time for that.
fn begun(store: &mut ReleaseStore, tree: usize, go_on: GoOn<'_>) -> Result<Option<Rest>> {
    if let Some(rest) = store.view.trees[tree].rest.take() {
        return Ok(Some(rest));
    }
    let work = match activate::plan_by_state(store, tree, go_on)? {
        Planned::Plan(plan) => Work::Doing(plan),
        Planned::NotKnown => Work::Looking(Box::new(Walk::new(tree))),
        Planned::BrokenOff => return Ok(None),
    };
    Ok(Some(Rest { work, to: store.view.live().id }))
}
