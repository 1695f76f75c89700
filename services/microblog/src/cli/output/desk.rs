//! A desk: the hidden folder beside the place of a site in which the site is written before it is shown.
//!
//! Its process keeps it locked. A desk that nobody holds was left behind by a process that was killed, and whoever makes
//! a desk beside it clears it away.

use std::fs::{self, DirEntry, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = ".microblog-desk-";

/// A folder to write in, gone when it is dropped.
pub(super) struct Desk {
    folder: TempDir,
    /// Let go of when the folder is gone.
    _held: File,
}

impl Desk {
    /// Makes a desk in this folder.
    pub(super) fn make_in(parent: &Path) -> io::Result<Self> {
        clear_away_left(parent);
        loop {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            // Between making and locking it, another process may take it for one that was left.
            match hold(folder.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                held => return held.map(|held| Self { folder, _held: held }),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn hold(desk: &Path) -> io::Result<File> {
    let held = File::open(desk)?;
    // Where folders can not be locked, no desk is ever taken for one that was left.
    let _ = held.lock();
    fs::metadata(desk).map(|_| held)
}

/// What can not be cleared away now stays for the next.
fn clear_away_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten().filter(is_desk) {
        if let Ok(desk) = File::open(entry.path())
            && desk.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_desk(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
        && entry.file_type().is_ok_and(|kind| kind.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_is_cleared_away_when_its_process_is_gone_and_not_before() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(".microblog-desk-left");
        fs::create_dir_all(left.join("site/2024")).unwrap();
        fs::write(parent.path().join(".microblog-notes"), "somebody's").unwrap();
        let first = Desk::make_in(parent.path()).unwrap();
        assert!(!left.exists());
        let second = Desk::make_in(parent.path()).unwrap();
        assert!(first.path().is_dir() && second.path().is_dir());
        drop((first, second));
        let names: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [".microblog-notes"]);
    }
}
