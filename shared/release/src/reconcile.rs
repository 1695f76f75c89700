//! Compares a tree with a manifest, file by file: for a tree whose state nobody knows, and for checking.
//!
//! A file is right if it is the very inode of its object, so nothing is read; a new, empty tree is only a tree with
//! everything missing.

use std::collections::HashSet;

use rustix::fs::FileType;

use crate::disk::{Disk, Item, Listing};
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::sibling;
use crate::tree::{self, GoOn, Plan, Put};

/// After so many names somebody who waits is heard: a millisecond of work.
const ASK_EVERY: usize = 256;

/// What must be done to make the tree hold exactly the manifest's files.
pub(crate) fn plan(disk: &Disk, tree: usize, manifest: &Manifest) -> Result<Plan> {
    let mut walk = Walk::new(tree);
    walk.go_on(disk, manifest, &|| true)?;
    Ok(walk.finish())
}

/// A comparison, as far as it has come. It may be broken off and taken up again while no one else changes the tree but to
/// bring it to a release. If others went live meanwhile, what they changed is still to be added to what it found.
#[derive(Debug)]
pub(crate) struct Walk {
    root: String,
    /// Folders of the tree that are still to be looked at, and the one that is being looked at.
    folders: Vec<String>,
    folder: Option<(String, Listing)>,
    /// After the tree, the manifest: from here on it is still to be looked at.
    missing_from: Option<String>,
    /// Paths that need nothing.
    right: HashSet<String>,
    plan: Plan,
}

impl Walk {
    pub(crate) fn new(tree: usize) -> Self {
        Self {
            root: tree::folder(tree),
            folders: vec![String::new()],
            folder: None,
            missing_from: Some(String::new()),
            right: HashSet::new(),
            plan: Plan::default(),
        }
    }

    /// Looks at every file, as long as `go_on` says yes. Tells whether it came to the end.
    pub(crate) fn go_on(&mut self, disk: &Disk, manifest: &Manifest, go_on: GoOn<'_>) -> Result<bool> {
        while go_on() {
            if !self.look_at_tree(disk, manifest)? && !self.look_for_missing(manifest) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was found, by a walk that came to the end.
    pub(crate) fn finish(self) -> Plan {
        self.plan
    }

    /// Looks at the next names of the tree. Tells whether there may be more.
    fn look_at_tree(&mut self, disk: &Disk, manifest: &Manifest) -> Result<bool> {
        for _ in 0..ASK_EVERY {
            let Some((folder, mut names)) = self.open_folder(disk)? else { return Ok(false) };
            let Some(item) = disk.next_item(&mut names)? else { continue };
            let path = if folder.is_empty() { item.name.clone() } else { format!("{folder}/{}", item.name) };
            self.folder = Some((folder, names));
            if item.kind != FileType::Directory {
                self.file(disk, manifest, path, &item)?;
                continue;
            }
            if !manifest.has_folder(&path) {
                self.plan.folders.insert(path.clone());
            }
            self.folders.push(path);
        }
        Ok(true)
    }

    /// The folder that is being looked at, or else the next one; nothing after the last.
    fn open_folder(&mut self, disk: &Disk) -> Result<Option<(String, Listing)>> {
        while self.folder.is_none()
            && let Some(folder) = self.folders.pop()
        {
            let place = if folder.is_empty() { self.root.clone() } else { format!("{}/{folder}", self.root) };
            self.folder = disk.open_listing(&place)?.map(|names| (folder, names));
        }
        Ok(self.folder.take())
    }

    fn file(&mut self, disk: &Disk, manifest: &Manifest, path: String, item: &Item) -> Result<()> {
        match manifest.get(&path) {
            None => self.stranger(disk, manifest, path, item)?,
            Some(entry) if is_right(disk, &path, &entry, item)? => {
                self.right.insert(path);
            }
            // Added below, with all that is missing.
            Some(_) => {}
        }
        Ok(())
    }

    /// What is no file of the release: the sibling of one, or something that should not be there.
    fn stranger(&mut self, disk: &Disk, manifest: &Manifest, path: String, item: &Item) -> Result<()> {
        let source = sibling::source(&path).and_then(|source| Some((source, manifest.get(source)?)));
        let Some((source, entry)) = source else {
            self.plan.remove.insert(path);
            return Ok(());
        };
        let right = disk.stat(&ObjectName::of(source, &entry.content).sibling_place())?;
        if right.is_none_or(|right| right.inode != item.inode) {
            self.plan.strays.push(path);
        }
        Ok(())
    }

    /// Looks at the next files of the manifest. Tells whether there are more.
    fn look_for_missing(&mut self, manifest: &Manifest) -> bool {
        let Some(from) = self.missing_from.take() else { return false };
        for (number, (path, entry)) in manifest.iter_from(&from).enumerate() {
            let path = String::from(path);
            if number == ASK_EVERY {
                self.missing_from = Some(path);
                return true;
            }
            if !self.right.contains(&path) {
                let object = ObjectName::of(&path, &entry.content);
                self.plan.put.insert(path, Put::Add(object));
            }
        }
        false
    }
}

fn is_right(disk: &Disk, path: &str, entry: &Entry, item: &Item) -> Result<bool> {
    let object = disk.stat(&ObjectName::of(path, &entry.content).place())?;
    Ok(object.is_some_and(|object| object.inode == item.inode && object.size == entry.size))
}
