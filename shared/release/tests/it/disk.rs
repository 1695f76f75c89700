//! A file system of its own on a loop device, whose power can be cut: needs root, `mkfs.ext4` and loop devices.
//!
//! `MICROBLOG_TEST_FILE_SYSTEM` chooses another one: `xfs`, which needs `mkfs.xfs`, or `ext4-without-journal`.
//!
//! The cut is `EXT4_IOC_SHUTDOWN` without the log, which XFS has as well: from then on nothing reaches the disk, as when
//! the plug is pulled. The call would need `unsafe` from Rust, device mapper is missing from many kernels, and `xfs_io` is
//! a package of its own, so Python makes it, which has `ioctl` in its standard library.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const SHUT_DOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
/// Set where these tests can not run, to leave them out knowingly.
const LEAVE_OUT: &str = "MICROBLOG_TEST_WITHOUT_MOUNTS";

/// Whether somebody decided that file systems of our own are not to be tested here. Says so past the test harness, which
/// keeps to itself what a test that passes prints.
pub(crate) fn is_left_out(what: &str) -> bool {
    let is_left_out = std::env::var_os(LEAVE_OUT).is_some();
    if is_left_out {
        let note = format!("not tested, as {LEAVE_OUT} is set: {what}\n");
        io::stderr().write_all(note.as_bytes()).unwrap();
    }
    is_left_out
}

/// What is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    Ext4,
    /// It is checked after each cut, as machines do when they start.
    Ext4WithoutJournal,
    Xfs,
}

impl FileSystem {
    pub(crate) fn chosen() -> Self {
        match std::env::var_os("MICROBLOG_TEST_FILE_SYSTEM").as_ref().and_then(|name| name.to_str()) {
            None | Some("ext4") => Self::Ext4,
            Some("ext4-without-journal") => Self::Ext4WithoutJournal,
            Some("xfs") => Self::Xfs,
            Some(other) => panic!("MICROBLOG_TEST_FILE_SYSTEM is {other}, not ext4, ext4-without-journal or xfs"),
        }
    }

    /// One of this kind with room for some thousand files.
    pub(crate) fn small_disk(self) -> LoopDisk {
        match self {
            Self::Ext4 => LoopDisk::new("96M", &["-N", "20000"]),
            Self::Ext4WithoutJournal => {
                LoopDisk::of(self, "96M", "mkfs.ext4", &["-N", "20000", "-O", "^has_journal", "-F"])
            }
            // Smaller ones are refused.
            Self::Xfs => LoopDisk::of(self, "300M", "mkfs.xfs", &["-f"]),
        }
    }
}

/// A mounted file system.
pub(crate) struct LoopDisk {
    kind: FileSystem,
    image: PathBuf,
    mount: PathBuf,
    _folder: TempDir,
}

impl LoopDisk {
    /// Makes one of this size; `features` are words for `mkfs.ext4`.
    pub(crate) fn new(size: &str, features: &[&str]) -> Self {
        Self::of(FileSystem::Ext4, size, "mkfs.ext4", &[features, &["-F"]].concat())
    }

    fn of(kind: FileSystem, size: &str, maker: &str, words: &[&str]) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() };
        let (image, mount) = (folder.path().join("image"), folder.path().join("mount"));
        fs::create_dir(&mount).unwrap();
        needed("truncate", &[&format!("--size={size}"), text(&image)]);
        needed(maker, &[words, &["-q", text(&image)]].concat());
        let disk = Self { kind, image, mount, _folder: folder };
        disk.mount();
        disk
    }

    /// Where a store may lie.
    pub(crate) fn folder(&self) -> PathBuf {
        self.mount.join("store")
    }

    pub(crate) fn root(&self) -> &Path {
        &self.mount
    }

    fn mount(&self) {
        needed("mount", &["-o", "loop", text(&self.image), text(&self.mount)]);
    }

    /// Another program makes a file of its own durable: names that were given go to the disk with it, but not what the
    /// files of other programs hold.
    pub(crate) fn sync_a_neighbour(&self) {
        let neighbour = fs::File::create(self.mount.join("neighbour")).unwrap();
        neighbour.sync_all().unwrap();
    }

    /// Pulls the plug, and starts the machine again. Nobody may have a file open.
    pub(crate) fn lose_power(&self) {
        needed("python3", &["-c", SHUT_DOWN, text(&self.mount)]);
        self.unmount();
        if self.kind == FileSystem::Ext4WithoutJournal {
            // Ends with 1 if there was something to correct, as is to be expected.
            let _ = Command::new("e2fsck").args(["-f", "-y", text(&self.image)]).output().unwrap();
        }
        self.mount();
        let boot = self.folder().join("st/boot");
        if fs::symlink_metadata(&boot).is_ok() {
            fs::remove_file(&boot).unwrap();
            std::os::unix::fs::symlink("an earlier start", &boot).unwrap();
        }
    }

    /// The kernel may still be writing for a moment.
    fn unmount(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !Command::new("umount").arg(&self.mount).output().unwrap().status.success() {
            assert!(Instant::now() < deadline, "{} is still in use", self.mount.display());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.mount).status();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a program that must be there and succeed.
fn needed(program: &str, words: &[&str]) {
    let help = format!(
        "this test needs root, loop devices, mkfs.ext4 (Debian: e2fsprogs; for XFS xfsprogs) and python3; \
         where that can not be, {LEAVE_OUT}=1 leaves it out"
    );
    match Command::new(program).args(words).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{program} {words:?}: {}\n{help}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("{program} can not be started: {error}\n{help}"),
    }
}
