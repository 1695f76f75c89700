//! What the numbers were measured on, without which they mean little.

use std::fs;
use std::thread::available_parallelism;

use anyhow::Context as _;
use serde::Serialize;

/// The machine, and how busy it was before anything was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) load_before: f64,
}

impl Machine {
    pub(crate) fn look() -> anyhow::Result<Self> {
        Ok(Self {
            processor: processor().unwrap_or_else(|| "unknown processor".to_owned()),
            cores: available_parallelism()?.get(),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            load_before: load()?,
        })
    }
}

/// How many threads wanted to run, on average, in the last minute.
pub(crate) fn load() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("reading /proc/loadavg; the benchmarks need Linux")?;
    text.split(' ').next().and_then(|load| load.parse().ok()).context("/proc/loadavg does not start with a number")
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
