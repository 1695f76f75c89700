//! The folder of uploads and their variants. A file gets its place under its hash only when it is whole and durable.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use microblog_domain::ContentHash;
use microblog_domain::media::stored_file;
use tempfile::NamedTempFile;

/// Where uploads are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFolder {
    path: PathBuf,
}

impl MediaFolder {
    /// The folder at this path; it is made with the first upload.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the bytes with this hash are, if they were uploaded.
    #[must_use]
    pub fn file(&self, hash: &ContentHash) -> PathBuf {
        self.path.join(stored_file(hash))
    }

    /// Begins to receive a file.
    ///
    /// # Errors
    /// When the folder can not be written to.
    pub fn receive(&self) -> io::Result<Incoming> {
        std::fs::create_dir_all(&self.path)?;
        let file = tempfile::Builder::new().prefix(".upload-").tempfile_in(&self.path)?;
        Ok(Incoming { file, hasher: blake3::Hasher::new(), size: 0 })
    }

    /// Gives a file its place. When this returns, it survives a power cut.
    ///
    /// # Errors
    /// When the folder can not be written to.
    pub fn keep(&self, incoming: Incoming) -> io::Result<()> {
        let place = self.file(&incoming.hash());
        let folder = place.parent().unwrap_or(&self.path);
        if !folder.exists() {
            std::fs::create_dir_all(folder)?;
            sync_folder(&self.path)?;
        }
        let file = incoming.file;
        // The web server reads it as another user.
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(&place).map_err(|error| error.error)?;
        sync_folder(folder)
    }
}

/// Makes a file's name survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A file on its way in. It vanishes unless it is kept.
#[derive(Debug)]
pub struct Incoming {
    file: NamedTempFile,
    hasher: blake3::Hasher,
    size: u64,
}

impl Incoming {
    /// Takes a piece.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Where it lies for now.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash of the bytes so far.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(*self.hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_under_its_hash_once_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let media = MediaFolder::new(folder.path().join("media"));
        let mut incoming = media.receive().unwrap();
        incoming.write(b"hello ").unwrap();
        incoming.write(b"world").unwrap();
        let hash = incoming.hash();
        assert_eq!((incoming.size(), hash), (11, ContentHash::of(b"hello world")));
        assert!(!media.file(&hash).exists());
        media.keep(incoming).unwrap();
        assert_eq!(std::fs::read(media.file(&hash)).unwrap(), b"hello world");
    }

    #[test]
    fn a_file_that_is_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let media = MediaFolder::new(folder.path().to_owned());
        let mut incoming = media.receive().unwrap();
        incoming.write(b"x").unwrap();
        drop(incoming);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
