//! Gives the files of the live tree their compressed siblings, in the background, after a release went live.
//!
//! Each object is compressed once; its sibling lies beside it in `objects/` and is linked into each tree while that tree is
//! live. A sibling is durable before it has a name that anybody reads, so neither a kill nor a power cut leaves half of one.
//! What brings a tree to another release removes the siblings of what it touches (`tree.rs`). So a sibling that is there is
//! always right, and one that is missing costs readers nothing but bytes.

mod unplaced;

use std::ops::ControlFlow;
use std::sync::Arc;

use microblog_domain::ReleaseId;

use crate::crew::{self, Job};
use crate::disk::Disk;
use crate::entry::ObjectName;
use crate::error::Result;
use crate::lacking::Portion;
use crate::lock::Locked;
use crate::sibling;
use crate::store::{ReleaseStore, Tidied};
use crate::tree::{self, GoOn};
use unplaced::Unplaced;

/// What is left of a small disk, as one of so many parts, is not for a cache.
const RESERVE: u64 = 20;

/// More than these, bytes and names, are for everybody, however large the disk: some dozens of releases.
const RESERVE_BYTES: u64 = 1 << 30;
const RESERVE_INODES: u64 = 100_000;

/// What was found out about a portion of the live tree.
struct Round {
    tree: usize,
    release: ReleaseId,
    portion: Portion,
}

/// Goes on until every file of the live tree has its sibling, or `go_on` says no. The right to change the store is held for
/// moments only; neither compressing nor waiting for the disk needs it.
pub(crate) fn fill(store: &mut ReleaseStore, go_on: GoOn<'_>) -> Result<Tidied> {
    let mut done: Option<(Round, Unplaced)> = None;
    loop {
        let right = store.exclusive()?;
        // Somebody who reads the whole tree under a lease finds the same names at the end as at the beginning.
        let Some(quiet) = lock_live_tree(right.store)? else { return Ok(Tidied::Later) };
        if let Some((round, made)) = done.take() {
            put_round(right.store, &round, made)?;
        }
        let (round, jobs) = match next_round(right.store, go_on)? {
            ControlFlow::Continue(round) => round,
            ControlFlow::Break(tidied) => return Ok(tidied),
        };
        drop((quiet, right));
        let Some(made) = crew::compress(jobs, go_on)? else { return Ok(Tidied::BrokenOff) };
        let disk = Arc::clone(&store.disk);
        let Some(made) = crew::aside(|| Unplaced::write(disk, made), go_on)? else { return Ok(Tidied::BrokenOff) };
        done = Some((round, made));
    }
}

fn lock_live_tree(store: &ReleaseStore) -> Result<Option<Locked>> {
    Locked::alone(&store.disk, &tree::folder(store.view.live_tree))
}

/// Links the siblings that exist, until some have to be made; or says why there is no such round.
fn next_round(store: &mut ReleaseStore, go_on: GoOn<'_>) -> Result<ControlFlow<Tidied, (Round, Vec<Job>)>> {
    let tree = store.view.live_tree;
    while let Some(portion) = store.view.trees[tree].lacking.portion(&store.view.manifest) {
        if !go_on() {
            return Ok(ControlFlow::Break(Tidied::BrokenOff));
        }
        let jobs = jobs(&store.disk, tree, &portion)?;
        if jobs.is_empty() {
            store.view.trees[tree].lacking.done(&portion);
            continue;
        }
        if !has_room(&store.disk)? {
            return Ok(ControlFlow::Break(Tidied::Later));
        }
        return Ok(ControlFlow::Continue((Round { tree, release: store.view.live().id, portion }, jobs)));
    }
    Ok(ControlFlow::Break(Tidied::Done))
}

/// Which files of a portion have to be compressed; the siblings of the others are there, now if not before.
fn jobs(disk: &Disk, tree: usize, portion: &Portion) -> Result<Vec<Job>> {
    let root = tree::folder(tree);
    let mut jobs = Vec::new();
    for (path, entry) in &portion.files {
        let target = sibling::name(&format!("{root}/{path}"));
        if disk.stat(&target)?.is_some() {
            continue;
        }
        let object = ObjectName::of(path.as_str(), &entry.content);
        if disk.stat(&object.sibling_place())?.is_some() {
            disk.link(&object.sibling_place(), &target)?;
        } else {
            jobs.push(Job { path: path.to_string(), object, place: disk.place(&object.place()) });
        }
    }
    Ok(jobs)
}

/// A cache must not take the room that the next release needs.
fn has_room(disk: &Disk) -> Result<bool> {
    let space = disk.space()?;
    let bytes = (space.total_bytes / RESERVE).min(RESERVE_BYTES);
    let inodes = (space.total_inodes / RESERVE).min(RESERVE_INODES);
    Ok(space.free_bytes >= bytes && space.free_inodes >= inodes)
}

/// Puts what was compressed in its place, unless another release went live meanwhile.
fn put_round(store: &mut ReleaseStore, round: &Round, made: Unplaced) -> Result<()> {
    let view = &mut store.view;
    if (view.live_tree, view.live().id) == (round.tree, round.release) && made.place(round.tree)? {
        view.trees[round.tree].lacking.done(&round.portion);
    }
    Ok(())
}
