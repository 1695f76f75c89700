//! The benchmarks: one module each, and the order in which they run.

mod author;
mod build;
mod build_rows;
mod edit;
mod edit_rows;
mod entries;
mod numbered;
mod readers;
mod restart;
mod services;
mod start;
mod stream;
mod targets;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::ValueEnum;

use crate::hugo::Hugo;
use crate::installation::{Filled, Installation};
use crate::place::{Medium, Place};
use crate::program::Program;
use crate::report::Row;
use crate::sample::{Addresses, SampleSite};
use crate::say;

/// From so many posts on a site is built less often.
const LARGE_SITE: usize = 100_000;

/// What can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// `microblog build` beside Hugo: time, processor, memory, files.
    Build,
    /// `microblog up` in an empty folder: time until it is ready, memory when idle.
    Start,
    /// Edits and new posts on a warm worker, one after the other, until readers get them.
    Edit,
    /// Edits in a row, as fast as each goes live, while readers look on.
    Stream,
    /// A new start, then one edit.
    Restart,
    /// File-system entries of one edit, by strace.
    Entries,
    /// The two services over PostgreSQL and RabbitMQ: edits, one at a time and 50 a second; API; outbox; memory.
    Services,
}

/// How often things are done.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Effort {
    /// How often each thing is done.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    runs: u16,
    /// How often sites of 100,000 posts and more are built.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    large_runs: u16,
    /// How many edits are made, and how many new posts.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    edits: u16,
    /// For how many seconds edits follow each other as fast as they go live.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    stream: u16,
}

/// All that a benchmark needs.
pub(crate) struct Plan {
    program: Program,
    hugo: Option<Hugo>,
    disk: Place,
    memory: Option<Place>,
    builds_on: Vec<Medium>,
    keep: Option<PathBuf>,
    sites: Vec<SampleSite>,
    /// The sites in installations, as far as they were needed.
    filled: Vec<OnceCell<Filled>>,
    effort: Effort,
}

/// Where things are.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    pub(crate) disk: &'a Path,
    pub(crate) builds_on: Vec<Medium>,
    pub(crate) keep: Option<PathBuf>,
}

impl Plan {
    pub(crate) fn prepare(
        program: Program,
        hugo: Option<Hugo>,
        places: Places<'_>,
        effort: Effort,
    ) -> anyhow::Result<Self> {
        let Places { disk, builds_on, keep } = places;
        let memory = Place::in_memory()?;
        if memory.is_none() {
            say("NOT MEASURED on tmpfs: there is no /dev/shm");
        }
        Ok(Self {
            program,
            hugo,
            disk: Place::on_disk(disk)?,
            memory,
            builds_on,
            keep,
            sites: Vec::new(),
            filled: Vec::new(),
            effort,
        })
    }

    /// Somebody's sites are built and edited.
    pub(crate) fn take_sites(&mut self, content: &[PathBuf], hugo: &[PathBuf]) -> anyhow::Result<()> {
        ensure!(hugo.is_empty() || hugo.len() == content.len(), "give as many --hugo as --content, in the same order");
        let theirs = hugo.iter().map(|folder| Some(folder.as_path())).chain(std::iter::repeat(None));
        let sites = content.iter().zip(theirs).map(|(ours, theirs)| SampleSite::existing(ours, theirs));
        self.sites = sites.collect::<anyhow::Result<_>>()?;
        self.filled = self.sites.iter().map(|_| OnceCell::new()).collect();
        Ok(())
    }

    /// Generated sites are built and edited.
    pub(crate) fn make_sites(&mut self, posts: &[u32], addresses: &[Addresses]) -> anyhow::Result<()> {
        for (posts, addresses) in posts.iter().flat_map(|posts| addresses.iter().map(move |each| (*posts, *each))) {
            let site = SampleSite::generate(&self.disk, self.keep.as_deref(), posts, addresses)?;
            self.sites.push(site);
            self.filled.push(OnceCell::new());
        }
        Ok(())
    }

    /// Measures what was named, or everything.
    pub(crate) fn measure(&self, names: &[Benchmark]) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for benchmark in Benchmark::value_variants() {
            if names.is_empty() || names.contains(benchmark) {
                rows.extend(benchmark.measure(self)?);
            }
        }
        Ok(rows)
    }

    /// The installation with the posts of this site. The first time takes long: all of them are imported.
    fn filled(&self, number: usize) -> anyhow::Result<&Filled> {
        let (site, cell) = (&self.sites[number], &self.filled[number]);
        if let Some(filled) = cell.get() {
            return Ok(filled);
        }
        let kept = self.keep.as_ref().map(|folder| folder.join(format!("installation-{}", site.key())));
        let filled = Installation::new_or_kept(&self.program, &self.disk, kept)?.fill(site.content())?;
        Ok(cell.get_or_init(|| filled))
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.memory.iter().chain([&self.disk]).filter(|place| self.builds_on.contains(&place.medium))
    }

    fn runs_of(&self, site: &SampleSite) -> u16 {
        if site.posts() < LARGE_SITE { self.effort.runs } else { self.effort.large_runs }
    }
}

impl Benchmark {
    fn measure(self, plan: &Plan) -> anyhow::Result<Vec<Row>> {
        match self {
            Self::Build => build::measure(plan),
            Self::Start => start::measure(plan),
            Self::Edit => edit::measure(plan),
            Self::Stream => stream::measure(plan),
            Self::Restart => restart::measure(plan),
            Self::Entries => entries::measure(plan),
            Self::Services => services::measure(plan),
        }
    }
}
