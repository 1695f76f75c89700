//! Compares a tree with a manifest, file by file: for a tree whose state nobody knows, and for checking.
//!
//! A file is right if it is the very inode of its object, so nothing is read; a new, empty tree is only a tree with
//! everything missing.

use std::collections::{BTreeSet, HashSet};

use rustix::fs::FileType;

use crate::disk::{Disk, Item};
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::sibling;
use crate::tree::{self, GoOn, Plan, Put};

/// What must be done to make the tree hold exactly the manifest's files.
pub(crate) fn plan(disk: &Disk, tree: usize, manifest: &Manifest) -> Result<Plan> {
    Ok(plan_while(disk, tree, manifest, &|| true)?.unwrap_or_default())
}

/// The same, for those who can be told to stop; nothing if they were.
pub(crate) fn plan_while(disk: &Disk, tree: usize, manifest: &Manifest, go_on: GoOn<'_>) -> Result<Option<Plan>> {
    let mut walk = Walk { disk, manifest, root: tree::folder(tree), right: HashSet::new(), plan: Plan::default() };
    Ok(walk.everything(go_on)?.then(|| walk.finish()))
}

struct Walk<'a> {
    disk: &'a Disk,
    manifest: &'a Manifest,
    root: String,
    /// Paths that need nothing.
    right: HashSet<String>,
    plan: Plan,
}

impl Walk<'_> {
    /// Looks at every file. Tells whether it came to the end.
    fn everything(&mut self, go_on: GoOn<'_>) -> Result<bool> {
        let mut open = vec![String::new()];
        while let Some(folder) = open.pop() {
            if !go_on() {
                return Ok(false);
            }
            let place = if folder.is_empty() { self.root.clone() } else { format!("{}/{folder}", self.root) };
            for item in self.disk.list(&place)?.unwrap_or_default() {
                let path = if folder.is_empty() { item.name.clone() } else { format!("{folder}/{}", item.name) };
                if item.kind == FileType::Directory {
                    self.plan.folders.insert(path.clone());
                    open.push(path);
                } else {
                    self.file(path, &item)?;
                }
            }
        }
        Ok(true)
    }

    fn file(&mut self, path: String, item: &Item) -> Result<()> {
        match self.manifest.get(&path) {
            None => self.stranger(path, item)?,
            Some(entry) if self.is_right(&path, &entry, item)? => {
                self.right.insert(path);
            }
            // Added below, with all that is missing.
            Some(_) => {}
        }
        Ok(())
    }

    /// What is no file of the release: the sibling of one, or something that should not be there.
    fn stranger(&mut self, path: String, item: &Item) -> Result<()> {
        let source = sibling::source(&path).and_then(|source| Some((source, self.manifest.get(source)?)));
        let Some((source, entry)) = source else {
            self.plan.remove.insert(path);
            return Ok(());
        };
        let right = self.disk.stat(&ObjectName::of(source, &entry.content).sibling_place())?;
        if right.is_none_or(|right| right.inode != item.inode) {
            self.plan.strays.push(path);
        }
        Ok(())
    }

    fn is_right(&self, path: &str, entry: &Entry, item: &Item) -> Result<bool> {
        let object = self.disk.stat(&ObjectName::of(path, &entry.content).place())?;
        Ok(object.is_some_and(|object| object.inode == item.inode && object.size == entry.size))
    }

    fn finish(mut self) -> Plan {
        let mut wanted_folders = BTreeSet::new();
        for (path, entry) in self.manifest {
            let path = String::from(path);
            for (at, _) in path.match_indices('/') {
                if !wanted_folders.contains(&path[..at]) {
                    wanted_folders.insert(path[..at].to_owned());
                }
            }
            if !self.right.contains(&path) {
                let object = ObjectName::of(&path, &entry.content);
                self.plan.put.insert(path, Put::Add(object));
            }
        }
        self.plan.folders.retain(|folder| !wanted_folders.contains(folder));
        self.plan
    }
}
