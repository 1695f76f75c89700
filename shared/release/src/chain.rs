//! The chain of manifests on disk: `m/base-N` now and then, `m/d-N` for each release.
//!
//! Owns the folder `m/`. The chain says what each release *is*; which one is live, only `current` says. A delta above
//! the live release belongs to an interrupted publish and counts for nothing.

use std::collections::BTreeMap;

use microblog_domain::{FilePath, ReleaseId};

use crate::base::Base;
use crate::codec::CodecError;
use crate::delta::{Change, Delta};
use crate::disk::{Disk, Made};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::release::Release;

/// A new base is due after so many deltas, or when they are larger than a base; opening then stays cheap.
const MOST_DELTAS: u64 = 500;
const LEAST_BYTES: u64 = 256 * 1024;
/// So many deltas are removed with each release, at most: more than it adds.
const ROUND: usize = 16;

fn delta_name(id: ReleaseId) -> String {
    format!("m/d-{id}")
}

fn base_name(id: ReleaseId) -> String {
    format!("m/base-{id}")
}

/// The manifest of a release, from the newest base at or below it and the deltas between.
pub(crate) fn load(disk: &Disk, live: ReleaseId) -> Result<Manifest> {
    let mut manifest = Manifest::new(newest_base(disk, live)?);
    for id in between(manifest.base().id(), live) {
        manifest.absorb(&read_delta(disk, id)?);
    }
    Ok(manifest)
}

/// The manifest of a kept release before the live one: what is live, with what changed since taken back.
pub(crate) fn load_earlier(disk: &Disk, live: ReleaseId, release: Release) -> Result<Manifest> {
    let mut manifest = load(disk, live)?;
    let since = net_changes(disk, release.id, live)?;
    let changes = since.into_iter().map(|(path, net)| Change { path, before: net.after, after: net.before }).collect();
    manifest.absorb(&Delta { release, changes });
    Ok(manifest)
}

/// The releases after `from`, up to and with `to`.
pub(crate) fn between(from: ReleaseId, to: ReleaseId) -> impl DoubleEndedIterator<Item = ReleaseId> {
    (from.0 + 1..=to.0).map(ReleaseId)
}

/// A damaged base is passed over: an older one leads to the same release as long as its deltas are there.
fn newest_base(disk: &Disk, live: ReleaseId) -> Result<Base> {
    let mut ids = numbered(disk, "base-")?;
    ids.retain(|id| *id <= live);
    for id in ids.into_iter().rev() {
        if let Some(file) = disk.read(&base_name(id))?
            && let Ok(base) = Base::decode(&file)
            && base.id() == id
        {
            return Ok(base);
        }
    }
    Ok(Base::empty())
}

/// Reads the delta that leads to a release.
pub(crate) fn read_delta(disk: &Disk, id: ReleaseId) -> Result<Delta> {
    let name = delta_name(id);
    let damaged = |reason: String| Error::Damaged { place: disk.place(&name), reason };
    let file = disk.read(&name)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
    let delta = Delta::decode(&file).map_err(|error| damaged(error.to_string()))?;
    if delta.id() != id {
        return Err(damaged(CodecError::Content.to_string()));
    }
    Ok(delta)
}

/// What is known about a release, from its delta, or from its base if that is all there is.
pub(crate) fn read_release(disk: &Disk, id: ReleaseId) -> Result<Release> {
    let base = || disk.read(&base_name(id)).ok().flatten().and_then(|file| Base::decode(&file).ok());
    read_delta(disk, id)
        .map(|delta| delta.release)
        .or_else(|error| base().map(|base| base.release().clone()).ok_or(error))
}

/// Writes the delta of a release that is about to become live.
pub(crate) fn write_delta(disk: &Disk, delta: &Delta) -> Result<()> {
    write(disk, &delta_name(delta.id()), &delta.encode())
}

fn write(disk: &Disk, name: &str, file: &[u8]) -> Result<()> {
    let draft = "tmp/manifest";
    if disk.create(draft, file, None)? != Made::New {
        disk.remove(draft)?;
        disk.create(draft, file, None)?;
    }
    disk.rename(draft, name)
}

/// What several deltas did to a path, taken together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetChange {
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
    /// Whether any of them changed the bytes, be it that a later one changed them back.
    pub(crate) touches_bytes: bool,
}

impl NetChange {
    /// Whether there is a file before and after, and the two differ.
    pub(crate) fn has_other_bytes(&self) -> bool {
        self.before.zip(self.after).is_some_and(|(before, after)| !before.same_bytes(&after))
    }
}

/// What the deltas after `from`, up to and with `to`, did to each path.
pub(crate) fn net_changes(disk: &Disk, from: ReleaseId, to: ReleaseId) -> Result<BTreeMap<FilePath, NetChange>> {
    let mut net: BTreeMap<FilePath, NetChange> = BTreeMap::new();
    for id in between(from, to) {
        for change in read_delta(disk, id)?.changes {
            let touches_bytes = change.touches_bytes();
            let Change { path, before, after } = change;
            let net = net.entry(path).or_insert(NetChange { before, after, touches_bytes });
            net.after = after;
            net.touches_bytes |= touches_bytes;
        }
    }
    Ok(net)
}

/// Whether opening has become slow for want of a newer base.
pub(crate) fn base_is_due(disk: &Disk, manifest: &Manifest) -> Result<bool> {
    let (base, live) = (manifest.base(), manifest.release().id);
    let most_bytes = (base.size() as u64).max(LEAST_BYTES);
    let has_many = live.0 - base.id().0 >= MOST_DELTAS;
    Ok(has_many || delta_bytes(disk, base.id(), live)? > most_bytes)
}

/// How large the deltas after `from` are, up to and with `to`; those that are gone do not count.
pub(crate) fn delta_bytes(disk: &Disk, from: ReleaseId, to: ReleaseId) -> Result<u64> {
    between(from, to).map(|id| Ok(delta_size(disk, id)?.unwrap_or(0))).sum()
}

/// How large the deltas after `from` are, up to and with `to`, where any size above `most` is as good as another;
/// nothing if one of them is gone.
pub(crate) fn delta_bytes_up_to(disk: &Disk, from: ReleaseId, to: ReleaseId, most: u64) -> Result<Option<u64>> {
    let mut bytes = 0;
    for id in between(from, to) {
        let Some(size) = delta_size(disk, id)? else { return Ok(None) };
        bytes += size;
        if bytes > most {
            break;
        }
    }
    Ok(Some(bytes))
}

fn delta_size(disk: &Disk, id: ReleaseId) -> Result<Option<u64>> {
    Ok(disk.stat(&delta_name(id))?.map(|stat| stat.size))
}

/// Writes the full manifest of a release. It must be durable before any delta below it may go.
pub(crate) fn write_base(disk: &Disk, id: ReleaseId, base: &[u8]) -> Result<()> {
    write(disk, &base_name(id), base)
}

/// Removes what is newer than a release: their numbers will be given again.
pub(crate) fn forget_after(disk: &Disk, id: ReleaseId) -> Result<()> {
    for newer in numbered(disk, "base-")?.into_iter().filter(|newer| *newer > id) {
        disk.remove(&base_name(newer))?;
    }
    for newer in numbered(disk, "d-")?.into_iter().filter(|newer| *newer > id) {
        disk.remove(&delta_name(newer))?;
    }
    Ok(())
}

/// Removes the bases and deltas that nothing needs: not the live release, not one to go back to, not a tree that lags. The
/// oldest come first; if they are many, the others wait for the next release: whoever publishes once in five hundred times
/// does not pay for all of them.
pub(crate) fn prune(disk: &Disk, base: ReleaseId, needed_after: ReleaseId) -> Result<()> {
    for id in numbered(disk, "base-")?.into_iter().filter(|id| *id < base) {
        disk.remove(&base_name(id))?;
    }
    for id in numbered(disk, "d-")?.into_iter().filter(|id| *id <= base && *id < needed_after).take(ROUND) {
        disk.remove(&delta_name(id))?;
    }
    Ok(())
}

/// Removes what an interrupted publish left: deltas and bases above the live release.
pub(crate) fn drop_above(disk: &Disk, live: ReleaseId) -> Result<()> {
    for id in numbered(disk, "d-")?.into_iter().filter(|id| *id > live) {
        disk.remove(&delta_name(id))?;
    }
    Ok(())
}

/// The highest release that has a delta, live or not.
pub(crate) fn newest_delta(disk: &Disk) -> Result<ReleaseId> {
    Ok(numbered(disk, "d-")?.last().copied().unwrap_or_default())
}

/// The highest release that has a delta or a base, live or not.
pub(crate) fn newest(disk: &Disk) -> Result<ReleaseId> {
    Ok(newest_delta(disk)?.max(numbered(disk, "base-")?.last().copied().unwrap_or_default()))
}

/// The numbers behind a prefix in `m/`, in order.
fn numbered(disk: &Disk, prefix: &str) -> Result<Vec<ReleaseId>> {
    let items = disk.list("m")?.unwrap_or_default();
    let number = |name: &str| name.strip_prefix(prefix)?.parse().ok();
    let mut ids: Vec<ReleaseId> = items.iter().filter_map(|item| number(&item.name)).collect();
    ids.sort_unstable();
    Ok(ids)
}
