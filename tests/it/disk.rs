//! A disk that can be full.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Set where nothing can be mounted, to leave full disks out knowingly.
const LEAVE_OUT: &str = "MICROBLOG_TEST_WITHOUT_MOUNTS";
/// Mounts, says so, and unmounts when its input ends: also when the test process ends in a way in which nothing of it runs.
const MOUNT: &str =
    r#"mount -t tmpfs -o size=96m,mode=755 microblog-test "$0" && echo mounted && cat >/dev/null; umount -l "$0""#;

/// A small file system in memory, or just a folder where nothing can be mounted.
pub(crate) struct Disk {
    folder: TempDir,
    mount: Option<Child>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("microblog-disk-").unwrap();
        let mount = (std::env::var_os(LEAVE_OUT).is_none()).then(|| mount(&folder));
        Self { folder, mount }
    }

    /// A folder on it, which its user makes.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether it can be filled without filling the machine's.
    pub(crate) fn can_be_full(&self) -> bool {
        self.mount.is_some()
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut ballast = fs::File::create(self.folder.path().join("ballast")).unwrap();
        while ballast.write_all(&[1; 4_096]).is_ok() {}
    }

    /// Takes all but so many bytes.
    pub(crate) fn fill_but(&self, bytes: u64) {
        self.fill();
        let ballast = fs::File::options().write(true).open(self.folder.path().join("ballast")).unwrap();
        ballast.set_len(ballast.metadata().unwrap().len().saturating_sub(bytes)).unwrap();
    }

    /// Gives the room back.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.folder.path().join("ballast")).unwrap();
    }
}

fn mount(folder: &TempDir) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", MOUNT]).arg(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let mut said = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut said).unwrap();
    assert_eq!(said, "mounted\n", "mounting needs root; where that can not be, {LEAVE_OUT}=1 leaves full disks out");
    shell
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(mut shell) = self.mount.take() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }
}
