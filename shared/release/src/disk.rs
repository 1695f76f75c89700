//! The store's folder on disk. Every change of the file system that this crate makes goes through [`Disk`], so that
//! tests can fail or stop at each of them, and so that each error says what was done and where.
//!
//! Owns system calls and their errors; knows nothing of releases. Names are relative to the store's folder.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::options::Options;

/// Readable by everyone the umask allows, and by nobody to be changed: a release never changes.
const OBJECT_MODE: Mode = Mode::from_raw_mode(0o444);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);

/// The store's folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: OwnedFd,
    path: PathBuf,
    #[cfg(feature = "fault-injection")]
    faults: Option<std::sync::Arc<crate::faults::Faults>>,
}

/// What became of an attempt to make something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is there now, and was not before.
    New,
    /// Something of that name is there already.
    Exists,
    /// A folder on the way to it is missing, or what it is to be made from.
    Missing,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) kind: FileType,
    pub(crate) inode: u64,
}

/// A folder whose names were read up to some point.
#[derive(Debug)]
pub(crate) struct Listing {
    names: Dir,
    folder: String,
}

/// What the file system tells of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) device: u64,
    /// When its name or content last changed, as seconds and nanoseconds since 1970.
    pub(crate) changed: (i64, i64),
}

/// How much room the file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that an ordinary user can still write.
    pub free_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Inodes left; 0 with `total_inodes` 0 where the file system does not count them.
    pub free_inodes: u64,
    /// Inodes in all.
    pub total_inodes: u64,
}

impl Disk {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).map_err(|reason| Error::Io {
            doing: "open the folder",
            place: path.to_owned(),
            reason,
        })?;
        #[cfg(not(feature = "fault-injection"))]
        let _ = options;
        Ok(Self {
            root,
            path: path.to_owned(),
            #[cfg(feature = "fault-injection")]
            faults: options.faults.clone(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    // Looking.

    /// The whole file; nothing if there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open_file(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| self.failed("read", name, errno(&error)))?;
        Ok(Some(bytes))
    }

    /// The file, opened for reading; nothing if there is none.
    pub(crate) fn open_file(&self, name: &str) -> Result<Option<File>> {
        let opened = rustix::fs::openat(&self.root, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        Ok(self.found("open", name, opened)?.map(File::from))
    }

    /// A folder of the store, opened so that it can be locked.
    pub(crate) fn open_folder(&self, name: &str) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.root, name, flags, Mode::empty())
            .map_err(|reason| self.failed("open the folder", name, reason))
    }

    /// What a symbolic link points to; nothing if there is none.
    pub(crate) fn read_link(&self, name: &str) -> Result<Option<String>> {
        let target = self.found("read the link", name, rustix::fs::readlinkat(&self.root, name, Vec::new()))?;
        Ok(target.map(|target| target.to_string_lossy().into_owned()))
    }

    /// What lies in a folder, in no order; nothing if there is none.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<Item>>> {
        let Some(mut folder) = self.open_listing(name)? else { return Ok(None) };
        std::iter::from_fn(|| self.next_item(&mut folder).transpose()).collect::<Result<_>>().map(Some)
    }

    /// A folder that is about to be listed, for those who do so bit by bit; nothing if there is none.
    pub(crate) fn open_listing(&self, name: &str) -> Result<Option<Listing>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.root, name, flags, Mode::empty());
        let Some(folder) = self.found("open the folder", name, opened)? else { return Ok(None) };
        let names = Dir::new(folder).map_err(|reason| self.failed("list", name, reason))?;
        Ok(Some(Listing { names, folder: name.to_owned() }))
    }

    /// The next name of a folder; nothing if there are no more.
    pub(crate) fn next_item(&self, listing: &mut Listing) -> Result<Option<Item>> {
        for entry in &mut listing.names {
            let entry = entry.map_err(|reason| self.failed("list", &listing.folder, reason))?;
            let item = Item {
                name: entry.file_name().to_string_lossy().into_owned(),
                kind: entry.file_type(),
                inode: entry.ino(),
            };
            if !matches!(item.name.as_str(), "." | "..") {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// What the file system tells of a name, links not followed; nothing if it is not there.
    pub(crate) fn stat(&self, name: &str) -> Result<Option<Stat>> {
        let found = rustix::fs::statat(&self.root, name, AtFlags::SYMLINK_NOFOLLOW);
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the widths differ between systems")]
        Ok(self.found("look at", name, found)?.map(|stat| Stat {
            inode: stat.st_ino.into(),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            device: stat.st_dev as u64,
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }))
    }

    /// How much room is left.
    pub(crate) fn space(&self) -> Result<Space> {
        let room = rustix::fs::fstatvfs(&self.root).map_err(|reason| self.failed("measure", "", reason))?;
        Ok(Space {
            free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
            total_bytes: room.f_blocks.saturating_mul(room.f_frsize),
            free_inodes: room.f_favail,
            total_inodes: room.f_files,
        })
    }

    // Changing.

    /// Writes a file that is not there yet. `stamp` is the second that it carries as its time.
    pub(crate) fn create(&self, name: &str, bytes: &[u8], stamp: Option<i64>) -> Result<Made> {
        self.create_with(name, stamp, |file| file.write_all(bytes))
    }

    /// Copies a file from elsewhere; where the file system can share the bytes, it does.
    pub(crate) fn copy_in(&self, source: &Path, name: &str, stamp: i64) -> Result<Made> {
        let mut from = File::open(source).map_err(|error| outside("open", source, &error))?;
        self.create_with(name, Some(stamp), |file| io::copy(&mut from, file).map(drop))
    }

    fn create_with(
        &self,
        name: &str,
        stamp: Option<i64>,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Made> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let opened = self.permit().and_then(|()| rustix::fs::openat(&self.root, name, flags, OBJECT_MODE));
        let mut file = match opened {
            Ok(file) => File::from(file),
            Err(reason) => return self.not_made("create", name, reason),
        };
        let written = self.permit().map_err(io::Error::from).and_then(|()| write(&mut file));
        written.map_err(|error| self.failed("write", name, errno(&error)))?;
        if let Some(stamp) = stamp {
            let time = Timespec { tv_sec: stamp, tv_nsec: 0 };
            let times = Timestamps { last_access: time, last_modification: time };
            let set = self.permit().and_then(|()| rustix::fs::futimens(&file, &times));
            set.map_err(|reason| self.failed("set the time of", name, reason))?;
        }
        Ok(Made::New)
    }

    /// Makes a second name for a file of the store.
    pub(crate) fn link(&self, from: &str, to: &str) -> Result<Made> {
        let linked =
            self.permit().and_then(|()| rustix::fs::linkat(&self.root, from, &self.root, to, AtFlags::empty()));
        linked.map_or_else(|reason| self.not_made("link", to, reason), |()| Ok(Made::New))
    }

    /// Makes a name in the store for a file from elsewhere. The errno is left to the caller, who can copy instead.
    pub(crate) fn link_in(&self, source: &Path, to: &str) -> Result<(), Errno> {
        self.permit()?;
        rustix::fs::linkat(CWD, source, &self.root, to, AtFlags::empty())
    }

    /// Moves a file to a name, over what is there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.renamed(from, to).map_err(|reason| self.failed("rename a file to", to, reason))
    }

    /// Moves a file to a name, unless it is gone.
    pub(crate) fn rename_if_there(&self, from: &str, to: &str) -> Result<Made> {
        let moved = self.renamed(from, to);
        moved.map_or_else(|reason| self.not_made("rename a file to", to, reason), |()| Ok(Made::New))
    }

    fn renamed(&self, from: &str, to: &str) -> Result<(), Errno> {
        self.permit()?;
        rustix::fs::renameat(&self.root, from, &self.root, to)
    }

    /// Makes a symbolic link that is not there yet.
    pub(crate) fn symlink(&self, target: &str, name: &str) -> Result<Made> {
        let made = self.permit().and_then(|()| rustix::fs::symlinkat(target, &self.root, name));
        made.map_or_else(|reason| self.not_made("make the link", name, reason), |()| Ok(Made::New))
    }

    /// Makes a folder.
    pub(crate) fn make_folder(&self, name: &str) -> Result<Made> {
        let made = self.permit().and_then(|()| rustix::fs::mkdirat(&self.root, name, FOLDER_MODE));
        made.map_or_else(|reason| self.not_made("make the folder", name, reason), |()| Ok(Made::New))
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let removed = self.permit().and_then(|()| rustix::fs::unlinkat(&self.root, name, AtFlags::empty()));
        match removed {
            // A folder of that name means that the file is gone: it was replaced before an interruption.
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR) => Ok(()),
            Err(reason) => Err(self.failed("remove", name, reason)),
        }
    }

    /// Removes a folder if it is empty. Tells whether it is gone.
    pub(crate) fn remove_empty_folder(&self, name: &str) -> Result<bool> {
        let removed = self.permit().and_then(|()| rustix::fs::unlinkat(&self.root, name, AtFlags::REMOVEDIR));
        match removed {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(false),
            Err(reason) => Err(self.failed("remove the folder", name, reason)),
        }
    }

    /// Makes all changes so far survive a power cut.
    #[cfg(target_os = "linux")]
    pub(crate) fn sync_all(&self) -> Result<()> {
        self.permit_sync()
            .and_then(|()| rustix::fs::syncfs(&self.root))
            .map_err(|reason| self.failed("make durable", "", reason))
    }

    /// Makes all changes so far survive a power cut. `sync` waits on Linux only; elsewhere it is the nearest there is.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn sync_all(&self) -> Result<()> {
        self.permit_sync().map_err(|reason| self.failed("make durable", "", reason))?;
        rustix::fs::sync();
        Ok(())
    }

    /// Makes the names in the store's own folder survive a power cut. The errno is left to the caller.
    pub(crate) fn sync_root(&self) -> Result<(), Errno> {
        self.permit()?;
        rustix::fs::fsync(&self.root)
    }

    /// Asked before each change.
    #[inline]
    fn permit(&self) -> Result<(), Errno> {
        #[cfg(feature = "fault-injection")]
        if let Some(faults) = &self.faults {
            return faults.before_change();
        }
        Ok(())
    }

    /// Asked before all changes are made durable.
    fn permit_sync(&self) -> Result<(), Errno> {
        #[cfg(feature = "fault-injection")]
        if let Some(faults) = &self.faults {
            faults.before_sync();
        }
        self.permit()
    }

    fn found<T>(&self, doing: &'static str, name: &str, result: Result<T, Errno>) -> Result<Option<T>> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(reason) => Err(self.failed(doing, name, reason)),
        }
    }

    fn not_made(&self, doing: &'static str, name: &str, reason: Errno) -> Result<Made> {
        match reason {
            Errno::EXIST => Ok(Made::Exists),
            Errno::NOENT | Errno::NOTDIR => Ok(Made::Missing),
            reason => Err(self.failed(doing, name, reason)),
        }
    }

    pub(crate) fn failed(&self, doing: &'static str, name: &str, reason: Errno) -> Error {
        let place = self.place(name);
        match reason {
            Errno::NOSPC | Errno::DQUOT => {
                let space = self.space().ok();
                Error::NoSpace {
                    doing,
                    place,
                    free_bytes: space.map_or(0, |space| space.free_bytes),
                    free_inodes: space.map_or(0, |space| space.free_inodes),
                }
            }
            Errno::ACCESS | Errno::PERM | Errno::ROFS => Error::NotWritable { doing, place, reason },
            reason => Error::Io { doing, place, reason },
        }
    }
}

/// The error of a file outside of the store.
pub(crate) fn outside(doing: &'static str, place: &Path, error: &io::Error) -> Error {
    Error::Io { doing, place: place.to_owned(), reason: errno(error) }
}

/// What the system said, as far as it did.
pub(crate) fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
