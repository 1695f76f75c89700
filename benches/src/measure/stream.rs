//! Edits in a row, each as soon as the one before is live, while readers look on: how many a second, for how long, and
//! whether anybody ever saw a page that should not be.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use super::author::{Address, Author};
use super::readers::{self, Seen};
use super::{Plan, targets};
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;

/// The newest posts, which are all on the home page.
const POSTS: u16 = 5;
const READERS: usize = 2;
/// Rates are those of such windows, so that it can be seen whether they last.
const WINDOW: Duration = Duration::from_secs(5);

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, site) in plan.sites.iter().enumerate() {
        rows.extend(measure_site(plan, number, site).with_context(|| site.title())?);
    }
    Ok(rows)
}

fn measure_site(plan: &Plan, number: usize, site: &SampleSite) -> anyhow::Result<Vec<Row>> {
    let case = format!("edits in a row, {}", site.title());
    say(&format!("measuring: {case}"));
    let filled = plan.filled(number)?;
    let server = filled.installation.start()?;
    server.wait_until_ready()?;
    let author = Author { server: &server, token: &filled.token };
    author.build()?;
    let posts = author.newest_posts(POSTS)?;
    posts.iter().try_for_each(|post| author.edit(post))?;
    server.wait_until_idle()?;
    let (phases_before, cpu_before) = (author.phases()?, server.cpu_seconds()?);
    let (rates, seen) = edit_before_readers(&author, &posts, Duration::from_secs(plan.effort.stream.into()))?;
    let edits = rates.iter().map(|window| window.edits).sum::<u32>();
    let cpu = (server.cpu_seconds()? - cpu_before) / f64::from(edits);
    let phases = author.phases_since(&phases_before)?;
    server.stop()?;

    let count =
        |quantity: &'static str, count: u64| Row::new(&case, quantity, Unit::Count, Statistic::Median, &[count as f64]);
    let mean = |quantity: String, seconds: f64| Row::new(&case, quantity, Unit::Seconds, Statistic::Median, &[seconds]);
    let rates: Vec<f64> = rates.iter().map(Window::rate).collect();
    let target = (site.posts() == 10_000).then_some(targets::EDITS_A_SECOND);
    let mut rows = vec![
        Row::new(&case, "edits live", Unit::PerSecond, Statistic::Median, &rates)?.at_least(target),
        count("pages read meanwhile", seen.pages)?,
        count("torn pages", seen.torn)?.under(Some(1.0)),
        count("stale pages", seen.stale)?.under(Some(1.0)),
        mean("processor time of each, with its readers".to_owned(), cpu)?,
    ];
    for (phase, seconds) in phases {
        rows.push(mean(format!("phase {phase}, mean"), seconds / f64::from(edits))?);
    }
    Ok(rows)
}

/// Some seconds of edits.
#[derive(Debug, Clone, Copy)]
struct Window {
    edits: u32,
    time: Duration,
}

impl Window {
    /// Edits a second.
    fn rate(&self) -> f64 {
        f64::from(self.edits) / self.time.as_secs_f64()
    }
}

/// How many edits went live in each window, and what readers saw.
fn edit_before_readers(author: &Author<'_>, posts: &[Address], time: Duration) -> anyhow::Result<(Vec<Window>, Seen)> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || readers::read_until(&stop, author.server.site(), posts);
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        let rates = edit_in_a_row(author, posts, time);
        stop.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        for reader in readers {
            seen = seen.add(reader.join().map_err(|_| anyhow!("a reader has crashed"))?);
        }
        Ok((rates?, seen))
    })
}

fn edit_in_a_row(author: &Author<'_>, posts: &[Address], time: Duration) -> anyhow::Result<Vec<Window>> {
    let begin = Instant::now();
    let mut posts = posts.iter().cycle();
    let mut windows = Vec::new();
    while begin.elapsed() < time {
        let (opened, mut edits) = (Instant::now(), 0);
        while opened.elapsed() < WINDOW.min(time) {
            posts.next().map_or(Ok(()), |post| author.edit(post))?;
            edits += 1;
        }
        windows.push(Window { edits, time: opened.elapsed() });
    }
    Ok(windows)
}
