//! A whole Microblog in a folder of its own: made, filled, started and stopped by its command line.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::process::Pid;

use crate::child::{Child, Usage};
use crate::client::Client;
use crate::interrupt;
use crate::place::Place;
use crate::program::Program;

/// How long anything may take here before it counts as never.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// An import of 100,000 posts takes minutes, and much longer where others want the disk.
const IMPORT_PATIENCE: Duration = Duration::from_secs(7_200);
/// How often something that is awaited is looked at: seldom enough to leave the cores to what is measured.
const LOOK: Duration = Duration::from_millis(1);
/// A server that uses less than [`IDLE_TICKS`] in this time has nothing left to do.
const CALM: Duration = Duration::from_secs(1);
const IDLE_TICKS: u64 = 3;
/// The clock that the kernel counts processor time by.
const TICKS_A_SECOND: f64 = 100.0;

/// Written last, so that an installation of which a part is missing is not taken for one.
const TOKEN_FILE: &str = "token";

/// A data folder and a build folder, both empty at first.
pub(crate) struct Installation {
    program: Program,
    folder: PathBuf,
}

/// An installation with posts.
pub(crate) struct Filled {
    pub(crate) installation: Installation,
    /// Of its owner.
    pub(crate) token: String,
    /// What taking in the posts took, unless they were there already.
    pub(crate) import: Option<Usage>,
}

impl Installation {
    pub(crate) fn new(program: &Program, place: &Place) -> anyhow::Result<Self> {
        Ok(Self { program: program.clone(), folder: place.new_folder("installation-")? })
    }

    /// Takes in the posts of a folder; what is to be kept is taken as it was left, if it is there.
    pub(crate) fn filled(
        program: &Program,
        place: &Place,
        kept: Option<PathBuf>,
        content: &Path,
    ) -> anyhow::Result<Filled> {
        let installation = match kept {
            None => Self::new(program, place)?,
            Some(folder) => Self::kept(program, &folder)?,
        };
        let token_file = installation.folder.join(TOKEN_FILE);
        if let Ok(token) = fs::read_to_string(&token_file) {
            return Ok(Filled { installation, token, import: None });
        }
        let token = installation.make_token()?;
        let import = installation.import(content)?;
        fs::write(token_file, &token)?;
        Ok(Filled { installation, token, import: Some(import) })
    }

    /// Whatever an import that did not come to its end left behind goes first.
    fn kept(program: &Program, folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() && !folder.join(TOKEN_FILE).exists() {
            fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { program: program.clone(), folder: folder.canonicalize()? })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.program.command(words);
        // One client does in a minute what an owner does in a week.
        command.current_dir(&self.folder);
        command.args(["--set", "rate_limit.owner=1000000", "--set", "rate_limit.builds=1000000"]);
        command.args(["--set", "server.drain=0s"]);
        command
    }

    /// Adds an owner and makes a token for programs.
    fn make_token(&self) -> anyhow::Result<String> {
        let mut owner = self.command(&["user", "add", "owner", "--role", "owner", "--password-stdin"]);
        answer(&mut owner, "a password for measuring\n").context("adding an owner")?;
        let mut token = self.command(&[
            "token", "create", "--user", "owner", "--scope", "read", "--scope", "write", "--scope", "admin",
        ]);
        Ok(answer(&mut token, "").context("making a token")?.trim().to_owned())
    }

    /// Takes in the posts of a folder.
    fn import(&self, content: &Path) -> anyhow::Result<Usage> {
        let content = content.to_str().context("the path of the content is not UTF-8")?;
        Child::run(&mut self.command(&["import", content]), IMPORT_PATIENCE)
    }

    /// Starts the server on ports that are free.
    pub(crate) fn start(&self) -> anyhow::Result<Server> {
        let (api, site) = (free_address()?, free_address()?);
        let mut command = self.command(&["up"]);
        command.args(["--set", &format!("server.listen={api}"), "--set", &format!("site.listen={site}")]);
        let started = Instant::now();
        let child = Child::start(&mut command)?;
        let server = Server {
            child,
            started,
            api: format!("http://{api}"),
            site: format!("http://{site}"),
            client: Client::new(),
        };
        Ok(server)
    }
}

/// Runs a command that reads a line and prints its result.
fn answer(command: &mut Command, line: &str) -> anyhow::Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("it has no standard input")?.write_all(line.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "it failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.to_string())
}

/// A running `microblog up`.
pub(crate) struct Server {
    child: Child,
    started: Instant,
    api: String,
    site: String,
    client: Client,
}

impl Server {
    /// Waits until it can be used. Tells how long that took from its start.
    pub(crate) fn wait_until_ready(&self) -> anyhow::Result<Duration> {
        let url = format!("{}/health/ready", self.api);
        self.wait_for(&url, |status, _| status == 200)?;
        Ok(self.started.elapsed())
    }

    /// What `/metrics` says.
    pub(crate) fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.client.read(&format!("{}/metrics", self.api))?.1)
    }

    /// Where readers find the site.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> Pid {
        self.child.pid()
    }

    /// The processor time that it used so far.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok(self.child.cpu_ticks()? as f64 / TICKS_A_SECOND)
    }

    /// Waits until it has done what it does when nobody wants anything.
    pub(crate) fn wait_until_idle(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        let mut before = self.child.cpu_ticks()?;
        loop {
            interrupt::pause(CALM)?;
            let now = self.child.cpu_ticks()?;
            if now - before <= IDLE_TICKS {
                return Ok(());
            }
            before = now;
            ensure!(since.elapsed() < PATIENCE, "microblog up did not come to rest within {PATIENCE:?}");
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
            self.child.must_run().context("microblog up")?;
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
        self.child.resident_bytes()
    }

    /// Ends it in order.
    pub(crate) fn stop(self) -> anyhow::Result<Usage> {
        self.child.stop(PATIENCE).context("microblog up")
    }
}
