//! Removing what is no longer kept: releases that are too old, objects that only they name, manifests that nobody needs.
//!
//! A release that is too old is not offered any more from the next release on. Its objects go in rounds, as `sweep.rs` has
//! it, between which a publish gets its turn; a publish itself does no more of it than takes a moment.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use microblog_domain::ReleaseId;

use crate::base::Base;
use crate::chain;
use crate::crew;
use crate::entry::ObjectName;
use crate::error::Result;
use crate::layout;
use crate::store::ReleaseStore;
use crate::sweep::{Sweep, object};
use crate::tree::{self, GoOn};

/// With [`Effort::Little`], manifests larger than this wait to be looked through or written.
const LITTLE_BYTES: u64 = 1024 * 1024;
/// Writing a base looks up whether to go on after so many files.
const ASK_EVERY: usize = 1024;

/// How much may be done now.
#[derive(Clone, Copy)]
pub(crate) enum Effort<'a> {
    /// What takes a moment: an author may be waiting for the next release.
    Little,
    /// All that there is to do, as long as nobody waits.
    While(GoOn<'a>),
}

impl<'a> Effort<'a> {
    /// Whether to begin to go through so many bytes of manifest.
    fn allows(self, bytes: u64) -> bool {
        matches!(self, Self::While(_)) || bytes <= LITTLE_BYTES
    }

    /// Whether to go on through manifests.
    fn go_on(self) -> GoOn<'a> {
        match self {
            Self::Little => &|| true,
            Self::While(go_on) => go_on,
        }
    }

    /// Makes what was written durable: left for later, all of it would burden the next release. Nothing depends on it, so
    /// nobody who wants to publish waits for it.
    fn relieve_next_sync(self, store: &ReleaseStore) -> Result<()> {
        let Self::While(go_on) = self else { return Ok(()) };
        let disk = Arc::clone(&store.disk);
        crew::aside(move || disk.sync_all(), go_on).map(drop)
    }

    /// Whether to go on after a round of objects.
    fn another_round(self) -> GoOn<'a> {
        match self {
            Self::Little => &|| false,
            Self::While(go_on) => go_on,
        }
    }
}

/// Removes what is no longer kept and shortens the chain, as far as the effort allows. Tells whether nothing is left.
pub(crate) fn tidy(store: &mut ReleaseStore, effort: Effort<'_>) -> Result<bool> {
    let is_swept = keep_only(store, store.options.keep, effort)?;
    Ok(shorten_chain(store, effort)? && is_swept)
}

/// Lets go of all but the newest releases. Tells whether all that only they named is gone.
pub(crate) fn keep_only(store: &mut ReleaseStore, keep: usize, effort: Effort<'_>) -> Result<bool> {
    let from = store.view.swept();
    // First the promise, then the objects: a release that is offered can always be gone back to.
    promise(store, keep)?;
    let swept = sweep(store, from, effort)?;
    note_swept(store, swept)?;
    Ok(swept == store.view.oldest)
}

/// Offers no more than the newest releases from now on.
pub(crate) fn promise(store: &mut ReleaseStore, keep: usize) -> Result<()> {
    let live = store.view.live().id.0;
    let oldest = ReleaseId((live + 1).saturating_sub(keep as u64).max(store.view.oldest.0));
    if oldest != store.view.oldest {
        tree::replace_link(&store.disk, &oldest.to_string(), layout::OLDEST)?;
        store.view.oldest = oldest;
    }
    Ok(())
}

/// Removes the objects that only releases before the oldest name. Those before `from` were seen to; tells up to where
/// they are now.
fn sweep(store: &mut ReleaseStore, mut from: ReleaseId, effort: Effort<'_>) -> Result<ReleaseId> {
    let (live, oldest) = (store.view.live().id, store.view.oldest);
    while from < oldest {
        let begun = store.view.sweep.take().filter(|sweep| sweep.from() == from);
        let mut sweep = begun.unwrap_or_else(|| Sweep::new(from, oldest));
        let is_done = effort.allows(chain::delta_bytes(&store.disk, sweep.read(), live)?)
            && sweep.look(&store.disk, live, effort.go_on())?
            && sweep.remove(&store.disk, effort.another_round())?;
        if !is_done {
            store.view.sweep = Some(sweep);
            break;
        }
        from = sweep.up_to();
    }
    Ok(from)
}

/// Notes what was not swept, for whoever opens the store next.
fn note_swept(store: &mut ReleaseStore, swept: ReleaseId) -> Result<()> {
    let unswept = Some(swept).filter(|swept| *swept < store.view.oldest);
    if unswept != store.view.unswept {
        match unswept {
            Some(from) => tree::replace_link(&store.disk, &from.to_string(), layout::SWEPT)?,
            None => store.disk.remove(layout::SWEPT)?,
        }
        store.view.unswept = unswept;
    }
    Ok(())
}

/// Notes that no object is left that no kept release names.
pub(crate) fn note_all_swept(store: &mut ReleaseStore) -> Result<()> {
    store.view.sweep = None;
    note_swept(store, store.view.oldest)
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

/// Writes a base if one is due, and removes what nobody needs beside it. Tells whether nothing is left.
///
/// What a base stands for is removed only after the next release went live, which made the base durable: nobody has to
/// wait until it is.
fn shorten_chain(store: &mut ReleaseStore, effort: Effort<'_>) -> Result<bool> {
    let live = store.view.live().id;
    let is_due = chain::base_is_due(&store.disk, &store.view.manifest)?;
    if is_due && !write_base(store, effort)? {
        return Ok(false);
    }
    let base = store.view.manifest.base().id();
    if base < live {
        let needed_after = store.view.swept().min(store.view.oldest_in_trees().next());
        chain::prune(&store.disk, base, needed_after)?;
    }
    Ok(true)
}

/// Writes the full manifest of the live release, and reads from it from now on. Tells whether it came to the end.
fn write_base(store: &mut ReleaseStore, effort: Effort<'_>) -> Result<bool> {
    let (before, live) = (store.view.manifest.base(), store.view.live().id);
    if !effort.allows(before.size() as u64 + chain::delta_bytes(&store.disk, before.id(), live)?) {
        return Ok(false);
    }
    let (go_on, is_whole) = (effort.go_on(), Cell::new(true));
    let files = store.view.manifest.iter().enumerate().map_while(|(number, file)| {
        is_whole.set(number % ASK_EVERY != 0 || go_on());
        is_whole.get().then_some(file)
    });
    let base = Base::encode(store.view.live(), files);
    if is_whole.get() {
        chain::write_base(&store.disk, live, &base)?;
        store.view.manifest = chain::load(&store.disk, live)?;
        effort.relieve_next_sync(store)?;
    }
    Ok(is_whole.get())
}
