//! Rows of the full builds: what each took, and how they compare.

use std::collections::BTreeMap;

use super::build::{Build, Case, CaseKey};
use super::targets::{self, BuildTargets};
use crate::child::Usage;
use crate::place::Medium;
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;

type Value = fn(&Usage) -> f64;

const WALL: Value = |usage| usage.wall.as_secs_f64();
const CPU: Value = |usage| usage.cpu.as_secs_f64();
const PEAK: Value = |usage| usage.peak_bytes as f64;

pub(super) fn rows(sites: &[SampleSite], cases: &BTreeMap<CaseKey, Case>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ((number, medium), case) in cases {
        let site = &sites[*number];
        let table = Table { site: format!("{}, {}", site.title(), medium.name()), case };
        rows.extend(table.taken(targets::build(site.posts()))?);
        rows.extend(table.compared(targets::build(site.posts()))?);
        if *medium == first_medium(cases) {
            rows.extend(table.written()?);
        }
    }
    rows.extend(growth(sites, cases)?);
    Ok(rows)
}

/// What is written is the same everywhere.
fn first_medium(cases: &BTreeMap<CaseKey, Case>) -> Medium {
    cases.keys().next().map_or(Medium::Disk, |(_, medium)| *medium)
}

/// The rows of one case.
struct Table<'a> {
    site: String,
    case: &'a Case,
}

impl Table<'_> {
    fn title(&self, build: Build) -> String {
        let name = match build {
            Build::Plain => "build without highlighting",
            Build::HugoPlain => "Hugo without highlighting",
            Build::Floor => "floor",
            Build::First => "build",
            Build::Hugo => "Hugo",
            Build::Second => "build again elsewhere",
            Build::Unchanged => "build, nothing changed",
        };
        format!("{name}, {}", self.site)
    }

    /// What each builder took by itself.
    fn taken(&self, targets: BuildTargets) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for build in Build::ALL {
            if self.case.samples(build, WALL).is_empty() {
                continue;
            }
            let row = |quantity, unit, value| {
                let samples = self.case.samples(build, value);
                Row::new(&self.title(build), quantity, unit, Statistic::Median, &samples)
            };
            let (wall, peak) = match build {
                Build::Plain | Build::Second => (None, targets.peak_bytes),
                Build::First => (targets.wall, targets.peak_bytes),
                Build::Unchanged => (targets.unchanged, None),
                Build::HugoPlain | Build::Hugo | Build::Floor => (None, None),
            };
            rows.push(row("wall clock", Unit::Seconds, WALL)?.under(wall));
            rows.push(row("processor time", Unit::Seconds, CPU)?);
            rows.push(row("peak memory", Unit::Bytes, PEAK)?.under(peak));
        }
        Ok(rows)
    }

    /// Ours by others'.
    fn compared(&self, targets: BuildTargets) -> anyhow::Result<Vec<Row>> {
        let pairs = [
            (Build::Plain, Build::HugoPlain, targets.plain_by_hugo),
            (Build::Plain, Build::Floor, targets.plain_by_floor),
            (Build::First, Build::Hugo, targets.first_by_hugo),
            (Build::Second, Build::Hugo, targets.second_by_hugo),
        ];
        let mut rows = Vec::new();
        for (ours, theirs, target) in pairs {
            let whose = if theirs == Build::Floor { "the floor's" } else { "Hugo's" };
            for (quantity, value) in [("wall clock", WALL), ("processor time", CPU)] {
                rows.push(self.ratio(ours, theirs, format!("{quantity} / {whose}"), value)?.under(target));
            }
            if theirs != Build::Floor {
                rows.push(self.ratio(ours, theirs, format!("peak memory / {whose}"), PEAK)?);
            }
        }
        Ok(rows)
    }

    fn ratio(&self, ours: Build, theirs: Build, quantity: String, value: Value) -> anyhow::Result<Row> {
        let (title, above, below) =
            (self.title(ours), self.case.samples(ours, value), self.case.samples(theirs, value));
        if below.is_empty() {
            return Ok(Row::not_measured(&title, quantity, Unit::Ratio));
        }
        Row::ratio(&title, quantity, &above, &below)
    }

    /// What the builders left behind, so that it can be seen that they did the same.
    fn written(&self) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for build in [Build::Plain, Build::Floor, Build::First, Build::Hugo] {
            let Some(inventory) = self.case.inventories.get(&build) else { continue };
            let row = |quantity: &'static str, unit, value: f64| {
                Row::new(&self.title(build), quantity, unit, Statistic::Median, &[value])
            };
            rows.push(row("files", Unit::Count, inventory.files as f64)?);
            rows.push(row("HTML files", Unit::Count, inventory.html_files as f64)?);
            rows.push(row("bytes written", Unit::Bytes, inventory.bytes as f64)?);
            if let Some(growth) = inventory.code.growth().filter(|_| matches!(build, Build::First | Build::Hugo)) {
                let target = (build == Build::First).then_some(targets::CODE_GROWTH);
                rows.push(row("highlighted HTML / its code", Unit::Ratio, growth)?.under(target));
            }
        }
        Ok(rows)
    }
}

/// The same build of ten times as many posts.
fn growth(sites: &[SampleSite], cases: &BTreeMap<CaseKey, Case>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ((number, medium), small) in cases {
        let posts = sites[*number].posts();
        let ten_times = |(other, place): &CaseKey| *place == *medium && sites[*other].is_times(10, &sites[*number]);
        let Some((key, large)) = cases.iter().find(|(key, _)| ten_times(key)) else { continue };
        let target = (posts == 10_000).then_some(targets::TEN_TIMES_THE_POSTS);
        for (build, name) in [(Build::Plain, "build without highlighting"), (Build::First, "build")] {
            let title = format!("{name}, {} / {}, {}", sites[key.0].title(), sites[*number].title(), medium.name());
            let (above, below) = (large.samples(build, WALL), small.samples(build, WALL));
            rows.push(Row::ratio(&title, "wall clock", &above, &below)?.under(target));
            let (above, below) = (large.samples(build, CPU), small.samples(build, CPU));
            rows.push(Row::ratio(&title, "processor time", &above, &below)?);
        }
    }
    Ok(rows)
}
