//! For those who read a whole tree, not one file: a copy, a back-up, a crawl.
//!
//! They take longer than any grace. A lease keeps the tree from being changed for as long as it lives; releases go live
//! in the other trees meanwhile. Another program takes the same lease with `flock --shared` on the folder.

use std::path::{Path, PathBuf};

use microblog_domain::ReleaseId;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout;
use crate::lock::Locked;
use crate::tree::{self, TreeState};

/// A tree that stays as it is until this is dropped.
#[derive(Debug)]
pub struct Lease {
    folder: PathBuf,
    release: ReleaseId,
    _lock: Locked,
}

impl Lease {
    /// The root of the tree.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The release that it holds.
    #[must_use]
    pub fn release(&self) -> ReleaseId {
        self.release
    }

    /// Leases the live tree.
    pub(crate) fn take(disk: &Disk) -> Result<Self> {
        loop {
            let target = disk.read_link(layout::CURRENT)?.unwrap_or_default();
            let lock = Locked::shared(disk, &target)?;
            // If it went out of use before it was locked, it may have been changed since.
            if disk.read_link(layout::CURRENT)?.as_ref() != Some(&target) {
                continue;
            }
            let number = target.rsplit('/').next().and_then(|number| number.parse().ok());
            if let Some(number) = number
                && let TreeState::Clean(release) = tree::read_state(disk, number)?
            {
                return Ok(Self { folder: disk.place(&target), release, _lock: lock });
            }
            return Err(Error::Damaged { place: disk.place(&target), reason: "its state is lost".to_owned() });
        }
    }
}
