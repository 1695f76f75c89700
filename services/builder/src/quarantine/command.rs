//! The subcommand by which a program examines posts for itself, and how it is called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use microblog_config::Settings;
use microblog_domain::ChangeSeq;
use microblog_process::open_store;

use super::probe;
use crate::workplace::desk_config;

/// Where the system keeps the program that runs, even if its file was replaced meanwhile.
const PLACE: &str = "/proc/self/exe";

/// The program that runs, to be started once more.
pub(crate) fn this_program() -> PathBuf {
    let elsewhere = || std::env::current_exe().unwrap_or_else(|_| PathBuf::from(PLACE));
    if Path::new(PLACE).exists() { PathBuf::from(PLACE) } else { elsewhere() }
}

/// How to start the process that renders posts one by one: a program that does what [`ProbeArgs`] says. The argument
/// `--before CHANGE` is added when it is to go on behind a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeCommand {
    /// The program.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
}

impl ProbeCommand {
    /// This program once more.
    #[must_use]
    pub fn of_this_program(arguments: Vec<OsString>) -> Self {
        Self { program: this_program(), arguments }
    }
}

/// Render posts one by one, to find one that crashes the renderer. The builder calls this by itself.
#[derive(Debug, Clone, Args)]
pub struct ProbeArgs {
    /// Go on behind the post with this change.
    #[arg(long, value_name = "CHANGE")]
    before: Option<u64>,
    /// Render so many at most.
    #[arg(long, value_name = "COUNT")]
    most: Option<usize>,
}

impl ProbeArgs {
    /// Does so.
    ///
    /// # Errors
    /// When the posts can not be read, or nobody listens.
    pub fn run(&self, settings: &Settings) -> anyhow::Result<ExitCode> {
        end_with_whoever_asked();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = open_store(settings).await?;
            let before = self.before.map(ChangeSeq);
            let most = self.most.unwrap_or(usize::MAX);
            probe(&store, &desk_config(settings), before, most, &mut std::io::stdout()).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Whoever asked holds the other end of our input for as long as they live. A post that never ends would keep this process
/// for ever otherwise.
#[expect(clippy::disallowed_methods, reason = "the main thread may be in a post that never ends")]
fn end_with_whoever_asked() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(NOBODY_LISTENS);
    });
}

/// What it exits with then.
const NOBODY_LISTENS: i32 = 1;
