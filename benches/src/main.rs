//! Benchmarks: the release program run as people run it, and the kernel asked what that took.
//!
//! Owns what is measured, how, and against which target. Asserts nothing: a number depends on the machine, so it is
//! printed, with its target beside it, for a person to judge. Whether the program is right is for the tests.
//!
//! [`measure`] has one module for each benchmark, which is where to start reading. [`sample`] makes the sites that they
//! work on, [`child`] runs programs and [`installation`] a whole Microblog; [`report`] prints.

mod child;
mod client;
mod installation;
mod interrupt;
mod machine;
mod measure;
mod place;
mod program;
mod report;
mod sample;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use machine::Machine;
use measure::{Benchmark, Plan};
use report::Report;

/// Where folders of the disk are made: beside what else is built.
const DISK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench");

/// Measures the release program and prints the numbers with their targets.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// What to measure; everything if nothing is named.
    names: Vec<Benchmark>,
    /// How many posts the generated sites have.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1_000, 10_000])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    posts: Vec<u32>,
    /// A folder of posts to measure with, in place of the generated sites.
    #[arg(long, value_name = "DIR", env = "MICROBLOG_BENCH_CONTENT")]
    content: Option<PathBuf>,
    /// How often each thing is done.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    runs: u16,
    /// How many posts are edited, one after the other.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    edits: u16,
    /// A folder for what is written to disk; it is emptied again.
    #[arg(long, value_name = "DIR", default_value = DISK)]
    disk: PathBuf,
    /// Measure this program rather than build one.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.json;
    match run(args).and_then(|report| if json { report.print_json() } else { report.print_table() }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<Report> {
    interrupt::listen()?;
    let program = program::find_or_build(args.program)?;
    let machine = Machine::look()?;
    let mut plan = Plan::prepare(program, &args.disk, args.runs, args.edits)?;
    plan.choose_sites(args.content, &args.posts)?;
    let rows = plan.measure(&args.names)?;
    Ok(Report { machine, load_after: machine::load()?, rows })
}

/// Tells whoever waits how far it is; the numbers go to standard output.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
