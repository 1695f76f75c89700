//! Removing what is no longer kept: releases that are too old, objects that only they name, manifests that nobody needs.

use std::collections::HashSet;

use microblog_domain::ReleaseId;

use crate::chain;
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::layout;
use crate::store::{Exclusive, ReleaseStore};
use crate::tree;

/// With [`Effort::Little`], manifests larger than this wait to be looked through.
const LITTLE_BYTES: u64 = 1024 * 1024;

/// How much may be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What takes a moment: an author may be waiting for the next release.
    Little,
    /// All that there is to do.
    Whatever,
}

/// Removes what is no longer kept and shortens the chain, as far as the effort allows.
pub(crate) fn tidy(right: &mut Exclusive<'_>, effort: Effort) -> Result<()> {
    keep_only(right, right.store.options.keep, effort)?;
    shorten_chain(right.store, effort)
}

/// Lets go of all but the newest releases.
pub(crate) fn keep_only(right: &mut Exclusive<'_>, keep: usize, effort: Effort) -> Result<()> {
    let store = &mut *right.store;
    let live = store.view.live().id.0;
    let target = ReleaseId((live + 1).saturating_sub(keep as u64).max(store.view.oldest.0));
    if target == store.view.oldest {
        return Ok(());
    }
    let overdue = live - store.view.oldest.0 > 2 * keep as u64;
    if effort == Effort::Little && !overdue && manifest_bytes(store)? > LITTLE_BYTES {
        return Ok(());
    }
    let unneeded = unneeded_objects(store, target)?;
    // First the promise, then the objects: a release that is offered can always be gone back to.
    tree::replace_link(&store.disk, &target.to_string(), layout::OLDEST)?;
    store.view.oldest = target;
    for object in unneeded {
        store.disk.remove(&object.place())?;
        store.disk.remove(&object.sibling_place())?;
    }
    Ok(())
}

/// How much there is to look through.
fn manifest_bytes(store: &ReleaseStore) -> Result<u64> {
    chain::delta_bytes(&store.disk, store.view.oldest, store.view.live().id)
}

/// The objects that only releases before `oldest` name.
fn unneeded_objects(store: &ReleaseStore, oldest: ReleaseId) -> Result<HashSet<ObjectName>> {
    let mut unneeded = HashSet::new();
    for id in chain::between(store.view.oldest, store.view.live().id) {
        for change in &chain::read_delta(&store.disk, id)?.changes {
            let path = change.path.as_str();
            if id <= oldest {
                unneeded.extend(object(path, change.before));
            }
            // What went away may have come back.
            if let Some(name) = object(path, change.after) {
                unneeded.remove(&name);
            }
        }
    }
    Ok(unneeded)
}

fn object(path: &str, entry: Option<Entry>) -> Option<ObjectName> {
    entry.map(|entry| ObjectName::of(path, &entry.content))
}

/// Every object that a kept release names.
pub(crate) fn needed_objects(store: &ReleaseStore) -> Result<HashSet<ObjectName>> {
    let mut needed: HashSet<ObjectName> =
        store.view.manifest.iter().map(|(path, entry)| ObjectName::of(path.as_str(), &entry.content)).collect();
    for id in chain::between(store.view.oldest, store.view.live().id) {
        let delta = chain::read_delta(&store.disk, id)?;
        needed.extend(delta.changes.iter().filter_map(|change| object(change.path.as_str(), change.before)));
    }
    Ok(needed)
}

/// Whether anything is missing of the releases that are offered: a power cut may have kept what was removed from being
/// offered less surely than its removal.
pub(crate) fn lacks_history(store: &ReleaseStore) -> Result<bool> {
    for object in needed_objects(store)? {
        if store.disk.stat(&object.place())?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn shorten_chain(store: &mut ReleaseStore, effort: Effort) -> Result<()> {
    let patience = match effort {
        Effort::Whatever => 1,
        Effort::Little => 2,
    };
    if chain::base_is_due(&store.disk, &store.view.manifest, patience)? {
        chain::write_base(&store.disk, store.view.live(), store.view.manifest.iter())?;
        store.view.manifest = chain::load(&store.disk, store.view.live().id)?;
    }
    let needed_after = store.view.oldest.min(store.view.oldest_in_trees().next());
    chain::prune(&store.disk, store.view.manifest.base().id(), needed_after)
}
