//! A release in the making: files are put and removed from many threads, then verified, then made live.
//!
//! A draft begins as the live release and holds only what differs from it; the bytes are written at once and not kept.
//! So a change of one page and a rewrite of the whole site are the same thing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use microblog_domain::{ContentHash, FilePath, Fingerprint, ReleaseId};

use crate::activate::{self, Activated};
use crate::delta::{Change, Delta};
use crate::disk;
use crate::entry::{Entry, ObjectName};
use crate::error::{Error, Result};
use crate::links::Links;
use crate::manifest::Manifest;
use crate::objects::{self, Adopt};
use crate::release::{Origin, is_page};
use crate::store::Exclusive;
use crate::verify::{self, Checks, Finding};

/// A file made by the renderer.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What it was made from; given back by [`Draft::fingerprint`] of the next draft.
    pub fingerprint: Fingerprint,
    /// The links that an author wrote, as they stand in the text. If one of them leads nowhere it is a warning, while any
    /// other is an error.
    pub author_links: &'a [String],
}

/// What putting a file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The live release has the same bytes there.
    Unchanged,
    /// The new release has other bytes there than the live one.
    Changed,
}

/// A release in the making, on top of the live one. Dropping it leaves the live release as it is.
///
/// Each path is to be put or removed by one thread at a time.
#[derive(Debug)]
pub struct Draft<'s> {
    right: Exclusive<'s>,
    checks: Checks,
    stamp: i64,
    links: Links,
    mentioned: Mutex<BTreeMap<FilePath, Mention>>,
    findings: Mutex<Vec<Finding>>,
}

/// What the draft says about a path.
#[derive(Debug, Clone, Copy)]
enum Mention {
    /// Not in the new release.
    Removed,
    /// Like this. `is_new` if the draft made the object.
    Put { entry: Entry, is_new: bool },
}

impl<'s> Draft<'s> {
    pub(crate) fn new(right: Exclusive<'s>, checks: Checks) -> Self {
        let stamp = right.store.next_stamp();
        let links = Links::new(&checks.base_url);
        Self { right, checks, stamp, links, mentioned: Mutex::default(), findings: Mutex::default() }
    }

    /// The files of the live release.
    #[must_use]
    pub fn live(&self) -> &Manifest {
        &self.right.store.view.manifest
    }

    /// What the live release's file was made from, if it has one at this path.
    #[must_use]
    pub fn fingerprint(&self, path: &FilePath) -> Option<Fingerprint> {
        self.live().get(path.as_str()).map(|entry| entry.fingerprint)
    }

    /// Writes a file made by the renderer, and checks it while its bytes are at hand.
    pub fn put(&self, path: &FilePath, page: Page<'_>) -> Result<Put> {
        if is_page(path.as_str()) {
            self.links.gather(path, page.bytes, page.author_links);
        } else if let Some(finding) = verify::malformed(path, page.bytes) {
            lock(&self.findings).push(finding);
        }
        let content = ContentHash::of(page.bytes);
        let entry = Entry { content, size: page.bytes.len() as u64, fingerprint: page.fingerprint };
        self.put_entry(path, entry, |disk| objects::write(disk, path.as_str(), &content, page.bytes, self.stamp))
    }

    /// Takes a file from elsewhere in as it is: an upload, an asset.
    pub fn put_file(&self, path: &FilePath, source: &Path, how: Adopt, fingerprint: Fingerprint) -> Result<Put> {
        let mut file = std::fs::File::open(source).map_err(|error| disk::outside("open", source, &error))?;
        let (content, size) = objects::hash(&mut file).map_err(|error| disk::outside("read", source, &error))?;
        let entry = Entry { content, size, fingerprint };
        self.put_entry(path, entry, |disk| {
            objects::adopt(disk, path.as_str(), source, (&content, size), how, self.stamp)
        })
    }

    fn put_entry(&self, path: &FilePath, entry: Entry, write: impl FnOnce(&disk::Disk) -> Result<bool>) -> Result<Put> {
        let live = self.live().get(path.as_str());
        if live.is_some_and(|live| live.same_bytes(&entry)) {
            self.mention(path, Mention::Put { entry, is_new: false })?;
            return Ok(Put::Unchanged);
        }
        let is_new = write(&self.right.store.disk)?;
        self.mention(path, Mention::Put { entry, is_new })?;
        Ok(Put::Changed)
    }

    /// Leaves a file out of the new release.
    pub fn remove(&self, path: &FilePath) -> Result<()> {
        self.mention(path, Mention::Removed)
    }

    /// Remembers the last word on a path. What an earlier word wrote is removed again.
    fn mention(&self, path: &FilePath, mention: Mention) -> Result<()> {
        let earlier = lock(&self.mentioned).insert(path.clone(), mention);
        if let Some(Mention::Put { entry: earlier, is_new: true }) = earlier {
            if let Mention::Put { entry, .. } = mention
                && entry.same_bytes(&earlier)
            {
                lock(&self.mentioned).insert(path.clone(), Mention::Put { entry, is_new: true });
                return Ok(());
            }
            self.remove_object(path, &earlier)?;
        }
        Ok(())
    }

    fn remove_object(&self, path: &FilePath, entry: &Entry) -> Result<()> {
        self.right.store.disk.remove(&ObjectName::of(path.as_str(), &entry.content).place())
    }

    /// Checks everything that this draft wrote. What it finds is an error, or a warning of the verified draft.
    pub fn verify(self) -> Result<VerifiedDraft<'s>> {
        let delta = self.delta();
        let mut findings = std::mem::take(&mut *lock(&self.findings));
        let written: Vec<(&FilePath, Entry)> = delta.changes.iter().filter_map(written).collect();
        findings.extend(verify::damaged(&self.right.store.disk, &written)?);
        findings.extend(self.clashes(&delta));
        for (target, from) in self.links.broken(|path| self.has(path)) {
            findings.extend(verify::broken_link(&target, &from));
        }
        let before = self.live().release().totals;
        findings.extend(verify::pages_lost(before, delta.release.totals, self.checks.page_loss));
        if findings.iter().any(Finding::is_error) {
            self.discard()?;
            return Err(Error::Rejected(findings));
        }
        Ok(VerifiedDraft { draft: self, delta, warnings: findings })
    }

    /// Gives the draft up and removes what it wrote.
    pub fn discard(self) -> Result<()> {
        for (path, mention) in &*lock(&self.mentioned) {
            if let Mention::Put { entry, is_new: true } = mention {
                self.remove_object(path, entry)?;
            }
        }
        self.right.finish()
    }

    /// Whether the new release has a file.
    fn has(&self, path: &str) -> bool {
        match lock(&self.mentioned).get(path) {
            Some(Mention::Put { .. }) => true,
            Some(Mention::Removed) => false,
            None => self.live().get(path).is_some(),
        }
    }

    /// New files that lie below another file, or above.
    fn clashes(&self, delta: &Delta) -> Vec<Finding> {
        let added = delta.changes.iter().filter(|change| change.before.is_none());
        let clash = |change: &Change| {
            let path = change.path.as_str();
            let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
            let file = above.find(|above| self.has(above)).or_else(|| self.has_below(path).then_some(path))?;
            Some(Finding::Clash { path: file.parse().ok()? })
        };
        added.filter_map(clash).collect()
    }

    fn has_below(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        let live = self.live().iter_from(&prefix).map(|(path, _)| path);
        let is_below = |path: &FilePath| path.as_str().starts_with(&prefix);
        live.take_while(is_below).any(|path| self.has(path.as_str()))
            || lock(&self.mentioned)
                .range::<str, _>((std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded))
                .take_while(|(path, _)| is_below(path))
                .any(|(_, mention)| matches!(mention, Mention::Put { .. }))
    }

    fn delta(&self) -> Delta {
        let change = |(path, mention): (&FilePath, &Mention)| {
            let before = self.live().get(path.as_str());
            let after = match mention {
                Mention::Removed => None,
                Mention::Put { entry, .. } => Some(*entry),
            };
            (before != after).then(|| Change { path: path.clone(), before, after })
        };
        let changes = lock(&self.mentioned).iter().filter_map(change).collect();
        self.right.store.delta(changes, Origin::Built)
    }
}

/// The entry that a change wrote.
fn written(change: &Change) -> Option<(&FilePath, Entry)> {
    change.after.filter(|_| change.touches_bytes()).map(|after| (&change.path, after))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A draft that may go live.
#[derive(Debug)]
pub struct VerifiedDraft<'s> {
    draft: Draft<'s>,
    delta: Delta,
    warnings: Vec<Finding>,
}

/// What committing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Nothing differs from the live release, which stays.
    Unchanged(ReleaseId),
    /// A new release is live.
    Activated(Activated),
}

impl VerifiedDraft<'_> {
    /// What was found that does not keep it from going live.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Gives the release up and removes what it wrote.
    pub fn discard(self) -> Result<()> {
        self.draft.discard()
    }

    /// Makes the release live.
    pub fn commit(self) -> Result<Committed> {
        let Self { draft, delta, .. } = self;
        if delta.changes.is_empty() {
            let live = draft.live().release().id;
            draft.discard()?;
            return Ok(Committed::Unchanged(live));
        }
        let mut right = draft.right;
        activate::activate(&mut right, delta).map(Committed::Activated)
    }
}
