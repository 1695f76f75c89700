//! What can go wrong, each with what happened, where, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use microblog_domain::ReleaseId;
use rustix::io::Errno;

use crate::verify::Finding;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the release store could not do it. The live site is untouched in every case but [`Error::NotDurable`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system has no room left.
    #[error(
        "no space left for the release store at {place} (could not {doing}): {free_bytes} bytes and {free_inodes} \
         inodes are free; make room, or lower release.keep, then publish again"
    )]
    NoSpace {
        /// What it was doing.
        doing: &'static str,
        /// Where.
        place: PathBuf,
        /// Bytes left.
        free_bytes: u64,
        /// Inodes left.
        free_inodes: u64,
    },
    /// The folder can not be written to.
    #[error("may not write to {place} (could not {doing}: {reason}); give this user write access to the build folder")]
    NotWritable {
        /// What it was doing.
        doing: &'static str,
        /// Where.
        place: PathBuf,
        /// What the system said.
        reason: Errno,
    },
    /// Any other failure of the file system.
    #[error("could not {doing} {place}: {reason}")]
    Io {
        /// What it was doing.
        doing: &'static str,
        /// Where.
        place: PathBuf,
        /// What the system said.
        reason: Errno,
    },
    /// The folder holds something else.
    #[error(
        "{folder} is not a release store: it holds {found:?} but no file `lock`; point build.dir to an empty folder \
         or to one that Microblog made"
    )]
    NotAStore {
        /// The folder.
        folder: PathBuf,
        /// The name of something in it.
        found: String,
    },
    /// The store belongs to another installation.
    #[error(
        "{folder} holds the releases of another installation, which has a database of its own; point build.dir to a \
         folder for this one. If that database is lost, or this installation is to take the site over, run `microblog \
         releases adopt` first"
    )]
    OtherInstallation {
        /// The folder.
        folder: PathBuf,
    },
    /// Part of the store is mounted from elsewhere.
    #[error("{place} is on another file system than {folder}; hard links need the whole release store on one")]
    OtherFileSystem {
        /// The part.
        place: PathBuf,
        /// The store.
        folder: PathBuf,
    },
    /// Another process is changing the store.
    #[error("{folder} is being changed by another process{}; waited {waited:?}; try again when it is done", by(*.pid))]
    Locked {
        /// The store.
        folder: PathBuf,
        /// The process that holds the lock, if it said so.
        pid: Option<u32>,
        /// How long we waited.
        waited: Duration,
    },
    /// Somebody is still copying every tree that could be written to.
    #[error("every standby tree of {folder} is being read under a lease; waited {waited:?}; let the copies finish")]
    Leased {
        /// The store.
        folder: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// Settings that can not work.
    #[error("{0}")]
    Options(&'static str),
    /// There is no such release to go back to.
    #[error("release {id} is not kept; kept are {oldest} to {live}")]
    UnknownRelease {
        /// The release asked for.
        id: ReleaseId,
        /// The oldest that is kept.
        oldest: ReleaseId,
        /// The live one.
        live: ReleaseId,
    },
    /// Nothing has been published yet.
    #[error("nothing has been published to {folder} yet")]
    Empty {
        /// The store.
        folder: PathBuf,
    },
    /// A file of the store is missing or not what it should be.
    #[error("{place} is damaged: {reason}; run `microblog releases verify`, and publish again to write it anew")]
    Damaged {
        /// Which file.
        place: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The draft may not go live.
    #[error("the release was not activated: {}", summary(.0))]
    Rejected(Vec<Finding>),
    /// The new release is live, but the disk did not confirm that it will still be after a power cut.
    #[error("release {id} is live, but {place} could not be made durable: {reason}; check the disk")]
    NotDurable {
        /// The release that is live.
        id: ReleaseId,
        /// The folder.
        place: PathBuf,
        /// What the system said.
        reason: Errno,
    },
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// It may pass by itself: try again later.
    Retry,
    /// Somebody must act first: free space, fix a setting, correct a page.
    Intervene,
}

impl Error {
    /// Whether trying again can help.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Locked { .. } | Self::Leased { .. } | Self::Io { .. } | Self::Damaged { .. } => Recovery::Retry,
            Self::NoSpace { .. }
            | Self::NotWritable { .. }
            | Self::NotAStore { .. }
            | Self::OtherInstallation { .. }
            | Self::OtherFileSystem { .. }
            | Self::Options(_)
            | Self::UnknownRelease { .. }
            | Self::Empty { .. }
            | Self::Rejected(_)
            | Self::NotDurable { .. } => Recovery::Intervene,
        }
    }
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

fn summary(findings: &[Finding]) -> String {
    let mut errors = findings.iter().filter(|finding| finding.is_error());
    let first = errors.next().map(ToString::to_string).unwrap_or_default();
    match errors.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}
