//! The complete trees of hard links, one of which is live: what each of them holds, and how one is changed.
//!
//! Owns the folders `trees/` and `st/`. A tree's state is the target of a symbolic link, because that survives power
//! cuts that leave a small file empty.

use std::collections::BTreeSet;

use microblog_domain::ReleaseId;
use rayon::prelude::*;

use crate::disk::{Disk, Made};
use crate::entry::ObjectName;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::sibling;

/// From so many steps on, several threads share the work.
const PARALLEL_FROM: usize = 1_024;
const CHUNK: usize = 256;

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

/// What is to become of one path of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Not there any more.
    Remove,
    /// This object; most likely nothing is there yet.
    Add(ObjectName),
    /// This object, in the place of another file.
    Replace(ObjectName),
}

/// The steps that bring a tree to a release.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Each path and what is to become of it, sorted by path.
    pub(crate) steps: Vec<(String, Step)>,
    /// Folders that should not be there, as far as the removed files do not name them.
    pub(crate) folders: BTreeSet<String>,
    /// What looks like compressed siblings and is none. Removing these harms no reader.
    pub(crate) strays: Vec<String>,
    /// Whether it may have been begun before: then anything may lie where it adds files.
    pub(crate) is_redo: bool,
}

impl Plan {
    /// How many names of the release are missing or wrong, or should not be there.
    pub(crate) fn wrong_names(&self) -> usize {
        self.steps.len() + self.folders.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wrong_names() == 0 && self.strays.is_empty()
    }

    /// The files that it does something to.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|(path, _)| path).chain(&self.strays).map(String::as_str)
    }

    /// Removes what looks like compressed siblings and is none; readers get the plain files.
    pub(crate) fn remove_strays(&self, disk: &Disk, tree: usize) -> Result<()> {
        let root = folder(tree);
        self.strays.iter().try_for_each(|path| disk.remove(&format!("{root}/{path}")))
    }

    /// Carries the plan out, unless `go_on` says no in between. Doing it again does no harm, so it can be resumed after
    /// an interruption. Tells whether it came to the end.
    ///
    /// The files of `release`, which it leads to, keep their places; anything else that is named like a compressed sibling
    /// goes before the file that it belongs to.
    pub(crate) fn carry_out(
        mut self,
        disk: &Disk,
        tree: usize,
        release: &Manifest,
        go_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool> {
        let root = folder(tree);
        self.remove_strays(disk, tree)?;
        // First what goes: a folder may have to make room for a file, and a file for a folder.
        let went_on = in_chunks(&self.steps, go_on, |_, (path, step)| {
            let mut names = self.siblings_in_the_way(path, *step).filter(|name| release.get(name).is_none());
            names.try_for_each(|name| disk.remove(&format!("{root}/{name}")))?;
            match step {
                Step::Remove => disk.remove(&format!("{root}/{path}")),
                Step::Add(_) | Step::Replace(_) => Ok(()),
            }
        })?;
        if !went_on {
            return Ok(false);
        }
        let removed = self.steps.iter().filter(|(_, step)| *step == Step::Remove);
        self.folders.extend(removed.filter_map(|(path, _)| parent(path)).map(str::to_owned));
        remove_emptied(disk, &root, &self.folders)?;
        in_chunks(&self.steps, go_on, |chunk, (path, step)| {
            let target = format!("{root}/{path}");
            match step {
                Step::Remove => Ok(()),
                Step::Add(object) => add(disk, *object, &target, chunk),
                Step::Replace(object) => replace(disk, *object, &target, chunk),
            }
        })
    }

    /// What may lie in the tree and must not outlive a step: the sibling of what the file was before, and what is named like
    /// a sibling where a folder is needed.
    fn siblings_in_the_way(&self, path: &str, step: Step) -> impl Iterator<Item = String> {
        let had_one = self.is_redo || !matches!(step, Step::Add(_));
        let of_file = had_one.then(|| sibling::name(path));
        of_file.into_iter().chain(sibling::folders_named_so(path).map(str::to_owned))
    }
}

/// Does each step, on several threads if there are many. Neighbours stay together, so that threads seldom meet in a
/// folder.
fn in_chunks(
    steps: &[(String, Step)],
    go_on: &(dyn Fn() -> bool + Sync),
    act: impl Fn(usize, &(String, Step)) -> Result<()> + Sync,
) -> Result<bool> {
    let chunk = |(index, chunk): (usize, &[(String, Step)])| {
        if !go_on() {
            return Ok(false);
        }
        chunk.iter().try_for_each(|step| act(index, step)).map(|()| true)
    };
    if steps.len() < PARALLEL_FROM {
        return chunk((0, steps));
    }
    let done: Result<Vec<bool>> = steps.par_chunks(CHUNK).enumerate().map(chunk).collect();
    Ok(done?.into_iter().all(|done| done))
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
    if link_with_folders(disk, &object.place(), target)? == Made::Exists {
        replace(disk, object, target, chunk)?;
        // If both names were the same file already, `rename` did nothing and left the temporary one.
        disk.remove(&temporary(chunk))?;
    }
    Ok(())
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
