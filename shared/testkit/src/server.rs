//! Servers that tests start, on free ports and in folders of their own, and that never outlive the test process.
//!
//! A test process can end in ways in which nothing of it runs any more. So a small shell waits at the end of a pipe that
//! only this process holds open; when the pipe breaks, it kills every server and removes the folders.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// Once its input ends, kills the process groups whose numbers stand in `*.pid` of the folder, and removes the folders that
/// are named in its file `elsewhere`.
const WATCH: &str = r#"
cat >/dev/null
for file in "$0"/*.pid; do
    kill -s KILL -- "-$(cat "$file")"
done
sleep 1
while read -r folder; do
    rm -rf "$folder"
done <"$0/elsewhere"
rm -rf "$0"
"#;

/// The list of folders in other places.
const ELSEWHERE: &str = "elsewhere";

/// Writes the number of its process group, then becomes the server.
const BECOME: &str = r#"echo $$ >"$0"; exec "$@""#;

/// The folder of all servers of this test process. It vanishes with the process.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    &FOLDER.get_or_init(watched_folder).0
}

/// The shell, with its end of the pipe, is kept for as long as the process lives.
fn watched_folder() -> (PathBuf, Child) {
    let folder = tempfile::Builder::new().prefix("microblog-servers-").tempdir().expect("a temporary folder").keep();
    // Servers that run as another user must come through.
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&folder, everybody).expect("a folder of our own");
    fs::write(folder.join(ELSEWHERE), "").expect("a folder of our own");
    let mut watch = Command::new("sh");
    watch.args(["-c", WATCH]).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let watch = watch.process_group(0).spawn().expect("a shell");
    (folder, watch)
}

/// A folder that vanishes with the process although it has to be in another place.
pub(crate) fn folder_elsewhere(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let mut list = fs::OpenOptions::new().append(true).open(self::folder().join(ELSEWHERE)).expect("a list of ours");
    writeln!(list, "{}", folder.display()).expect("a list of ours");
}

/// A port that nobody listens on at this moment.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

/// An address of this machine that is no other process's: to Linux, all of 127.0.0.0/8 is this machine.
#[must_use]
pub fn own_address() -> Ipv4Addr {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}

/// A place to listen at that nobody else is told of, for servers that are started again there.
#[must_use]
pub fn free_address() -> SocketAddr {
    static GIVEN: Mutex<BTreeSet<SocketAddr>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind((own_address(), 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(address) {
            return address;
        }
    }
}

/// A server and the processes that it started.
#[derive(Debug)]
pub struct ServerProcess {
    name: String,
    child: Mutex<Option<Child>>,
}

impl ServerProcess {
    /// Starts the program of `command` as the leader of a group. What it says goes to a file that [`Self::log`] reads.
    ///
    /// # Errors
    /// When the program is missing.
    pub fn start(name: &str, command: &Command) -> io::Result<Self> {
        let server = Self { name: name.to_owned(), child: Mutex::new(None) };
        server.start_again(command)?;
        Ok(server)
    }

    /// Starts it once more, after it ended.
    ///
    /// # Errors
    /// When the program is missing.
    pub fn start_again(&self, command: &Command) -> io::Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.file("log"))?;
        let mut shell = Command::new("sh");
        shell.args(["-c", BECOME]).arg(self.file("pid")).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        shell.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        *self.child() = Some(shell.spawn()?);
        Ok(())
    }

    /// Ends it at once, without letting it finish anything.
    pub fn kill(&self) {
        self.end(Signal::KILL);
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(&self) {
        self.end(Signal::TERM);
    }

    /// The same by SIGINT, which some servers take as: end soon, whoever is connected.
    pub fn interrupt(&self) {
        self.end(Signal::INT);
    }

    /// Stops it in the middle of what it does (SIGSTOP).
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it ended by itself.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.child().as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// How it is, for whoever reads why a test failed: ended and how, or what each of its processes does, with the
    /// seconds that it is old and the processor time that it got.
    #[must_use]
    pub fn state(&self) -> String {
        let mut child = self.child();
        let Some(child) = child.as_mut() else { return "was ended by the test".to_owned() };
        match child.try_wait() {
            Ok(Some(status)) => format!("ended ({status})"),
            _ => format!("runs:\n{}", processes_of(child.id())),
        }
    }

    /// What it said.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    fn end(&self, signal: Signal) {
        self.signal(signal);
        if let Some(mut child) = self.child().take() {
            child.wait().expect("a child of ours");
            let _ = fs::remove_file(self.file("pid"));
        }
    }

    fn signal(&self, signal: Signal) {
        let group = self.child().as_ref().and_then(|child| Pid::from_raw(child.id().try_into().ok()?));
        if let Some(group) = group {
            // It may have ended already.
            let _ = kill_process_group(group, signal);
        }
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, extension: &str) -> PathBuf {
        folder().join(format!("{}.{extension}", self.name))
    }
}

/// Lines of `ps`, for the processes of one group.
fn processes_of(group: u32) -> String {
    let ps = Command::new("ps").args(["-e", "-o", "pgid=,pid=,stat=,ni=,etimes=,time=,args="]).output();
    let ps = ps.map_or_else(|error| error.to_string(), |ps| String::from_utf8_lossy(&ps.stdout).into_owned());
    let group = group.to_string();
    let lines = ps.lines().filter(|line| line.split_whitespace().next() == Some(&group));
    lines.map(|line| line.chars().take(120).collect()).collect::<Vec<String>>().join("\n")
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
