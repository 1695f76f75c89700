//! One process to a data folder.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

/// Makes the data folder if it is missing, readable for its owner alone, and takes it for this process. Given back when
/// the file is closed, however the process ends.
pub(super) fn claim(folder: &Path) -> anyhow::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("can not make the data folder {}", folder.display()))?;
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("can not write to the data folder {}", folder.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!(
            "another Microblog is running on the data folder {}: stop it, or choose another folder with \
             --set data.dir=FOLDER",
            folder.display()
        );
    }
    Ok(file)
}
