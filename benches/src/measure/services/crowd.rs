//! Many authors at once, who do not wait for each other: how long until readers have what each of them wrote, and whether
//! anything is lost on the way.
//!
//! Readers can see something else only when `build/current` was renamed, so each post is fetched through nginx after each
//! renaming. An edit is live with the first page that shows its text or a newer one of the same post.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use serde_json::Value;

use crate::client::Client;
use crate::interrupt;
use crate::measure::author::{Address, Author};
use crate::measure::{Plan, numbered, targets};
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;

const AUTHORS: u16 = 10;
/// Between two edits of one author: fifty a second in all.
const PACE: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(1);
/// How long the last edit may take until readers have it.
const PATIENCE: Duration = Duration::from_secs(60);
const SUCCEEDED: &str = "microblog_builds_total{outcome=\"succeeded\"} ";

/// An edit that was acknowledged.
#[derive(Debug, Clone, Copy)]
struct Edit {
    number: u64,
    sent: Instant,
    answered: Instant,
}

/// A text that readers got.
#[derive(Debug, Clone, Copy)]
struct Sight {
    number: u64,
    at: Instant,
}

/// What the watching reader saw: the texts of each post, in order, and pages that were not of one piece.
#[derive(Debug, Default)]
struct Seen {
    posts: Vec<Vec<Sight>>,
    torn: u64,
}

/// Where a reader looks, and at what.
struct Watch<'a> {
    live: &'a Path,
    site: &'a str,
    posts: &'a [Address],
}

pub(super) fn measure(plan: &Plan, live: &Path, author: &Author<'_>, site: &SampleSite) -> anyhow::Result<Vec<Row>> {
    let case = format!("50 edits a second by {AUTHORS} authors, {}", site.title());
    say(&format!("measuring: {case}"));
    let time = Duration::from_secs(plan.effort.stream.into());
    let posts = author.newest_posts(AUTHORS)?;
    posts.iter().try_for_each(|post| author.edit(post))?;
    let builds = || author.server.metrics().map(|text| builds(&text));
    let (builds_before, cpu_before, begin) = (builds()?, author.server.cpu_seconds()?, Instant::now());
    let watch = Watch { live, site: author.server.site(), posts: &posts };
    let (edits, seen) = edit_before_a_reader(author, &watch, time)?;
    let cpu = author.server.cpu_seconds()? - cpu_before;

    let all = || edits.iter().flatten();
    let count = all().count() as f64;
    let last = all().map(|edit| edit.answered).max().context("there was no edit")?;
    let rate = count / (last - begin).max(time).as_secs_f64();
    let latencies = latencies(&edits, &seen);
    let answers: Vec<f64> = all().map(|edit| (edit.answered - edit.sent).as_secs_f64()).collect();
    let one = |quantity: &'static str, unit, value: f64| Row::new(&case, quantity, unit, Statistic::Median, &[value]);
    let spread =
        |quantity: &'static str, statistic, times: &[f64]| Row::new(&case, quantity, Unit::Seconds, statistic, times);
    Ok(vec![
        spread("request to readers", Statistic::Median, &latencies)?,
        spread("request to readers", Statistic::P99, &latencies)?.under(Some(targets::CROWD_P99)),
        spread("request to answer", Statistic::Median, &answers)?,
        spread("request to answer", Statistic::P99, &answers)?,
        one("edits acknowledged", Unit::Count, count)?,
        one("edits acknowledged", Unit::PerSecond, rate)?,
        one("edits lost", Unit::Count, count - latencies.len() as f64)?.under(Some(1.0)),
        one("torn pages", Unit::Count, seen.torn as f64)?.under(Some(1.0)),
        one("builds", Unit::Count, builds()? - builds_before)?,
        one("processor time of each edit, services and nginx", Unit::Seconds, cpu / count)?,
    ])
}

fn builds(metrics: &str) -> f64 {
    metrics.lines().find_map(|line| line.strip_prefix(SUCCEEDED)?.parse().ok()).unwrap_or_default()
}

fn edit_before_a_reader(
    author: &Author<'_>,
    watch: &Watch<'_>,
    time: Duration,
) -> anyhow::Result<(Vec<Vec<Edit>>, Seen)> {
    let done = AtomicBool::new(false);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| watch.until(&done));
        let authors = (0_u32..).zip(watch.posts).map(|(turn, post)| {
            let first = begin + PACE * turn / u32::from(AUTHORS);
            scope.spawn(move || edit_at_pace(author, post, first, begin + time))
        });
        let authors: Vec<_> = authors.collect();
        let edits: anyhow::Result<Vec<_>> =
            authors.into_iter().map(|one| one.join().map_err(|_| anyhow!("an author has crashed"))?).collect();
        let waited = edits.and_then(|edits| watch.wait_for(&edits).map(|()| edits));
        done.store(true, Ordering::Relaxed);
        let seen = reader.join().map_err(|_| anyhow!("a reader has crashed"))?;
        Ok((waited?, seen))
    })
}

/// Edits one post at the times that were planned, or at once where the one before took longer.
fn edit_at_pace(author: &Author<'_>, post: &Address, first: Instant, end: Instant) -> anyhow::Result<Vec<Edit>> {
    let mut text = author.read(post)?;
    let mut edits = Vec::new();
    let mut due = first;
    while due < end {
        interrupt::pause(due.saturating_duration_since(Instant::now()))?;
        let number = numbered::next(&mut text)?;
        let sent = Instant::now();
        let stored = author.save(post, &text)?;
        edits.push(Edit { number, sent, answered: Instant::now() });
        ensure!(stored["version"] == number, "an edit was stored as version {}, not {number}", stored["version"]);
        text["version"] = Value::from(number);
        due += PACE;
    }
    Ok(edits)
}

impl Watch<'_> {
    /// Looks at all posts after each release, until it is told to stop.
    fn until(&self, done: &AtomicBool) -> Seen {
        let client = Client::new();
        let mut seen = Seen { posts: vec![Vec::new(); self.posts.len()], torn: 0 };
        let mut before = None;
        while !done.load(Ordering::Relaxed) {
            let now = self.live();
            if now != before {
                self.look(&client, &mut seen);
                before = now;
            }
            std::thread::sleep(LOOK);
        }
        self.look(&client, &mut seen);
        seen
    }

    fn look(&self, client: &Client, seen: &mut Seen) {
        for (post, sights) in self.posts.iter().zip(&mut seen.posts) {
            match client.read(&format!("{}{}", self.site, post.page)) {
                Ok((200, page)) => match numbered::of_page(&page) {
                    Some(number) => sights.push(Sight { number, at: Instant::now() }),
                    None => seen.torn += 1,
                },
                _ => seen.torn += 1,
            }
        }
    }

    /// Waits until readers have the last edit of each post. One that never comes is for the count of lost ones.
    fn wait_for(&self, edits: &[Vec<Edit>]) -> anyhow::Result<()> {
        let (client, since) = (Client::new(), Instant::now());
        for (post, edits) in self.posts.iter().zip(edits) {
            let last = edits.last().context("an author made no edit")?.number;
            let url = format!("{}{}", self.site, post.page);
            let is_live = || client.read(&url).is_ok_and(|(_, page)| numbered::of_page(&page) == Some(last));
            while !is_live() && since.elapsed() < PATIENCE {
                interrupt::pause(LOOK * 10)?;
            }
        }
        Ok(())
    }

    fn live(&self) -> Option<PathBuf> {
        std::fs::read_link(self.live).ok()
    }
}

/// In seconds, of each edit that readers got.
fn latencies(edits: &[Vec<Edit>], seen: &Seen) -> Vec<f64> {
    let of_post = |(edits, sights): (&Vec<Edit>, &Vec<Sight>)| {
        let live_at = |edit: &Edit| {
            let first = sights.iter().find(|sight| sight.number >= edit.number)?;
            Some(first.at.saturating_duration_since(edit.sent).as_secs_f64())
        };
        edits.iter().filter_map(live_at).collect::<Vec<_>>()
    };
    edits.iter().zip(&seen.posts).flat_map(of_post).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_live_with_its_text_or_a_newer_one_and_else_lost() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let edit = |number, seconds| Edit { number, sent: after(seconds), answered: after(seconds) };
        let edits = vec![vec![edit(2, 0), edit(3, 1), edit(4, 9)]];
        let sights = vec![Sight { number: 1, at: after(1) }, Sight { number: 3, at: after(4) }];
        assert_eq!(latencies(&edits, &Seen { posts: vec![sights], torn: 0 }), [4.0, 3.0]);
    }

    #[test]
    fn builds_are_counted_by_their_outcome() {
        let metrics = "microblog_builds_total{outcome=\"failed\"} 2\nmicroblog_builds_total{outcome=\"succeeded\"} 7\n";
        assert_eq!(builds(metrics), 7.0);
    }
}
