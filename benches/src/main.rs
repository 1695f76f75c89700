//! Benchmarks: the release program run as people run it, beside Hugo, and the kernel asked what that took.
//!
//! Owns what is measured, how, and against which target. Asserts nothing: a number depends on the machine, so it is
//! printed, with its target beside it, for a person to judge. Whether the program is right is for the tests.
//!
//! [`measure`] has one module for each benchmark, which is where to start reading. [`sample`] makes the sites that they
//! work on, [`child`] runs programs, [`hugo`] and [`floor`] are what ours is compared with, and [`installation`] is a
//! whole Microblog, of which [`server`] is what runs; [`report`] prints.

mod child;
mod client;
mod floor;
mod hugo;
mod installation;
mod interrupt;
mod machine;
mod measure;
mod nginx;
mod output;
mod place;
mod program;
mod report;
mod sample;
mod server;
mod servers;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser;

use hugo::Hugo;
use machine::Machine;
use measure::{Benchmark, Effort, Places, Plan};
use place::Medium;
use report::Report;
use sample::Addresses;

/// Where folders of the disk are made: beside what else is built.
const DISK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench");

/// Measures the release program and prints the numbers with their targets.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// What to measure; everything if nothing is named.
    names: Vec<Benchmark>,
    /// How many posts the generated sites have.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    posts: Vec<u32>,
    /// Where the generated sites have their posts.
    #[arg(long, value_name = "SHAPE", value_delimiter = ',', default_values_t = [Addresses::Dated], value_enum)]
    addresses: Vec<Addresses>,
    /// A folder of posts to measure with, in place of the generated sites. May be given repeatedly.
    #[arg(long, value_name = "DIR", env = "MICROBLOG_BENCH_CONTENT")]
    content: Vec<PathBuf>,
    /// A whole site for Hugo, with theme and settings, that has the same posts: one for each --content.
    #[arg(long, value_name = "DIR", requires = "content")]
    hugo: Vec<PathBuf>,
    /// The program to compare with; otherwise `hugo` on the path.
    #[arg(long, value_name = "FILE")]
    hugo_bin: Option<PathBuf>,
    /// Fail where there is no Hugo, rather than measure ours alone.
    #[arg(long)]
    require_hugo: bool,
    #[command(flatten)]
    effort: Effort,
    /// Where builds write to.
    #[arg(long, value_name = "MEDIUM", value_delimiter = ',', default_values_t = [Medium::Tmpfs, Medium::Disk], value_enum)]
    on: Vec<Medium>,
    /// A folder for what is written to disk; it is emptied again.
    #[arg(long, value_name = "DIR", default_value = DISK)]
    disk: PathBuf,
    /// Keep generated sites and installations with their posts here, and take those that are here already.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Measure this program rather than build one.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Be the least that any builder must do, and nothing else: `floor` says why.
    #[arg(long, hide = true, num_args = 2, value_names = ["CONTENT", "OUTPUT"])]
    floor: Option<Vec<PathBuf>>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.json;
    let done = match args.floor.as_deref() {
        Some([content, output]) => floor::build(content, output),
        _ => run(args).and_then(|report| if json { report.print_json() } else { report.print_table() }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<Report> {
    interrupt::listen()?;
    let lacks_site = args.hugo.is_empty() && !args.content.is_empty();
    ensure!(!(args.require_hugo && lacks_site), "--require-hugo needs a site for Hugo: give --hugo beside --content");
    let hugo = Hugo::find(args.hugo_bin.as_deref(), args.require_hugo)?;
    let program = program::find_or_build(args.program)?;
    let machine = Machine::look()?;
    let version = hugo.as_ref().map(|hugo| hugo.version.clone());
    let places = Places { disk: &args.disk, builds_on: args.on, keep: args.keep };
    let mut plan = Plan::prepare(program, hugo, places, args.effort)?;
    if args.content.is_empty() {
        plan.make_sites(&args.posts, &args.addresses)?;
    } else {
        plan.take_sites(&args.content, &args.hugo)?;
    }
    let rows = plan.measure(&args.names)?;
    Ok(Report { machine, load_after: machine::load()?, hugo: version, rows })
}

/// Tells whoever waits how far it is; the numbers go to standard output.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
