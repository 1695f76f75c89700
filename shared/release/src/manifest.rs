//! The files of the live release: a base, and above it what has changed since.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;

use microblog_domain::FilePath;

use crate::base::{self, Base};
use crate::delta::Delta;
use crate::entry::Entry;
use crate::release::Release;

/// The files of one release.
#[derive(Debug)]
pub struct Manifest {
    release: Release,
    base: Base,
    overlay: BTreeMap<FilePath, Option<Entry>>,
}

impl Manifest {
    pub(crate) fn new(base: Base) -> Self {
        Self { release: base.release().clone(), base, overlay: BTreeMap::new() }
    }

    /// The release that these files are.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.release
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    /// The entry of a path, if the release has it.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Entry> {
        match self.overlay.get(path) {
            Some(entry) => *entry,
            None => self.base.get(path),
        }
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from("")
    }

    /// All files that are not before `start`, sorted by path.
    pub fn iter_from(&self, start: &str) -> Iter<'_> {
        let range = (std::ops::Bound::Included(start), std::ops::Bound::Unbounded);
        Iter { base: self.base.iter_from(start).peekable(), overlay: self.overlay.range::<str, _>(range).peekable() }
    }

    /// Whether the release has files in a folder.
    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        self.iter_from(&prefix).next().is_some_and(|(path, _)| path.as_str().starts_with(&prefix))
    }

    /// Becomes the release that the delta leads to.
    pub(crate) fn absorb(&mut self, delta: &Delta) {
        for change in &delta.changes {
            self.overlay.insert(change.path.clone(), change.after);
        }
        self.release = delta.release.clone();
    }
}

impl<'a> IntoIterator for &'a Manifest {
    type Item = (FilePath, Entry);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The files of a [`Manifest`], in order.
pub struct Iter<'a> {
    base: Peekable<base::Files<'a>>,
    overlay: Peekable<btree_map::Range<'a, FilePath, Option<Entry>>>,
}

impl Iterator for Iter<'_> {
    type Item = (FilePath, Entry);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((path, _)) = self.overlay.peek() else {
                return self.base.next();
            };
            if let Some(unchanged) = self.base.next_if(|(below, _)| below < path) {
                return Some(unchanged);
            }
            self.base.next_if(|(below, _)| below == *path);
            if let (path, Some(entry)) = self.overlay.next()? {
                return Some((path.clone(), *entry));
            }
        }
    }
}
