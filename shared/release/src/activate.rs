//! Going live: the one way in which a release becomes the one that readers see, whether built or gone back to.
//!
//! 1. write the delta; 2. take a tree that no reader is in; 3. bring it to the new release; 4. make all of it durable;
//! 5. move `current`. The last step is the commit: until then everything is undone by an interruption, from then on
//!    nothing is.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use crate::chain;
use crate::delta::Delta;
use crate::entry::ObjectName;
use crate::error::{Error, Result};
use crate::layout;
use crate::lock::{poll, try_lock};
use crate::prune::{self, Effort};
use crate::reconcile;
use crate::release::Release;
use crate::store::{Exclusive, ReleaseStore, Timings};
use crate::tree::{self, Plan, Step, TreeState};
use crate::view::View;
use microblog_domain::ReleaseId;

/// A tree that differs in more files than this is brought up to date before it is needed.
const LARGE_LAG: usize = 2_000;

/// A release that went live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    /// The release.
    pub release: Release,
    /// The one that was live before; 0 if none was.
    pub previous: ReleaseId,
    /// How many names were made, replaced or removed in the tree.
    pub entries_touched: u64,
    /// How long each step took.
    pub timings: Timings,
}

/// Makes the release live, or leaves everything as it was.
pub(crate) fn activate(right: &mut Exclusive<'_>, delta: Delta) -> Result<Activated> {
    let previous = right.store.view.live().id;
    match go_live(right.store, delta) {
        Ok((entries_touched, mut timings)) => {
            let flipped = Instant::now();
            // The release is live. What can not be removed now leaves the mark behind, and is removed by the next repair.
            let _ = prune::tidy(right, Effort::Little).and_then(|()| right.finish());
            timings.tidy = flipped.elapsed();
            Ok(Activated { release: right.store.view.live().clone(), previous, entries_touched, timings })
        }
        Err(error) => {
            abandon(right);
            Err(error)
        }
    }
}

/// Undoes what a failed activation began. If even that fails, whoever changes the store next does it.
fn abandon(right: &mut Exclusive<'_>) {
    let ReleaseStore { disk, options, view, .. } = &mut *right.store;
    if let Ok(fresh) = View::load(disk, options.grace) {
        *view = fresh;
        let _ = right.repair();
    }
}

fn go_live(store: &mut ReleaseStore, delta: Delta) -> Result<(u64, Timings)> {
    let mut timings = Timings::default();
    chain::write_delta(&store.disk, &delta)?;
    store.view.manifest.absorb(&delta);
    drop(delta);

    let standby = timed(&mut timings.wait, || Standby::take(store))?;
    let plan = plan(store, standby.tree)?;
    let touched = plan.steps.len() as u64;
    timed(&mut timings.apply, || bring(store, standby.tree, plan, &|| true))?;
    timed(&mut timings.sync, || prepare_flip(store, standby.tree))?;
    timed(&mut timings.flip, || flip(store, standby.tree))?;
    Ok((touched, timings))
}

fn timed<T>(time: &mut Duration, step: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = step();
    *time = start.elapsed();
    result
}

/// A tree that is not live, that no reader is in, and that no walker may enter while it is held.
struct Standby {
    tree: usize,
    _lock: OwnedFd,
}

impl Standby {
    fn take(store: &ReleaseStore) -> Result<Self> {
        let mut trees: Vec<usize> = (0..store.view.trees.len()).filter(|tree| *tree != store.view.live_tree).collect();
        trees.sort_by_key(|tree| store.view.trees[*tree].retired);
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
            wait_until_left(store, *tree);
            if let Some(standby) = Self::try_take(store, *tree)? {
                return Ok(Some(standby));
            }
        }
        Ok(None)
    }

    fn try_take(store: &ReleaseStore, tree: usize) -> Result<Option<Self>> {
        let name = tree::folder(tree);
        let lock = store.disk.open_folder(&name)?;
        let taken = try_lock(&lock).map_err(|reason| store.disk.failed("lock", &name, reason))?;
        Ok(taken.then_some(Self { tree, _lock: lock }))
    }
}

/// A reader that resolved `current` just before it moved opens its file a moment later.
fn wait_until_left(store: &ReleaseStore, tree: usize) {
    if let Some(retired) = store.view.trees[tree].retired {
        std::thread::sleep(store.options.grace.saturating_sub(retired.elapsed()));
    }
}

/// What must change in a tree so that it holds the live release of the view.
pub(crate) fn plan(store: &ReleaseStore, tree: usize) -> Result<Plan> {
    let live = store.view.live().id;
    let by_deltas = match store.view.trees[tree].state {
        TreeState::Clean(from) => plan_by_deltas(store, from, live, true),
        TreeState::Dirty { from, to } => plan_by_deltas(store, from, to.max(live), false),
        TreeState::Unknown => return reconcile::plan(&store.disk, tree, &store.view.manifest),
    };
    match by_deltas {
        // Deltas that a tree lags behind by may be gone: it was made later, or left behind for long.
        Err(Error::Damaged { .. }) => reconcile::plan(&store.disk, tree, &store.view.manifest),
        plan => plan,
    }
}

fn plan_by_deltas(store: &ReleaseStore, from: ReleaseId, to: ReleaseId, is_clean: bool) -> Result<Plan> {
    let mut plan = Plan { is_redo: !is_clean, ..Plan::default() };
    for (path, net) in chain::net_changes(&store.disk, from, to)? {
        let wanted = store.view.manifest.get(path.as_str());
        let step = match wanted.map(|wanted| ObjectName::of(path.as_str(), &wanted.content)) {
            _ if is_clean && !net.touches_bytes => continue,
            None if is_clean && net.before.is_none() => continue,
            None => Step::Remove,
            // Bytes that went and came back may have come as a new object.
            Some(object) if is_clean && net.has_other_bytes() => Step::Replace(object),
            Some(object) => Step::Add(object),
        };
        plan.steps.push((path.into(), step));
    }
    Ok(plan)
}

/// Carries a plan out. Tells whether it came to the end.
pub(crate) fn bring(
    store: &mut ReleaseStore,
    tree: usize,
    plan: Plan,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Result<bool> {
    let live = store.view.live().id;
    if !plan.is_empty() {
        let during = match store.view.trees[tree].state {
            TreeState::Clean(from) => TreeState::Dirty { from, to: live },
            TreeState::Dirty { from, to } => TreeState::Dirty { from, to: to.max(live) },
            TreeState::Unknown => TreeState::Unknown,
        };
        set_state(store, tree, during)?;
        plan.paths().for_each(|path| store.view.trees[tree].lacking.touch(path));
        if !plan.carry_out(&store.disk, tree, &store.view.manifest, go_on)? {
            return Ok(false);
        }
    }
    set_state(store, tree, TreeState::Clean(live))?;
    Ok(true)
}

pub(crate) fn set_state(store: &mut ReleaseStore, tree: usize, state: TreeState) -> Result<()> {
    if store.view.trees[tree].state != state {
        tree::write_state(&store.disk, tree, state)?;
        store.view.trees[tree].state = state;
    }
    Ok(())
}

/// All that the flip needs is durable after this, so that the flip itself is one name.
fn prepare_flip(store: &ReleaseStore, tree: usize) -> Result<()> {
    tree::replace_link(&store.disk, &tree::folder(tree), layout::NEXT)?;
    store.disk.sync_all()
}

/// Sends readers to another tree.
fn flip(store: &mut ReleaseStore, tree: usize) -> Result<()> {
    store.disk.rename(layout::NEXT, layout::CURRENT)?;
    let view = &mut store.view;
    view.trees[view.live_tree].retired = Some(Instant::now());
    view.live_tree = tree;
    store.disk.sync_root().map_err(|reason| Error::NotDurable {
        id: view.live().id,
        place: store.disk.path().to_owned(),
        reason,
    })
}

/// Makes the files of the live release live in another tree: for when those in the live tree are damaged.
pub(crate) fn move_to_other_tree(store: &mut ReleaseStore) -> Result<()> {
    let standby = Standby::take(store)?;
    let plan = reconcile::plan(&store.disk, standby.tree, &store.view.manifest)?;
    let damaged = store.view.live_tree;
    bring(store, standby.tree, plan, &|| true)?;
    prepare_flip(store, standby.tree)?;
    flip(store, standby.tree)?;
    set_state(store, damaged, TreeState::Unknown)
}

/// Brings trees that lag far behind up to date, so that the next release does not have to.
pub(crate) fn settle_trees(right: &mut Exclusive<'_>, go_on: &(dyn Fn() -> bool + Sync)) -> Result<()> {
    let store = &mut *right.store;
    for tree in (0..store.view.trees.len()).filter(|tree| *tree != store.view.live_tree).collect::<Vec<_>>() {
        let plan = plan(store, tree)?;
        if plan.steps.len() < LARGE_LAG && store.view.trees[tree].state != TreeState::Unknown {
            continue;
        }
        wait_until_left(store, tree);
        if let Some(_standby) = Standby::try_take(store, tree)?
            && !bring(store, tree, plan, go_on)?
        {
            break;
        }
    }
    Ok(())
}
