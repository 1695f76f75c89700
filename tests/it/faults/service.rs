//! One of the services under test: a process that is started again whenever it ends, as every service manager does it, and
//! that reaches database and broker over wires of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use microblog_testkit::{Proxy, ServerProcess};
use ureq::http::StatusCode;

/// A probe that takes longer has failed.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// A service.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// Between it and the database.
    pub(crate) database: Proxy,
    /// Between it and the broker.
    pub(crate) broker: Proxy,
    command: Command,
    process: ServerProcess,
    clock: PathBuf,
    life: Mutex<Life>,
    ended_by_itself: AtomicBool,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill();
        sweep();
    }
}

/// What whoever starts it again has to know.
#[derive(Debug, Default)]
struct Life {
    was_ended: bool,
    revive_at: Option<Instant>,
}

/// What a service is made of.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) database: Proxy,
    pub(crate) broker: Proxy,
    pub(crate) command: Command,
    /// A folder for its clock.
    pub(crate) folder: PathBuf,
}

impl Service {
    /// Starts one.
    pub(crate) fn start(parts: Parts) -> Self {
        let Parts { name, address, database, broker, mut command, folder } = parts;
        let clock = folder.join(format!("{name}.clock"));
        set_clock(&clock, 0);
        command.env("LD_PRELOAD", fake_clock()).env("FAKETIME_TIMESTAMP_FILE", &clock);
        // The time of day jumps, the time that passes does not.
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1");
        let process = ServerProcess::start(&name, &command).unwrap();
        let (life, ended_by_itself) = (Mutex::default(), AtomicBool::new(false));
        Self { name, address, database, broker, command, process, clock, life, ended_by_itself }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it at once: SIGKILL.
    pub(crate) fn kill(&self) {
        self.end(ServerProcess::kill);
    }

    /// Tells it to end, and waits until it has: SIGTERM.
    pub(crate) fn terminate(&self) {
        self.end(ServerProcess::terminate);
    }

    fn end(&self, how: impl FnOnce(&ServerProcess)) {
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        how(&self.process);
        life.was_ended = true;
    }

    /// Stops it in the middle of what it does: SIGSTOP.
    pub(crate) fn pause(&self) {
        self.process.pause();
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.process.resume();
    }

    /// Moves its time of day, by minutes from the right one.
    pub(crate) fn shift_clock(&self, minutes: i64) {
        set_clock(&self.clock, minutes);
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Whether it ended though nobody had told it to.
    pub(crate) fn ended_by_itself(&self) -> bool {
        self.ended_by_itself.load(Ordering::SeqCst)
    }

    /// Starts it again some moments after it ended.
    pub(crate) fn look_after(&self) {
        // Whoever ends it has the lock until it has ended.
        let Ok(mut life) = self.life.try_lock() else { return };
        if !self.process.has_ended() {
            return;
        }
        let spread = u64::from(self.address.port()) % 7;
        let now = Instant::now();
        let revive_at = *life.revive_at.get_or_insert(now + Duration::from_millis(100 + 60 * spread));
        if now >= revive_at {
            self.ended_by_itself.fetch_or(!life.was_ended, Ordering::SeqCst);
            *life = Life::default();
            sweep();
            self.process.start_again(&self.command).unwrap();
        }
    }

    /// Whether it says that it can work; if not, what it says.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PROBE_LIMIT));
        let agent: ureq::Agent = config.build().into();
        let told = |error: ureq::Error| format!("{}: {error}", self.name);
        let mut answer = agent.get(format!("{}/health/ready", self.url())).call().map_err(told)?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            _ => Err(format!("{}: {}", self.name, answer.body_mut().read_to_string().map_err(told)?)),
        }
    }
}

/// The file is read at any moment: it is put there whole.
fn set_clock(clock: &Path, minutes: i64) {
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{:+}", minutes * 60)).unwrap();
    std::fs::rename(new, clock).unwrap();
}

/// What the library leaves in memory for processes that were killed.
fn sweep() {
    for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = ["faketime_shm_", "sem.faketime_sem_"].iter().find_map(|lead| name.strip_prefix(lead));
        if owner.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The library that makes a program's clock wrong.
fn fake_clock() -> PathBuf {
    let places = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let library = places.map(|place| place.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file());
    library
        .expect("libfaketime is missing: install Debian's package faketime, or run `cargo xtask test`, which does that")
}
