//! Putting a store in order after an interruption. What readers see is never touched: `current` is the truth, and what
//! was to come after it is undone.

use std::collections::HashSet;

use microblog_domain::ReleaseId;

use crate::activate;
use crate::chain;
use crate::disk::Disk;
use crate::entry::ObjectName;
use crate::error::{Error, Result};
use crate::layout;
use crate::objects;
use crate::prune;
use crate::reconcile;
use crate::salvage;
use crate::store::{Exclusive, ReleaseStore};
use crate::tree::TreeState;

/// What was put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired {
    /// The release that was about to go live when it was interrupted, if it had come so far. It is gone; what it was
    /// built from is still there to be built again.
    pub undone: Option<ReleaseId>,
    /// How many files were removed that no kept release names.
    pub swept: u64,
}

/// Undoes what was begun. Doing it again after an interruption does no harm.
pub(crate) fn repair(right: &mut Exclusive<'_>) -> Result<Repaired> {
    let store = &mut *right.store;
    let live = store.view.live().id;
    empty_tmp(&store.disk)?;
    store.disk.remove(layout::NEXT)?;
    let newest = chain::newest_delta(&store.disk)?;
    for tree in store.view.standby_trees() {
        // The delta that says how to undo it is about to go.
        let is_ahead = match store.view.trees[tree].state {
            TreeState::Clean(id) | TreeState::Dirty { to: id, .. } => id > live,
            TreeState::Unknown => false,
        };
        if is_ahead {
            undo(store, tree)?;
        }
    }
    chain::drop_above(&store.disk, live)?;
    let needed = needed_objects(right)?;
    let swept = objects::sweep(&right.store.disk, &needed)?;
    prune::note_all_swept(right.store)?;
    Ok(Repaired { undone: Some(newest).filter(|newest| *newest > live), swept })
}

/// What the kept releases name. Releases that can not be gone back to, for want of a manifest, are let go.
fn needed_objects(right: &mut Exclusive<'_>) -> Result<HashSet<ObjectName>> {
    let keep = right.store.options.keep;
    let kept = prune::promise(right.store, keep).and_then(|()| prune::needed_objects(right.store));
    match kept {
        Err(Error::Damaged { .. }) => {
            let store = &mut *right.store;
            store.view.oldest = store.view.live().id;
            store.view.unswept = None;
            salvage::let_go_of_history(&store.disk, store.view.oldest)?;
            prune::needed_objects(store)
        }
        kept => kept,
    }
}

/// Takes a tree back to the live release.
fn undo(store: &mut ReleaseStore, tree: usize) -> Result<()> {
    if let TreeState::Clean(ahead) = store.view.trees[tree].state {
        let from = store.view.live().id;
        activate::set_state(store, tree, TreeState::Dirty { from, to: ahead })?;
    }
    let plan = activate::plan(store, tree)?;
    activate::bring(store, tree, plan)
}

pub(crate) fn empty_tmp(disk: &Disk) -> Result<()> {
    for item in disk.list("tmp")?.unwrap_or_default() {
        disk.remove(&format!("tmp/{}", item.name))?;
    }
    Ok(())
}

/// After a power cut, only what is live is known to be on disk; the other trees must be compared before use.
pub(crate) fn distrust_trees(right: &mut Exclusive<'_>) -> Result<()> {
    let store = &mut *right.store;
    let live_tree = store.view.live_tree;
    for tree in store.view.standby_trees() {
        activate::set_state(store, tree, TreeState::Unknown)?;
    }
    let plan = reconcile::plan(&store.disk, live_tree, &store.view.manifest)?;
    plan.remove_strays(&store.disk, live_tree)?;
    if plan.wrong_names() > 0 {
        activate::move_to_other_tree(store)?;
    }
    if prune::lacks_history(store)? {
        prune::promise(store, 1)?;
    }
    Ok(())
}
