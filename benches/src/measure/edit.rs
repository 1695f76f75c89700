//! Single edits and new posts on warm workers, at the pace of an author; sites of all sizes take turns, so that what
//! changes on the machine meets them alike.

use std::time::Duration;

use anyhow::Context as _;

use super::author::{Address, Author, Taken};
use super::{Plan, targets};
use crate::installation::{Filled, Server};
use crate::interrupt;
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;

/// Edits that follow each other faster than every 125 ms wait for the grace of the release store, which is a matter of
/// throughput. With several sites each has the time of the others, too.
const BETWEEN_EDITS: Duration = Duration::from_millis(250);
/// How often a worker is asked for a build when nothing has changed.
const CALM_BUILDS: u16 = 5;

/// How many edits are made right after the first release, when the server has other things to do, too.
const EARLY_EDITS: usize = 20;

/// A site that is served, with what was measured of it.
struct Subject<'a> {
    site: &'a SampleSite,
    filled: &'a Filled,
    server: Server,
    posts: Vec<Address>,
    early: Vec<Taken>,
    edits: Vec<Taken>,
    publications: Vec<Taken>,
    calm: Vec<f64>,
}

/// What was measured of a site.
struct Ended<'a> {
    site: &'a SampleSite,
    filled: &'a Filled,
    early: Vec<Taken>,
    edits: Vec<Taken>,
    publications: Vec<Taken>,
    calm: Vec<f64>,
    peak_bytes: f64,
}

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let opened = plan.sites.iter().enumerate().map(|(number, site)| Subject::open(plan, number, site));
    let mut subjects = opened.collect::<anyhow::Result<Vec<_>>>()?;
    say("measuring: edits");
    take_turns(plan.effort.edits, &mut subjects, Subject::edit)?;
    say("measuring: new posts");
    take_turns(plan.effort.edits, &mut subjects, Subject::publish)?;
    say("measuring: builds with nothing changed");
    take_turns(CALM_BUILDS, &mut subjects, Subject::build)?;

    let ended = subjects.into_iter().map(Subject::close).collect::<anyhow::Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    for subject in &ended {
        rows.extend(subject.rows().with_context(|| subject.site.title())?);
    }
    rows.extend(growth(&ended)?);
    Ok(rows)
}

fn take_turns<'a>(
    times: u16,
    subjects: &mut [Subject<'a>],
    act: fn(&mut Subject<'a>, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for turn in 0..times {
        for subject in &mut *subjects {
            interrupt::pause(BETWEEN_EDITS)?;
            act(subject, turn.into()).with_context(|| subject.site.title())?;
        }
    }
    Ok(())
}

impl<'a> Subject<'a> {
    /// Starts it, lets its worker read the site, and waits until it has nothing left to do.
    fn open(plan: &'a Plan, number: usize, site: &'a SampleSite) -> anyhow::Result<Self> {
        say(&format!("getting ready to edit: {}", site.title()));
        let filled = plan.filled(number)?;
        let server = filled.installation.start()?;
        server.wait_until_ready()?;
        let author = Author { server: &server, token: &filled.token };
        author.build()?;
        let posts = author.newest_posts(plan.effort.edits)?;
        let early = if filled.import.is_some() { edit_early(&author, &posts)? } else { Vec::new() };
        server.wait_until_idle()?;
        let (edits, publications, calm) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { site, filled, server, posts, early, edits, publications, calm })
    }

    fn author(&self) -> Author<'_> {
        Author { server: &self.server, token: &self.filled.token }
    }

    fn edit(&mut self, turn: usize) -> anyhow::Result<()> {
        let taken = self.author().edit_timed(&self.posts[turn % self.posts.len()])?;
        self.edits.push(taken);
        Ok(())
    }

    fn publish(&mut self, turn: usize) -> anyhow::Result<()> {
        let (address, taken) = self.author().publish_timed(turn)?;
        self.publications.push(taken);
        self.posts.push(address);
        Ok(())
    }

    fn build(&mut self, _: usize) -> anyhow::Result<()> {
        let taken = self.author().build()?;
        self.calm.push(taken);
        Ok(())
    }

    /// Leaves the site as large as it was, for the next time, and ends the server.
    fn close(self) -> anyhow::Result<Ended<'a>> {
        let new = self.posts.iter().rev().take(self.publications.len());
        new.into_iter().try_for_each(|address| self.author().trash(address))?;
        self.author().build()?;
        let Self { site, filled, server, early, edits, publications, calm, .. } = self;
        let peak_bytes = server.stop()?.peak_bytes as f64;
        Ok(Ended { site, filled, early, edits, publications, calm, peak_bytes })
    }
}

fn edit_early(author: &Author<'_>, posts: &[Address]) -> anyhow::Result<Vec<Taken>> {
    let edits = posts.iter().cycle().take(EARLY_EDITS).map(|post| {
        interrupt::pause(BETWEEN_EDITS)?;
        author.edit_timed(post)
    });
    edits.collect()
}

type Value = fn(&Taken) -> f64;

const INSIDE: Value = |taken| taken.inside;
const OUTSIDE: Value = |taken| taken.outside;
/// From objects that are written to a release that is live and durable.
const RELEASE_STEP: Value = |taken| taken.phase("validate") + taken.phase("activate");

impl Ended<'_> {
    fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let mut rows = self.import()?;
        rows.extend(self.changes("edit right after the first release", &self.early)?);
        rows.extend(self.changes("edit", &self.edits)?);
        rows.extend(self.changes("new post", &self.publications)?);
        let case = format!("build by the worker, nothing changed, {}", self.site.title());
        let calm = Row::new(&case, "asked for to done", Unit::Seconds, Statistic::Median, &self.calm)?;
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
        let Some(usage) = self.filled.import else { return Ok(Vec::new()) };
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
fn growth(ended: &[Ended<'_>]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for large in ended {
        let (title, posts) = (large.site.title(), large.site.posts());
        if let Some(small) = ended.iter().find(|small| large.site.is_times(100, small.site)) {
            let case = format!("edit, {title} / {}", small.site.title());
            let (above, below) = (samples(&large.edits, INSIDE), samples(&small.edits, INSIDE));
            let target = (posts == 100_000).then_some(targets::EDIT_OF_A_HUNDRED_TIMES_THE_POSTS);
            rows.push(Row::ratio(&case, "commit to activated", &above, &below)?.under(target));
        }
        let case = format!("new post / edit, {title}");
        let (above, below) = (samples(&large.publications, INSIDE), samples(&large.edits, INSIDE));
        let target = (posts == 100_000).then_some(targets::NEW_POST_BY_EDIT);
        rows.push(Row::ratio(&case, "commit to activated", &above, &below)?.under(target));
    }
    Ok(rows)
}
