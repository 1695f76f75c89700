//! The store as seen by those who only look: it takes no lock, repairs nothing, and works on a read-only disk.

use std::path::Path;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::options::Options;
use crate::release::Release;
use crate::view::View;

/// How often to look again when something vanished that was there a moment ago.
const ATTEMPTS: usize = 5;

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
        self.try_again(|view| view.releases(&self.disk))
    }

    /// The live release.
    pub fn live(&self) -> Result<Release> {
        let live = self.try_again(|view| Ok(view.live().clone()))?;
        if live.id.0 == 0 {
            return Err(Error::Empty { folder: self.disk.path().to_owned() });
        }
        Ok(live)
    }

    /// Keeps the live tree as it is until the lease is dropped.
    pub fn lease(&self) -> Result<Lease> {
        Lease::take(&self.disk)
    }

    /// A manifest may be pruned between reading its name and reading it; then the newer state is there to be read.
    fn try_again<T>(&self, look: impl Fn(&View) -> Result<T>) -> Result<T> {
        let attempt = || View::load(&self.disk, std::time::Duration::ZERO).and_then(|view| look(&view));
        for _ in 1..ATTEMPTS {
            match attempt() {
                Err(Error::Damaged { .. }) => {}
                result => return result,
            }
        }
        attempt()
    }
}
