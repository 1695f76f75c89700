//! A file system of its own on a loop device, whose power can be cut: needs root, `mkfs.ext4` and loop devices.
//!
//! The cut is `EXT4_IOC_SHUTDOWN` without the log: from then on nothing reaches the disk, as when the plug is pulled. The
//! call would need `unsafe` from Rust, device mapper is missing from many kernels, and `xfs_io` is a package of its own, so
//! Python makes it, which has `ioctl` in its standard library.

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

/// A mounted file system.
pub(crate) struct LoopDisk {
    image: PathBuf,
    mount: PathBuf,
    _folder: TempDir,
}

impl LoopDisk {
    /// Makes one of this size; `features` are words for `mkfs.ext4`.
    pub(crate) fn new(size: &str, features: &[&str]) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() };
        let (image, mount) = (folder.path().join("image"), folder.path().join("mount"));
        fs::create_dir(&mount).unwrap();
        needed("truncate", &[&format!("--size={size}"), text(&image)]);
        needed("mkfs.ext4", &[features, &["-q", "-F", text(&image)]].concat());
        let disk = Self { image, mount, _folder: folder };
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
        "this test needs root, loop devices, mkfs.ext4 (Debian: e2fsprogs) and python3; \
         where that can not be, {LEAVE_OUT}=1 leaves it out"
    );
    match Command::new(program).args(words).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{program} {words:?}: {}\n{help}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("{program} can not be started: {error}\n{help}"),
    }
}
