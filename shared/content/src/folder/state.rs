//! Whether files changed, told by what the file system counts for each of them, without reading them.

use std::borrow::Cow;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use microblog_domain::{Fingerprint, FingerprintBuilder};
use rayon::prelude::*;

use super::ContentFolder;

/// Changes with every change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState {
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds. Programs can set the time of a file's last change, but not this one.
    changed: (i64, i64),
}

impl FileState {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), bytes: metadata.size(), changed: (metadata.ctime(), metadata.ctime_nsec()) }
    }
}

/// Which files a folder has, and in which state they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderState {
    /// Other files or other states, other fingerprint.
    pub fingerprint: Fingerprint,
    /// When any of the files changed last, as their file system counts: seconds and nanoseconds.
    pub newest_change: (i64, i64),
}

impl ContentFolder {
    /// The state of all files that the site is made of; settings are not among them.
    ///
    /// # Errors
    /// When a file can not be looked at.
    pub fn state(&self) -> io::Result<FolderState> {
        let files: Vec<Cow<'_, Path>> = self.sources().collect();
        let look = |file: &Cow<'_, Path>| file.metadata().map(|metadata| FileState::of(&metadata));
        let states = files.par_iter().map(look).collect::<io::Result<Vec<_>>>()?;
        let mut inputs = FingerprintBuilder::new();
        for (file, state) in files.iter().zip(&states) {
            inputs.add(file.as_os_str().as_encoded_bytes());
            inputs = inputs
                .number(state.inode)
                .number(state.bytes)
                .number(state.changed.0.cast_unsigned())
                .number(state.changed.1.cast_unsigned());
        }
        let newest_change = states.iter().map(|state| state.changed).max().unwrap_or_default();
        Ok(FolderState { fingerprint: inputs.finish(), newest_change })
    }

    /// Posts, what lies beside them, and files that the site holds as they are.
    fn sources(&self) -> impl Iterator<Item = Cow<'_, Path>> {
        let posts = self.found.posts.iter().flat_map(|post| {
            let resources = post.resources.iter().map(|resource| Cow::from(&resource.source));
            std::iter::once(Cow::from(self.root.join(&post.path))).chain(resources)
        });
        posts.chain(self.found.static_files.iter().map(|file| Cow::from(&file.source)))
    }
}
