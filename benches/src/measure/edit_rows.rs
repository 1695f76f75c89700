//! Rows of edits and new posts: what each took, by its phases, and how that grows with the site.

use anyhow::Context as _;

use super::author::Taken;
use super::edit::Edited;
use super::targets;
use crate::report::{Row, Statistic, Unit};

type Value = fn(&Taken) -> f64;

const INSIDE: Value = |taken| taken.inside;
const OUTSIDE: Value = |taken| taken.outside;
/// From objects that are written to a release that is live and durable.
const RELEASE_STEP: Value = |taken| taken.phase("validate") + taken.phase("activate");

pub(super) fn rows(edited: &[Edited<'_>]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for each in edited {
        rows.extend(each.rows().with_context(|| each.site.title())?);
    }
    rows.extend(growth(edited)?);
    Ok(rows)
}

impl Edited<'_> {
    fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let mut rows = self.import()?;
        rows.extend(self.changes("edit right after the first release", &self.times.early)?);
        rows.extend(self.changes("edit", &self.times.edits)?);
        rows.extend(self.changes("new post", &self.times.publications)?);
        let case = format!("build by the worker, nothing changed, {}", self.site.title());
        let calm = Row::new(&case, "asked for to done", Unit::Seconds, Statistic::Median, &self.times.calm)?;
        rows.push(calm.under(targets::build(self.site.posts()).unchanged));
        let case = format!("up, {}", self.site.title());
        rows.push(Row::new(&case, "peak memory", Unit::Bytes, Statistic::Median, &[self.peak_bytes])?);
        Ok(rows)
    }

    fn changes(&self, name: &str, taken: &[Taken]) -> anyhow::Result<Vec<Row>> {
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let case = format!("{name}, {}", self.site.title());
        let row = |quantity, statistic, value: Value| {
            Row::new(&case, quantity, Unit::Seconds, statistic, &samples(taken, value))
        };
        let is_edit = name.starts_with("edit");
        let targets = targets::edit(self.site.posts()).filter(|_| is_edit);
        let release = targets::release_step(self.site.posts()).filter(|_| is_edit);
        let mut rows = vec![
            row("commit to activated", Statistic::Median, INSIDE)?.under(targets.map(|targets| targets.median)),
            row("commit to activated", Statistic::P99, INSIDE)?.under(targets.map(|targets| targets.p99)),
            row("request to readers", Statistic::Median, OUTSIDE)?,
            row("request to readers", Statistic::P99, OUTSIDE)?,
            row("release step", Statistic::Median, RELEASE_STEP)?.under(release),
        ];
        rows.extend(phases(&case, taken)?);
        Ok(rows)
    }

    /// Nothing if the posts were there already.
    fn import(&self) -> anyhow::Result<Vec<Row>> {
        let Some(usage) = self.import else { return Ok(Vec::new()) };
        let case = format!("import, {}", self.site.title());
        let row = |quantity: &'static str, unit, value| Row::new(&case, quantity, unit, Statistic::Median, &[value]);
        Ok(vec![
            row("wall clock", Unit::Seconds, usage.wall.as_secs_f64())?,
            row("processor time", Unit::Seconds, usage.cpu.as_secs_f64())?,
            row("peak memory", Unit::Bytes, usage.peak_bytes as f64)?,
        ])
    }
}

fn samples(taken: &[Taken], value: Value) -> Vec<f64> {
    taken.iter().map(value).collect()
}

/// Each phase of the builds, as the program counts them.
fn phases(case: &str, taken: &[Taken]) -> anyhow::Result<Vec<Row>> {
    let names = taken.first().into_iter().flat_map(|taken| taken.phases.keys());
    let row = |name: &String| {
        let times: Vec<f64> = taken.iter().map(|taken| taken.phase(name)).collect();
        Row::new(case, format!("phase {name}"), Unit::Seconds, Statistic::Median, &times)
    };
    names.map(row).collect()
}

/// What an edit costs more on a site a hundred times as large, and a new post more than an edit.
fn growth(edited: &[Edited<'_>]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for large in edited {
        let (title, posts) = (large.site.title(), large.site.posts());
        if let Some(small) = edited.iter().find(|small| large.site.is_times(100, small.site)) {
            let case = format!("edit, {title} / {}", small.site.title());
            let (above, below) = (samples(&large.times.edits, INSIDE), samples(&small.times.edits, INSIDE));
            let target = (posts == 100_000).then_some(targets::EDIT_OF_A_HUNDRED_TIMES_THE_POSTS);
            rows.push(Row::ratio(&case, "commit to activated", &above, &below)?.under(target));
        }
        let case = format!("new post / edit, {title}");
        let (above, below) = (samples(&large.times.publications, INSIDE), samples(&large.times.edits, INSIDE));
        let target = (posts == 100_000).then_some(targets::NEW_POST_BY_EDIT);
        rows.push(Row::ratio(&case, "commit to activated", &above, &below)?.under(target));
    }
    Ok(rows)
}
