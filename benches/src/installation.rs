//! A whole Microblog in a folder of its own: made, filled and started by its command line. What runs then is a
//! [`Server`].

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::child::{Child, Usage};
use crate::nginx;
use crate::place::Place;
use crate::program::Program;
use crate::server::{Server, free_address};

/// An import of 100,000 posts takes minutes, and much longer where others want the disk.
const IMPORT_PATIENCE: Duration = Duration::from_secs(7_200);

/// Written last, so that an installation of which a part is missing is not taken for one.
const TOKEN_FILE: &str = "token";

/// A data folder and a build folder, both empty at first.
pub(crate) struct Installation {
    program: Program,
    folder: PathBuf,
    /// Where its database and its queue are, if they are not its own.
    settings: Vec<String>,
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
        Ok(Self { program: program.clone(), folder: place.new_folder("installation-")?, settings: Vec::new() })
    }

    /// What is to be kept is taken as it was left, if it is there.
    pub(crate) fn new_or_kept(program: &Program, place: &Place, kept: Option<PathBuf>) -> anyhow::Result<Self> {
        kept.map_or_else(|| Self::new(program, place), |folder| Self::kept(program, &folder))
    }

    /// The same with these settings: `key=value`.
    pub(crate) fn with(self, settings: Vec<String>) -> Self {
        Self { settings, ..self }
    }

    /// Whether its posts were taken in.
    pub(crate) fn is_filled(&self) -> bool {
        self.folder.join(TOKEN_FILE).exists()
    }

    /// Takes in the posts of a folder, unless they are there.
    pub(crate) fn fill(self, content: &Path) -> anyhow::Result<Filled> {
        let installation = self;
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
        Ok(Self { program: program.clone(), folder: folder.canonicalize()?, settings: Vec::new() })
    }

    fn command(&self, words: &[&str]) -> Command {
        self.command_of(&self.program, words)
    }

    fn command_of(&self, program: &Program, words: &[&str]) -> Command {
        let mut command = program.command(words);
        // One client does in a minute what an owner does in a week.
        command.current_dir(&self.folder);
        command.args(["--set", "rate_limit.owner=1000000", "--set", "rate_limit.builds=1000000"]);
        command.args(["--set", "server.drain=0s"]);
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting]));
        command
    }

    /// Adds an owner and makes a token for programs.
    pub(crate) fn make_token(&self) -> anyhow::Result<String> {
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
        Server::start(vec![command], &api, &site, &api)
    }

    /// Starts the two services, and nginx for readers.
    pub(crate) fn start_services(&self) -> anyhow::Result<Server> {
        let (api, builder, site) = (free_address()?, free_address()?, free_address()?);
        let nginx = nginx::command(&self.folder, &site)?;
        Server::start(vec![self.api(&api)?, self.builder(&builder)?, nginx], &api, &site, &builder)
    }

    /// `microblog-api` at an address.
    pub(crate) fn api(&self, address: &str) -> anyhow::Result<Command> {
        let mut api = self.command_of(&self.program.service("microblog-api")?, &[]);
        api.args(["--set", &format!("server.listen={address}")]);
        Ok(api)
    }

    /// `microblog-builder` at an address.
    pub(crate) fn builder(&self, address: &str) -> anyhow::Result<Command> {
        let mut builder = self.command_of(&self.program.service("microblog-builder")?, &[]);
        builder.args(["--set", &format!("builder.listen={address}"), "--set", "builder.name=measured"]);
        Ok(builder)
    }

    /// The link that is renamed when a release goes live.
    pub(crate) fn live(&self) -> PathBuf {
        self.folder.join("build/current")
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
