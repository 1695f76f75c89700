//! The command line: which subcommands there are, and who does each.
//!
//! What people read goes to standard error, what scripts read (`--json`) to standard output.

mod build;
mod progress;
pub(crate) mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Microblog: write Markdown, publish a site.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = "Exit status: 0 done, 1 failed, 2 misused.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::BuildArgs),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Build(args) => build::run(&args),
        }
    }
}
