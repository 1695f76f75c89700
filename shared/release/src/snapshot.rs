//! One release as files to be read at leisure: for copies, which take longer than any grace.
//!
//! Of the live release a [`Snapshot`] holds the tree under a lease, so releases go live meanwhile and none of them mixes
//! in. Earlier releases are read from their objects, which stay for as long as the release is kept.

use std::path::PathBuf;

use microblog_domain::{FilePath, ReleaseId};

use crate::chain;
use crate::disk::Disk;
use crate::entry::{Entry, ObjectName};
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::manifest::Manifest;
use crate::release::Release;
use crate::view;

/// How often the live release may be pruned away between taking its lease and reading its manifest.
const ATTEMPTS: usize = 5;

/// One release, and where its files lie.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Manifest,
    store: PathBuf,
    /// Nothing for a release that is not live.
    lease: Option<Lease>,
}

impl Snapshot {
    /// The live release.
    pub(crate) fn live(disk: &Disk) -> Result<Self> {
        let mut attempts = 0;
        loop {
            let lease = Lease::take(disk)?;
            if lease.release() == ReleaseId(0) {
                return Err(Error::Empty { folder: disk.path().to_owned() });
            }
            attempts += 1;
            match chain::load(disk, lease.release()) {
                // Somebody made the chain shorter just now.
                Err(Error::Damaged { .. }) if attempts < ATTEMPTS => {}
                manifest => {
                    return Ok(Self { manifest: manifest?, store: disk.path().to_owned(), lease: Some(lease) });
                }
            }
        }
    }

    /// A kept release.
    pub(crate) fn kept(disk: &Disk, id: ReleaseId) -> Result<Self> {
        let kept = view::kept_releases(disk)?;
        let (Some(live), Some(oldest)) = (kept.first(), kept.last()) else {
            return Err(Error::Empty { folder: disk.path().to_owned() });
        };
        let (live, oldest) = (live.id, oldest.id);
        let release = kept.into_iter().find(|release| release.id == id);
        let release = release.ok_or(Error::UnknownRelease { id, oldest, live })?;
        let manifest = chain::load_earlier(disk, live, release)?;
        Ok(Self { manifest, store: disk.path().to_owned(), lease: None })
    }

    /// Which release it is.
    #[must_use]
    pub fn release(&self) -> &Release {
        self.manifest.release()
    }

    /// Every file of the release, and where to read it. One that is gone when it is read belonged to a release that is no
    /// longer kept.
    pub fn files(&self) -> impl Iterator<Item = (FilePath, Entry, PathBuf)> {
        self.manifest.iter().map(|(path, entry)| {
            let source = match &self.lease {
                Some(lease) => lease.folder().join(path.as_str()),
                None => self.store.join(ObjectName::of(path.as_str(), &entry.content).place()),
            };
            (path, entry, source)
        })
    }
}
