//! A Microblog that runs: as one process, or as several that work together.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::Pid;

use crate::child::{Child, Usage};
use crate::client::Client;
use crate::interrupt;

/// How long anything may take here before it counts as never.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// How often something that is awaited is looked at: seldom enough to leave the cores to what is measured.
const LOOK: Duration = Duration::from_millis(1);
/// A server that uses less than [`IDLE_TICKS`] in this time has nothing left to do.
const CALM: Duration = Duration::from_secs(1);
const IDLE_TICKS: u64 = 3;
/// The clock that the kernel counts processor time by.
const TICKS_A_SECOND: f64 = 100.0;

/// An address of this machine that nobody listens on at this moment.
pub(crate) fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.to_string())
}

/// `microblog up`, or the services and what serves their site.
pub(crate) struct Server {
    /// The first answers the API.
    processes: Vec<Child>,
    started: Instant,
    api: String,
    site: String,
    builder: String,
    client: Client,
}

impl Server {
    /// Starts all processes. The addresses are those of the API, of the site, and of the builder's metrics.
    pub(crate) fn start(commands: Vec<Command>, api: &str, site: &str, builder: &str) -> anyhow::Result<Self> {
        let started = Instant::now();
        let processes = commands.into_iter().map(|mut command| Child::start(&mut command));
        let [api, site, builder] = [api, site, builder].map(|address| format!("http://{address}"));
        Ok(Self {
            processes: processes.collect::<anyhow::Result<_>>()?,
            started,
            api,
            site,
            builder,
            client: Client::new(),
        })
    }

    /// Waits until it can be used. Tells how long that took from its start.
    pub(crate) fn wait_until_ready(&self) -> anyhow::Result<Duration> {
        for service in [&self.api, &self.builder] {
            self.wait_for(&format!("{service}/health/ready"), |status, _| status == 200)?;
        }
        Ok(self.started.elapsed())
    }

    /// What `/metrics` of the builder says.
    pub(crate) fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.client.read(&format!("{}/metrics", self.builder))?.1)
    }

    /// What `/metrics` of the API says.
    pub(crate) fn api_metrics(&self) -> anyhow::Result<String> {
        Ok(self.client.read(&format!("{}/metrics", self.api))?.1)
    }

    /// Where readers find the site.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// The number of its first process.
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.processes.first().map(Child::pid)
    }

    /// The single processes, the API first.
    pub(crate) fn processes(&self) -> &[Child] {
        &self.processes
    }

    /// The processor time that it used so far.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok(self.cpu_ticks()? as f64 / TICKS_A_SECOND)
    }

    fn cpu_ticks(&self) -> anyhow::Result<u64> {
        self.processes.iter().map(Child::cpu_ticks).sum()
    }

    /// Waits until it has done what it does when nobody wants anything.
    pub(crate) fn wait_until_idle(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        let mut before = self.cpu_ticks()?;
        loop {
            interrupt::pause(CALM)?;
            let now = self.cpu_ticks()?;
            if now - before <= IDLE_TICKS {
                return Ok(());
            }
            before = now;
            ensure!(since.elapsed() < PATIENCE, "the server did not come to rest within {PATIENCE:?}");
        }
    }

    /// Waits until readers get a page that is as it should be.
    pub(crate) fn wait_for_page(&self, path: &str, is_right: impl Fn(u16, &str) -> bool) -> anyhow::Result<()> {
        self.wait_for(&format!("{}{path}", self.site), is_right)
    }

    fn wait_for(&self, url: &str, is_right: impl Fn(u16, &str) -> bool) -> anyhow::Result<()> {
        let since = Instant::now();
        loop {
            // A server that is starting refuses connections.
            if self.client.read(url).is_ok_and(|(status, text)| is_right(status, &text)) {
                return Ok(());
            }
            self.processes.iter().try_for_each(Child::must_run)?;
            ensure!(since.elapsed() < PATIENCE, "{url} did not become what it should within {PATIENCE:?}");
            interrupt::pause(LOOK)?;
        }
    }

    /// Asks the API for something, as the owner of a token.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&serde_json::Value>,
    ) -> anyhow::Result<serde_json::Value> {
        self.client.ask(method, &format!("{}/api/v1{path}", self.api), token, body)
    }

    /// The memory that it holds now.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.processes.iter().map(Child::resident_bytes).sum()
    }

    /// Ends it in order. Tells what all of it took.
    pub(crate) fn stop(self) -> anyhow::Result<Usage> {
        let used = self.processes.into_iter().map(|process| process.stop(PATIENCE));
        let used = used.collect::<anyhow::Result<Vec<_>>>()?;
        used.into_iter().reduce(Usage::beside).context("there was no process")
    }
}
