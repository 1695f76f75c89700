//! The store as seen by those who only look: it takes no lock, repairs nothing, and works on a read-only disk.

use std::path::Path;

use microblog_domain::ReleaseId;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::options::Options;
use crate::release::Release;
use crate::snapshot::Snapshot;
use crate::view;

/// Looks at a store that other processes may be changing.
#[derive(Debug)]
pub struct ReleaseReader {
    disk: Disk,
}

impl ReleaseReader {
    /// Opens the store in `folder`, which must be there.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self { disk: Disk::open(folder, &Options::default())? })
    }

    /// The kept releases, the newest first.
    pub fn releases(&self) -> Result<Vec<Release>> {
        view::kept_releases(&self.disk)
    }

    /// The live release.
    pub fn live(&self) -> Result<Release> {
        let newest = self.releases()?.into_iter().next();
        newest.ok_or_else(|| Error::Empty { folder: self.disk.path().to_owned() })
    }

    /// The files of the live release, which stay as they are until the snapshot is dropped.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::live(&self.disk)
    }

    /// The files of a kept release, which stay for as long as it is kept.
    pub fn snapshot_of(&self, id: ReleaseId) -> Result<Snapshot> {
        Snapshot::kept(&self.disk, id)
    }

    /// Keeps the live tree as it is until the lease is dropped.
    pub fn lease(&self) -> Result<Lease> {
        Lease::take(&self.disk)
    }
}
