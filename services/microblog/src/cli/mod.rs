//! The command line: which subcommands there are, and who does each.
//!
//! What people read goes to standard error, what scripts read (`--json`) to standard output.

mod build;
mod export;
mod import;
pub(crate) mod installation;
mod migrate;
mod output;
mod progress;
mod releases;
mod token;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use microblog_builder::{ProbeArgs, Stuck};
use microblog_process::{HealthcheckArgs, SettingsArgs};

pub(crate) use microblog_process::report;

use crate::up;

/// Microblog: write Markdown, publish a site.
///
/// Without a subcommand it starts everything, as `microblog up` does.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit status: 0 done, 1 failed, 2 misused.")]
pub(crate) struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything in one process: dashboard and API on :8000, the site on :8080. Makes what is missing.
    Up,
    Build(build::BuildArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Releases(releases::ReleasesArgs),
    User(user::UserArgs),
    Token(token::TokenArgs),
    /// Bring the database up to date, or make it. The program does so at every start, too.
    Migrate,
    /// Check settings, database, releases and theme without starting anything.
    Check,
    Healthcheck(HealthcheckArgs),
    #[command(hide = true)]
    Probe(ProbeArgs),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = || self.settings.load();
        match self.command.unwrap_or(Command::Up) {
            Command::Up => Stuck::replace_process(up::run(&self.settings)),
            Command::Build(args) => build::run(&args),
            Command::Import(args) => import::run(&args, &settings()?),
            Command::Export(args) => export::run(&args, &settings()?),
            Command::Releases(args) => releases::run(&args, &settings()?),
            Command::User(args) => user::run(args, &settings()?),
            Command::Token(args) => token::run(args, &settings()?),
            Command::Migrate => migrate::run(&settings()?),
            Command::Check => migrate::check(&settings()?),
            Command::Healthcheck(args) => Ok(args.run(settings()?.server.listen)),
            Command::Probe(args) => args.run(&settings()?),
        }
    }
}
