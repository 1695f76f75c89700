//! Going live: the one way in which a release becomes the one that readers see, whether built or gone back to.
//!
//! 1. write the delta; 2. take a tree that no reader is in; 3. bring it to the new release; 4. make all of it durable;
//! 5. move `current`. The last step is the commit: until then everything is undone by an interruption, from then on
//!    nothing is.
//!
//! Which tree is taken, and how the others are kept close, says `standby.rs`.

use std::time::{Duration, Instant};

use crate::chain;
use crate::delta::Delta;
use crate::entry::ObjectName;
use crate::error::{Error, Result};
use crate::layout;
use crate::prune::{self, Effort};
use crate::reconcile;
use crate::release::Release;
use crate::standby::{self, Standby};
use crate::store::{Exclusive, ReleaseStore, Timings};
use crate::tree::{self, GoOn, Plan, Put, TreeState};
use crate::view::View;
use microblog_domain::ReleaseId;

/// Planning looks up whether to go on after so many files.
const ASK_EVERY: usize = 256;

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
            let _ = prune::tidy(right.store, Effort::Little).and_then(|_| right.finish());
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
    let touched = (plan.remove.len() + plan.put.len()) as u64;
    timed(&mut timings.apply, || bring(store, standby.tree, plan))?;
    timed(&mut timings.spare, || standby::keep_a_spare(store, standby.tree))?;
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

/// What must change in a tree so that it holds the live release of the view.
pub(crate) fn plan(store: &ReleaseStore, tree: usize) -> Result<Plan> {
    match plan_by_state(store, tree, &|| true)? {
        Planned::Plan(plan) => Ok(plan),
        Planned::BrokenOff => Ok(Plan::default()),
        Planned::NotKnown => reconcile::plan(&store.disk, tree, &store.view.manifest),
    }
}

/// What the state of a tree and the deltas told.
pub(crate) enum Planned {
    /// What must change.
    Plan(Plan),
    /// Nothing, as somebody wants to publish.
    BrokenOff,
    /// Nothing: the tree must be compared file by file.
    NotKnown,
}

/// What must change in a tree so that it holds the live release of the view, as far as that is written down.
pub(crate) fn plan_by_state(store: &ReleaseStore, tree: usize, go_on: GoOn<'_>) -> Result<Planned> {
    let live = store.view.live().id;
    let by_deltas = match store.view.trees[tree].state {
        TreeState::Clean(from) => plan_by_deltas(store, from, live, true, go_on),
        TreeState::Dirty { from, to } => plan_by_deltas(store, from, to.max(live), false, go_on),
        TreeState::Unknown => return Ok(Planned::NotKnown),
    };
    match by_deltas {
        // Deltas that a tree lags behind by may be gone: it was made later, or left behind for long.
        Err(Error::Damaged { .. }) => Ok(Planned::NotKnown),
        plan => Ok(plan?.map_or(Planned::BrokenOff, Planned::Plan)),
    }
}

/// What the deltas between two releases say about a tree that is exactly the first, or somewhere between them.
pub(crate) fn plan_by_deltas(
    store: &ReleaseStore,
    from: ReleaseId,
    to: ReleaseId,
    is_clean: bool,
    go_on: GoOn<'_>,
) -> Result<Option<Plan>> {
    let mut plan = Plan { is_redo: !is_clean, ..Plan::default() };
    for (number, (path, net)) in chain::net_changes(&store.disk, from, to)?.into_iter().enumerate() {
        if number % ASK_EVERY == 0 && !go_on() {
            return Ok(None);
        }
        let wanted = store.view.manifest.get(path.as_str());
        let put = match wanted.map(|wanted| ObjectName::of(path.as_str(), &wanted.content)) {
            _ if is_clean && !net.touches_bytes => continue,
            None if is_clean && net.before.is_none() => continue,
            None => {
                plan.remove.insert(path.into());
                continue;
            }
            Some(object) if is_clean && net.has_other_bytes() => Put::Replace(object),
            Some(object) if net.before.is_some() => Put::Restore(object),
            Some(object) => Put::Add(object),
        };
        plan.put.insert(path.into(), put);
    }
    Ok(Some(plan))
}

/// Brings a tree to the live release of the view.
pub(crate) fn bring(store: &mut ReleaseStore, tree: usize, mut plan: Plan) -> Result<()> {
    let live = store.view.live().id;
    begin_bringing(store, tree, &plan, live)?;
    plan.carry_out(&store.disk, tree, &store.view.manifest, &mut || Ok(true))?;
    set_state(store, tree, TreeState::Clean(live))
}

/// Notes that a tree is about to hold some files of each release up to this one.
pub(crate) fn begin_bringing(store: &mut ReleaseStore, tree: usize, plan: &Plan, up_to: ReleaseId) -> Result<()> {
    let during = match store.view.trees[tree].state {
        state if plan.is_empty() => state,
        TreeState::Clean(from) => TreeState::Dirty { from, to: up_to },
        TreeState::Dirty { from, to } => TreeState::Dirty { from, to: to.max(up_to) },
        TreeState::Unknown => TreeState::Unknown,
    };
    set_state(store, tree, during)?;
    plan.paths().for_each(|path| store.view.trees[tree].lacking.touch(path));
    Ok(())
}

pub(crate) fn set_state(store: &mut ReleaseStore, tree: usize, state: TreeState) -> Result<()> {
    store.view.trees[tree].rest = None;
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
    bring(store, standby.tree, plan)?;
    prepare_flip(store, standby.tree)?;
    flip(store, standby.tree)?;
    set_state(store, damaged, TreeState::Unknown)
}
