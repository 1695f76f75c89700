//! The command line: which subcommands there are, and who does each.
//!
//! What people read goes to standard error, what scripts read (`--json`) to standard output.

mod build;
mod export;
mod import;
pub(crate) mod installation;
mod migrate;
mod progress;
mod releases;
pub(crate) mod report;
mod token;
mod user;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::installation::SettingsArgs;
use crate::up;

/// Microblog: write Markdown, publish a site.
///
/// Without a subcommand it starts everything, as `microblog up` does.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 misused.")]
pub(crate) struct Cli {
    #[command(flatten)]
    up: UpArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(UpArgs),
    Build(build::BuildArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Releases(releases::ReleasesArgs),
    User(user::UserArgs),
    Token(token::TokenArgs),
    Migrate(migrate::MigrateArgs),
    Check(migrate::CheckArgs),
}

/// Start everything in one process: dashboard and API on :8000, the site on :8080. Makes what is missing.
#[derive(Debug, Args)]
struct UpArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command.unwrap_or(Command::Up(self.up)) {
            Command::Up(args) => up::run(args.settings.load()?),
            Command::Build(args) => build::run(&args),
            Command::Import(args) => import::run(&args),
            Command::Export(args) => export::run(&args),
            Command::Releases(args) => releases::run(&args),
            Command::User(args) => user::run(args),
            Command::Token(args) => token::run(args),
            Command::Migrate(args) => migrate::run(&args),
            Command::Check(args) => migrate::check(&args),
        }
    }
}
