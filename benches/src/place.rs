//! Where benchmarks write: in memory, which shows the program, and on disk, which shows what people wait for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use tempfile::TempDir;

const SHARED_MEMORY: &str = "/dev/shm";

/// What is below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Medium {
    /// The memory of the machine.
    Tmpfs,
    /// The disk that `--disk` is on.
    Disk,
}

impl Medium {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tmpfs => "tmpfs",
            Self::Disk => "disk",
        }
    }
}

/// A folder that goes with all that is in it when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) medium: Medium,
    folder: TempDir,
}

impl Place {
    /// A place in memory, where the system has one.
    pub(crate) fn in_memory() -> anyhow::Result<Option<Self>> {
        let is_there = Path::new(SHARED_MEMORY).is_dir();
        is_there.then(|| Self::within(Path::new(SHARED_MEMORY), Medium::Tmpfs)).transpose()
    }

    /// A place in a folder of the disk.
    pub(crate) fn on_disk(parent: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(parent).with_context(|| format!("making the folder {}", parent.display()))?;
        Self::within(&parent.canonicalize()?, Medium::Disk)
    }

    fn within(parent: &Path, medium: Medium) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("microblog-bench-").tempdir_in(parent);
        let folder = folder.with_context(|| format!("can not write in {}; choose another --disk", parent.display()))?;
        Ok(Self { medium, folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An empty folder, which goes when the place goes.
    pub(crate) fn new_folder(&self, prefix: &str) -> anyhow::Result<PathBuf> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(self.path());
        Ok(folder.with_context(|| format!("making a folder in {}", self.path().display()))?.keep())
    }

    /// Lets everything reach the disk that others have written, so that nobody pays for it while being measured.
    pub(crate) fn settle(&self) {
        if self.medium == Medium::Disk {
            rustix::fs::sync();
        }
    }

    /// Gives up a folder with many files. On disk it stays until the end: ext4 makes files several times slower for some
    /// minutes after many were removed, which would be charged to the next run.
    pub(crate) fn discard(&self, folder: &Path) -> anyhow::Result<()> {
        match self.medium {
            Medium::Tmpfs => fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display())),
            Medium::Disk => Ok(()),
        }
    }
}
