//! One process changes the store at a time: an advisory lock on the file `lock`, which also says who holds it. Whoever
//! needs a tree to stay as it is locks the tree's folder.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt as _};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::disk::{Disk, errno};
use crate::error::{Error, Result};

const NAME: &str = "lock";
/// How often a waiting process looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The file `lock`, locked or not.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
}

impl LockFile {
    /// Opens the file, and makes it where it may be made.
    pub(crate) fn open(disk: &Disk) -> Result<Self> {
        let mode = Mode::from_raw_mode(0o644);
        let opened = rustix::fs::open(disk.place(NAME), OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC, mode);
        let file = opened.map_err(|reason| disk.failed("open", NAME, reason))?;
        Ok(Self { file: File::from(file) })
    }

    /// Waits until no other process holds the lock, and takes it.
    pub(crate) fn acquire(&mut self, disk: &Disk, wait: Duration) -> Result<()> {
        self.wait_for(disk, wait)?;
        if !self.is_in_place(disk)? {
            // Somebody took it for a leftover and removed it: the others lock the one that was made since.
            *self = Self::open(disk)?;
            self.wait_for(disk, wait)?;
        }
        self.sign();
        Ok(())
    }

    fn wait_for(&self, disk: &Disk, wait: Duration) -> Result<()> {
        let taken = poll(wait, || try_lock(&self.file)).map_err(|reason| disk.failed("lock", NAME, reason))?;
        if taken {
            return Ok(());
        }
        Err(Error::Locked { folder: disk.path().to_owned(), pid: self.holder(), waited: wait })
    }

    fn is_in_place(&self, disk: &Disk) -> Result<bool> {
        let held = self.file.metadata().map_err(|error| disk.failed("look at", NAME, errno(&error)))?;
        Ok(disk.stat(NAME)?.is_some_and(|there| there.inode == held.ino()))
    }

    /// Whether another process holds it at this moment.
    pub(crate) fn is_held(&self, disk: &Disk) -> Result<bool> {
        let is_free = try_lock(&self.file).map_err(|reason| disk.failed("lock", NAME, reason))?;
        if is_free {
            self.release();
        }
        Ok(!is_free)
    }

    /// Lets others in.
    pub(crate) fn release(&self) {
        // Fails for no reason that anybody could do something about; closing the file releases the lock as well.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }

    /// Who holds it, as far as it is known: only used to tell people.
    fn holder(&self) -> Option<u32> {
        let mut text = [0; 16];
        let length = self.file.read_at(&mut text, 0).ok()?;
        std::str::from_utf8(&text[..length]).ok()?.trim().parse().ok()
    }

    fn sign(&self) {
        let pid = std::process::id();
        if self.holder() != Some(pid) {
            // A lock without a name on it still locks.
            let _ = self.file.set_len(0).and_then(|()| self.file.write_all_at(format!("{pid}\n").as_bytes(), 0));
        }
    }
}

/// An open folder that is locked until this is dropped.
///
/// It is unlocked in so many words: closing it would leave the lock with any child process that was forked a moment ago.
#[derive(Debug)]
pub(crate) struct Locked(OwnedFd);

impl Locked {
    /// Locks a folder for oneself, if it is free.
    pub(crate) fn alone(disk: &Disk, folder: &str) -> Result<Option<Self>> {
        let file = disk.open_folder(folder)?;
        let is_free = try_lock(&file).map_err(|reason| disk.failed("lock", folder, reason))?;
        Ok(is_free.then_some(Self(file)))
    }

    /// Locks a folder together with others who share it, as soon as nobody has it alone.
    pub(crate) fn shared(disk: &Disk, folder: &str) -> Result<Self> {
        let file = disk.open_folder(folder)?;
        let locked = rustix::fs::flock(&file, FlockOperation::LockShared);
        locked.map_err(|reason| disk.failed("lock", folder, reason)).map(|()| Self(file))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing it, which follows, is what is left to try.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// Takes the exclusive lock of an open file or folder, if it is free.
fn try_lock(file: impl std::os::fd::AsFd) -> Result<bool, Errno> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        Err(reason) => Err(reason),
    }
}

/// Asks until the answer is yes or the time is over.
pub(crate) fn poll<E>(wait: Duration, mut ask: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
    let deadline = Instant::now() + wait;
    loop {
        if ask()? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn a_folder_is_free_at_once_though_a_child_process_still_has_it_open() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), &Options::default()).unwrap();
        std::fs::create_dir(folder.path().join("tree")).unwrap();
        let locked = Locked::alone(&disk, "tree").unwrap().unwrap();
        let _inherited = locked.0.try_clone().unwrap();
        assert!(Locked::alone(&disk, "tree").unwrap().is_none());
        drop(locked);
        assert!(Locked::alone(&disk, "tree").unwrap().is_some());
    }
}
