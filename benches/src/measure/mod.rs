//! The benchmarks: one module each, and the order in which they run.

mod build;
mod compare;
mod edit;
mod start;
mod targets;

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::ValueEnum;

use crate::hugo::Hugo;
use crate::place::{Medium, Place};
use crate::program::Program;
use crate::report::Row;
use crate::sample::SampleSite;
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
    /// One edit over HTTP until readers get it.
    Edit,
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
    /// How many posts are edited, one after the other.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    edits: u16,
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
        Ok(Self { program, hugo, disk: Place::on_disk(disk)?, memory, builds_on, keep, sites: Vec::new(), effort })
    }

    /// The sites that are built and edited: somebody's, or generated ones.
    pub(crate) fn choose_sites(&mut self, content: &[PathBuf], hugo: &[PathBuf], posts: &[u32]) -> anyhow::Result<()> {
        ensure!(hugo.is_empty() || hugo.len() == content.len(), "give as many --hugo as --content, in the same order");
        self.sites = if content.is_empty() {
            let generate = |posts: &u32| SampleSite::generate(&self.disk, self.keep.as_deref(), *posts);
            posts.iter().map(generate).collect::<anyhow::Result<_>>()?
        } else {
            let theirs = hugo.iter().map(|folder| Some(folder.as_path())).chain(std::iter::repeat(None));
            let pairs = content.iter().zip(theirs);
            pairs.map(|(ours, theirs)| SampleSite::existing(ours, theirs)).collect::<anyhow::Result<_>>()?
        };
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
        }
    }
}
