//! A log file that is put aside when it is large: `api.log`, then `api.log.1`, the newest, to `api.log.4`.
//!
//! The kept libraries for this panic or go on in silence when the folder vanishes or fills; here every failure is told to
//! whoever writes, and a line that did not fit is not left behind as a torn one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Logs name people and addresses.
const MODE: u32 = 0o640;

/// Where lines go, and how much is kept of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFileOptions {
    /// The file that is written; the older ones lie beside it.
    pub path: PathBuf,
    /// In bytes: a file that a line would make larger is put aside before.
    pub largest: u64,
    /// How many files there are at most, that which is written among them.
    pub files: u32,
}

/// The file that is written now.
#[derive(Debug)]
pub(super) struct RotatingFile {
    options: LogFileOptions,
    file: File,
    size: u64,
}

impl RotatingFile {
    /// Goes on with the file that is there, in a folder that is made if it is missing. One process writes it.
    pub(super) fn open(options: LogFileOptions) -> io::Result<Self> {
        if let Some(folder) = options.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let (file, size) = open(&options.path)?;
        Ok(Self { options, file, size })
    }

    /// Writes a whole line or, as far as the disk lets it, nothing of it.
    pub(super) fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(length) > self.options.largest {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(line) {
            // Cutting needs no room. If even that fails, the next line begins behind the half of this one.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += length;
        Ok(())
    }

    /// Whether the path still leads to this file: somebody may have removed it, or put it aside.
    pub(super) fn is_in_place(&self) -> bool {
        let place =
            |(one, other): (std::fs::Metadata, std::fs::Metadata)| (one.dev(), one.ino()) == (other.dev(), other.ino());
        std::fs::metadata(&self.options.path).and_then(|there| Ok((there, self.file.metadata()?))).is_ok_and(place)
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.options.path;
        let oldest = self.options.files.saturating_sub(1);
        for number in (1..oldest).rev() {
            rename(&aside(path, number), &aside(path, number + 1))?;
        }
        if oldest == 0 {
            std::fs::remove_file(path)?;
        } else {
            rename(path, &aside(path, 1))?;
        }
        (self.file, self.size) = open(path)?;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(io::Error::new(
                ErrorKind::ResourceBusy,
                "another process writes this file: give it another folder",
            ));
        }
        // File systems that know no locks are good enough for logs.
        Err(TryLockError::Error(_)) => {}
    }
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn aside(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(folder: &Path) -> LogFileOptions {
        LogFileOptions { path: folder.join("logs/api.log"), largest: 10, files: 3 }
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn a_large_file_is_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let mut file = RotatingFile::open(options.clone()).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n", "a line beyond the limit\n", "six\n"] {
            file.write_line(line.as_bytes()).unwrap();
        }
        drop(file);
        let path = &options.path;
        let kept = [read(path), read(&aside(path, 1)), read(&aside(path, 2))];
        assert_eq!(kept, ["six\n", "a line beyond the limit\n", "four\n"]);
        assert!(!aside(path, 3).exists());
        RotatingFile::open(options.clone()).unwrap().write_line(b"7\n").unwrap();
        assert_eq!(read(path), "six\n7\n", "the next start goes on with the file");
    }

    #[test]
    fn two_processes_do_not_put_aside_each_others_lines() {
        let folder = tempfile::tempdir().unwrap();
        let _one = RotatingFile::open(options(folder.path())).unwrap();
        let other = RotatingFile::open(options(folder.path())).unwrap_err();
        assert!(other.to_string().contains("another process"), "{other}");
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let file = RotatingFile::open(options.clone()).unwrap();
        assert!(file.is_in_place());
        std::fs::remove_file(&options.path).unwrap();
        assert!(!file.is_in_place());
        let _new = RotatingFile::open(options).unwrap();
        assert!(!file.is_in_place());
    }

    #[test]
    fn that_the_disk_is_full_is_told_to_whoever_writes() {
        let full = Path::new("/dev/full");
        let file = OpenOptions::new().append(true).open(full).unwrap();
        let options = LogFileOptions { path: full.to_owned(), largest: 100, files: 3 };
        let error = RotatingFile { options, file, size: 0 }.write_line(b"line\n").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}
