//! Services that stand still in the middle of what they do (SIGSTOP), and what others must do meanwhile before they go on.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::CLIENTS;
use super::course::PATIENCE;
use super::service::Service;
use super::stack::Stack;

/// Who has which build, by which claim.
const CLAIM: &str = "SELECT worker, id, lease_number FROM builds WHERE state = 'running'";

/// How often a builder is stopped to find it without the lock of the releases.
const TRIES: u32 = 10;

impl Stack {
    /// Stops a replica of the API, whatever it does at this moment.
    pub(crate) fn pause_api<'a>(&'a self, api: &'a Service) -> PausedApi<'a> {
        api.pause();
        PausedApi { stack: self, api, kept: self.kept() }
    }

    /// How many texts the database holds.
    fn kept(&self) -> u64 {
        self.query("SELECT count(*) FROM revisions")[0].parse().unwrap()
    }

    /// Waits until a builder is in the middle of a build, and stops it there: if that can be had, before it has the lock of
    /// the releases, so that another one can overtake it.
    pub(crate) fn pause_who_builds(&self) -> PausedBuilder<'_> {
        let (since, mut tries) = (Instant::now(), 0);
        loop {
            if let Some((builder, claim)) = self.who_builds() {
                builder.pause();
                tries += 1;
                let paused = PausedBuilder { stack: self, builder, claim };
                if paused.has_its_build() && (tries > TRIES || !self.releases_are_held()) {
                    return paused;
                }
                builder.resume();
            }
            assert!(since.elapsed() < PATIENCE, "nobody builds: {}", self.state());
        }
    }

    /// Whether somebody holds the lock of the release store.
    fn releases_are_held(&self) -> bool {
        let mut flock = Command::new("flock");
        flock.arg("--nonblock").arg(self.disk.folder("build").join("lock")).arg("true");
        !flock.status().unwrap().success()
    }

    /// A builder, and what says that it has a build. Builders are called after their address, and a mark.
    fn who_builds(&self) -> Option<(&Service, String)> {
        let claim = self.query(CLAIM).pop()?;
        let address = claim.split(['|', ' ']).next()?.parse::<SocketAddr>().ok()?;
        let builder = self.services().into_iter().find(|service| service.address == address)?;
        Some((builder, claim))
    }
}

/// A builder that stands still in the middle of a build.
pub(crate) struct PausedBuilder<'a> {
    stack: &'a Stack,
    builder: &'a Service,
    claim: String,
}

impl PausedBuilder<'_> {
    fn has_its_build(&self) -> bool {
        self.stack.query(CLAIM).contains(&self.claim)
    }

    /// Lets it go on once another one has its build; or at once if it was stopped while it held the releases, since then
    /// nobody else may take a build.
    pub(crate) fn resume_when_replaced(self) {
        let since = Instant::now();
        while self.has_its_build() && !self.stack.releases_are_held() {
            assert!(since.elapsed() < PATIENCE, "nobody takes over: {}", self.stack.state());
            std::thread::sleep(Duration::from_millis(100));
        }
        self.builder.resume();
    }
}

/// A replica of the API that stands still.
pub(crate) struct PausedApi<'a> {
    stack: &'a Stack,
    api: &'a Service,
    /// How many texts were kept when it was stopped.
    kept: u64,
}

impl PausedApi<'_> {
    /// Lets it go on once the other one has kept more texts than can have been on their way.
    pub(crate) fn resume_when_others_went_on(self) {
        let since = Instant::now();
        while self.stack.kept() <= self.kept + 2 * CLIENTS as u64 {
            assert!(since.elapsed() < PATIENCE, "the other replica does not go on: {}", self.stack.state());
            std::thread::sleep(Duration::from_millis(100));
        }
        self.api.resume();
    }
}
