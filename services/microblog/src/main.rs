//! The program `microblog`: parse the command line, do it, say what went wrong, end with 0 (done), 1 (failed) or
//! 2 (misuse).
//!
//! Start reading at [`cli`]: one module for each subcommand.

mod cli;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    cli.run().unwrap_or_else(|error| cli::report::failure(&error))
}
