//! Siblings on their way: written and made durable under names that nobody reads, without the right to change the store.
//!
//! Whoever has the right may clear such names away at any moment. The sibling is made again then.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use crate::crew::Made;
use crate::disk::{self, Disk};
use crate::entry::ObjectName;
use crate::error::Result;
use crate::sibling;
use crate::tree;

/// Siblings that are whole and durable. Dropping them removes those that were not put in their place.
pub(super) struct Unplaced {
    disk: Arc<Disk>,
    siblings: Vec<Sibling>,
}

struct Sibling {
    draft: String,
    path: String,
    object: ObjectName,
}

impl Unplaced {
    /// Writes what was made. All of it is made durable at once.
    pub(super) fn write(disk: Arc<Disk>, made: Vec<Made>) -> Result<Self> {
        // Another process may be about the same siblings, or an earlier round of this one still be clearing its own away.
        let round = RandomState::new().hash_one(());
        let mut unplaced = Self { disk, siblings: Vec::with_capacity(made.len()) };
        for (number, Made { path, object, bytes, stamp }) in made.into_iter().enumerate() {
            let draft = format!("tmp/{round:016x}-{number}{}", sibling::SUFFIX);
            unplaced.siblings.push(Sibling { draft: draft.clone(), path, object });
            unplaced.disk.create(&draft, &bytes, Some(stamp))?;
        }
        if !unplaced.siblings.is_empty() {
            unplaced.disk.sync_all()?;
        }
        Ok(unplaced)
    }

    /// Puts them beside their objects and into the tree that holds those; only renames and links. Tells whether all were
    /// still there.
    pub(super) fn place(mut self, tree: usize) -> Result<bool> {
        let root = tree::folder(tree);
        let mut are_all_there = true;
        while let Some(Sibling { draft, path, object }) = self.siblings.last() {
            let place = object.sibling_place();
            // One that another process put there may have names in trees.
            let is_there = self.disk.stat(&place)?.is_some();
            if is_there || self.disk.rename_if_there(draft, &place)? == disk::Made::New {
                self.disk.link(&place, &sibling::name(&format!("{root}/{path}")))?;
            } else {
                are_all_there = false;
            }
            if is_there {
                self.disk.remove(draft)?;
            }
            self.siblings.pop();
        }
        Ok(are_all_there)
    }
}

impl Drop for Unplaced {
    fn drop(&mut self) {
        for sibling in &self.siblings {
            // What stays is removed when the store is opened.
            let _ = self.disk.remove(&sibling.draft);
        }
    }
}
