//! The complete trees of hard links, one of which is live: what each of them holds, and how one is changed.
//!
//! Owns the folders `trees/` and `st/`. A tree's state is the target of a symbolic link, because that survives power
//! cuts that leave a small file empty.

use std::collections::{BTreeMap, BTreeSet};

use microblog_domain::ReleaseId;
use rayon::prelude::*;

use crate::disk::{Disk, Made};
use crate::entry::ObjectName;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::sibling;

/// After so many steps somebody who waits is heard: a few milliseconds of work.
const ROUND: usize = 128;
/// From so many steps on, several threads share a round.
const PARALLEL_FROM: usize = 64;
const CHUNK: usize = 16;

/// What a tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreeState {
    /// Exactly this release.
    Clean(ReleaseId),
    /// Some files of each release from the first to the last.
    Dirty {
        /// The release that it was.
        from: ReleaseId,
        /// The newest that any file may be of.
        to: ReleaseId,
    },
    /// Nobody knows: it must be compared file by file.
    Unknown,
}

impl TreeState {
    fn write(self) -> String {
        match self {
            Self::Clean(id) => format!("clean {id}"),
            Self::Dirty { from, to } => format!("dirty {from} {to}"),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    fn parse(text: &str) -> Self {
        let mut words = text.split(' ');
        let word = words.next();
        let mut number = || words.next().and_then(|number| number.parse().ok());
        match (word, number(), number()) {
            (Some("clean"), Some(id), None) => Self::Clean(id),
            (Some("dirty"), Some(from), Some(to)) => Self::Dirty { from, to },
            _ => Self::Unknown,
        }
    }
}

/// The folder of a tree, seen from the store's folder.
pub(crate) fn folder(tree: usize) -> String {
    format!("trees/{tree}")
}

pub(crate) fn read_state(disk: &Disk, tree: usize) -> Result<TreeState> {
    let text = disk.read_link(&format!("st/{tree}"))?;
    Ok(text.map_or(TreeState::Unknown, |text| TreeState::parse(&text)))
}

pub(crate) fn write_state(disk: &Disk, tree: usize, state: TreeState) -> Result<()> {
    replace_link(disk, &state.write(), &format!("st/{tree}"))
}

/// Points a symbolic link elsewhere, in one step.
pub(crate) fn replace_link(disk: &Disk, target: &str, name: &str) -> Result<()> {
    let draft = "tmp/link";
    if disk.symlink(target, draft)? != Made::New {
        disk.remove(draft)?;
        disk.symlink(target, draft)?;
    }
    disk.rename(draft, name)
}

/// How a file comes to its place in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// This object, where nothing is.
    Add(ObjectName),
    /// This object, where the same bytes were before: as this very file, or as an object that is gone.
    Restore(ObjectName),
    /// This object, in the place of another file.
    Replace(ObjectName),
}

/// What is still to be done until a tree holds a release. Carrying it out consumes it, so that it can be broken off and
/// resumed; and since doing any of it again does no harm, it can also be made anew after an interruption.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Files that go.
    pub(crate) remove: BTreeSet<String>,
    /// Folders that should not be there, as far as the removed files do not name them.
    pub(crate) folders: BTreeSet<String>,
    /// Files that come, or become others.
    pub(crate) put: BTreeMap<String, Put>,
    /// What looks like compressed siblings and is none. Removing these harms no reader.
    pub(crate) strays: Vec<String>,
    /// Whether it may have been begun before: then anything may lie where it adds files.
    pub(crate) is_redo: bool,
}

/// Whether to go on with work that nobody waits for: no as soon as somebody wants to publish.
pub(crate) type GoOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// What is done and asked between two rounds of work: whether to go on.
pub(crate) type Between<'a> = &'a mut dyn FnMut() -> Result<bool>;

impl Plan {
    /// How many names of the release are missing or wrong, or should not be there.
    pub(crate) fn wrong_names(&self) -> usize {
        self.remove.len() + self.folders.len() + self.put.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wrong_names() == 0 && self.strays.is_empty()
    }

    /// The files that it does something to.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.remove.iter().chain(self.put.keys()).chain(&self.strays).map(String::as_str)
    }

    /// Removes what looks like compressed siblings and is none; readers get the plain files.
    pub(crate) fn remove_strays(&self, disk: &Disk, tree: usize) -> Result<()> {
        let root = folder(tree);
        self.strays.iter().try_for_each(|path| disk.remove(&format!("{root}/{path}")))
    }

    /// Takes in what has to be done since, for a plan that was broken off.
    pub(crate) fn overrule(&mut self, newer: Self) {
        for path in newer.remove {
            self.put.remove(&path);
            self.remove.insert(path);
        }
        for (path, put) in newer.put {
            self.remove.remove(&path);
            self.put.insert(path, put);
        }
        self.folders.extend(newer.folders);
        self.is_redo |= newer.is_redo;
    }

    /// Carries the plan out, round by round, as long as `between` says to go on. Tells whether it came to the end.
    ///
    /// The files of `release`, which it leads to, keep their places; anything else that is named like a compressed sibling
    /// goes before the file that it belongs to.
    pub(crate) fn carry_out(
        &mut self,
        disk: &Disk,
        tree: usize,
        release: &Manifest,
        between: Between<'_>,
    ) -> Result<bool> {
        let root = folder(tree);
        self.remove_strays(disk, tree)?;
        self.strays.clear();
        // First what goes: a folder may have to make room for a file, and a file for a folder.
        let is_redo = self.is_redo;
        let clear = |path: &str, had_sibling: bool| {
            let mut names = siblings_in_the_way(path, had_sibling).filter(|name| release.get(name).is_none());
            names.try_for_each(|name| disk.remove(&format!("{root}/{name}")))
        };
        self.folders.extend(self.remove.iter().filter_map(|path| parent(path)).map(str::to_owned));
        let remove = |_, path: &String| clear(path, true).and_then(|()| disk.remove(&format!("{root}/{path}")));
        if !in_rounds(|| self.remove.pop_first(), remove, between)? {
            return Ok(false);
        }
        remove_emptied(disk, &root, &self.folders)?;
        self.folders.clear();
        let put = |chunk, (path, put): &(String, Put)| {
            let target = format!("{root}/{path}");
            match put {
                Put::Add(object) => clear(path, is_redo).and_then(|()| add(disk, *object, &target, chunk)),
                Put::Restore(object) => clear(path, true).and_then(|()| add(disk, *object, &target, chunk)),
                Put::Replace(object) => clear(path, true).and_then(|()| replace(disk, *object, &target, chunk)),
            }
        };
        in_rounds(|| self.put.pop_first(), put, between)
    }
}

/// What may lie in the tree and must not outlive a step: the sibling of what the file was before, and what is named like a
/// sibling where a folder is needed.
fn siblings_in_the_way(path: &str, had_sibling: bool) -> impl Iterator<Item = String> {
    let of_file = had_sibling.then(|| sibling::name(path));
    of_file.into_iter().chain(sibling::folders_named_so(path).map(str::to_owned))
}

/// Does each step, many at once on several threads, and asks after each round whether to go on. Neighbours stay
/// together, so that threads seldom meet in a folder.
fn in_rounds<T: Send + Sync>(
    mut next: impl FnMut() -> Option<T>,
    act: impl Fn(usize, &T) -> Result<()> + Sync,
    between: Between<'_>,
) -> Result<bool> {
    loop {
        let round: Vec<T> = std::iter::from_fn(&mut next).take(ROUND).collect();
        if round.len() < PARALLEL_FROM {
            round.iter().try_for_each(|step| act(0, step))?;
        } else {
            let chunks = round.par_chunks(CHUNK).enumerate();
            chunks.try_for_each(|(index, chunk)| chunk.iter().try_for_each(|step| act(index, step)))?;
        }
        if round.len() < ROUND {
            return Ok(true);
        }
        if !between()? {
            return Ok(false);
        }
    }
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// Removes folders that have nothing in them any more, and those above that become empty thereby.
fn remove_emptied(disk: &Disk, root: &str, folders: &BTreeSet<String>) -> Result<()> {
    // In reverse order a folder comes before the one that it lies in.
    for folder in folders.iter().rev() {
        let mut folder = Some(folder.as_str());
        while let Some(name) = folder
            && disk.remove_empty_folder(&format!("{root}/{name}"))?
        {
            folder = parent(name);
        }
    }
    Ok(())
}

fn add(disk: &Disk, object: ObjectName, target: &str, chunk: usize) -> Result<()> {
    let place = object.place();
    // `rename` of two names of one file does nothing and leaves both, and it is work that was done before.
    if link_with_folders(disk, &place, target)? == Made::Exists && !is_same_file(disk, &place, target)? {
        replace(disk, object, target, chunk)?;
    }
    Ok(())
}

fn is_same_file(disk: &Disk, one: &str, other: &str) -> Result<bool> {
    let inode = |name| Ok::<_, Error>(disk.stat(name)?.map(|stat| stat.inode));
    Ok(inode(one)? == inode(other)?)
}

fn replace(disk: &Disk, object: ObjectName, target: &str, chunk: usize) -> Result<()> {
    let temporary = temporary(chunk);
    let place = object.place();
    if disk.link(&place, &temporary)? == Made::Exists {
        disk.remove(&temporary)?;
        disk.link(&place, &temporary)?;
    }
    disk.rename(&temporary, target)
}

fn temporary(chunk: usize) -> String {
    format!("tmp/l-{chunk}")
}

/// Makes a second name for a file, with the folders that it needs.
pub(crate) fn link_with_folders(disk: &Disk, place: &str, target: &str) -> Result<Made> {
    let made = disk.link(place, target)?;
    if made != Made::Missing {
        return Ok(made);
    }
    make_folders(disk, parent(target).unwrap_or_default())?;
    let made = disk.link(place, target)?;
    if made == Made::Missing {
        return Err(Error::Damaged { place: disk.place(place), reason: "it is missing".to_owned() });
    }
    Ok(made)
}

fn make_folders(disk: &Disk, folder: &str) -> Result<()> {
    if disk.make_folder(folder)? == Made::Missing
        && let Some(above) = parent(folder)
    {
        make_folders(disk, above)?;
        disk.make_folder(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written_and_anything_else_is_unknown() {
        for state in [
            TreeState::Clean(ReleaseId(17)),
            TreeState::Dirty { from: ReleaseId(16), to: ReleaseId(18) },
            TreeState::Unknown,
        ] {
            assert_eq!(TreeState::parse(&state.write()), state);
        }
        for text in ["", "clean", "clean x", "clean 1 2", "dirty 1", "\0\0\0"] {
            assert_eq!(TreeState::parse(text), TreeState::Unknown, "{text:?}");
        }
    }
}
