//! The benchmarks: one module each, and the order in which they run.

mod build;
mod edit;
mod start;
mod targets;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::place::Place;
use crate::program::Program;
use crate::report::Row;
use crate::sample::SampleSite;
use crate::say;

/// What can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// `microblog build`: time, processor and memory.
    Build,
    /// `microblog up` in an empty folder: time until it is ready, memory when idle.
    Start,
    /// One edit over HTTP until readers get it.
    Edit,
}

/// All that a benchmark needs.
pub(crate) struct Plan {
    program: Program,
    disk: Place,
    memory: Option<Place>,
    sites: Vec<SampleSite>,
    runs: u16,
    edits: u16,
}

impl Plan {
    pub(crate) fn prepare(program: Program, disk: &Path, runs: u16, edits: u16) -> anyhow::Result<Self> {
        let memory = Place::in_memory()?;
        if memory.is_none() {
            say("NOT MEASURED on tmpfs: there is no /dev/shm");
        }
        Ok(Self { program, disk: Place::on_disk(disk)?, memory, sites: Vec::new(), runs, edits })
    }

    /// The sites that are built and edited: somebody's, or generated ones.
    pub(crate) fn choose_sites(&mut self, content: Option<PathBuf>, posts: &[u32]) -> anyhow::Result<()> {
        self.sites = match content {
            Some(folder) => vec![SampleSite::existing(&folder)?],
            None => {
                let generate = |posts: &u32| SampleSite::generate(&self.disk, *posts);
                posts.iter().map(generate).collect::<anyhow::Result<_>>()?
            }
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
        self.memory.iter().chain([&self.disk])
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
