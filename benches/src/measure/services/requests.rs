//! What the API is asked, a hundred times a second in all: lists, posts and saves in turn, each at its planned time. A
//! request that had to wait for the one before counts from when it was due, not from when there was room for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use crate::interrupt;
use crate::measure::author::{Address, Author};
use crate::measure::{Plan, numbered, targets};
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;

const PACE: Duration = Duration::from_millis(10);
/// As many requests may be under way at once.
const CLIENTS: usize = 16;
/// Posts that are read and saved.
const POSTS: u16 = 100;
const LISTS: [&str; 3] = ["/posts?limit=20", "/posts?status=published&limit=50", "/posts?status=draft&limit=20"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    List,
    Read,
    Save,
}

impl Request {
    const ALL: [Self; 3] = [Self::List, Self::Read, Self::Save];

    fn name(self) -> &'static str {
        match self {
            Self::List => "list posts",
            Self::Read => "read a post",
            Self::Save => "save a post",
        }
    }
}

pub(super) fn measure(plan: &Plan, author: &Author<'_>, site: &SampleSite) -> anyhow::Result<Vec<Row>> {
    say(&format!("measuring: a hundred requests a second, {}", site.title()));
    let posts = author.newest_posts(POSTS)?.into_iter().map(|post| Subject::read(author, post));
    let posts = posts.collect::<anyhow::Result<Vec<_>>>()?;
    let count = usize::from(plan.effort.stream) * 100;
    let cpu_before = author.server.cpu_seconds()?;
    let taken = ask_at_pace(author, &posts, count)?;
    let cpu = author.server.cpu_seconds()? - cpu_before;

    let target = (site.posts() == 100_000).then_some(targets::API_P95);
    let mut rows = Vec::new();
    for request in Request::ALL {
        let case = format!("{}, 100 requests a second, {}", request.name(), site.title());
        let times: Vec<f64> = taken.iter().filter(|(kind, _)| *kind == request).map(|(_, time)| *time).collect();
        rows.push(Row::new(&case, "due to answered", Unit::Seconds, Statistic::Median, &times)?);
        rows.push(Row::new(&case, "due to answered", Unit::Seconds, Statistic::P95, &times)?.under(target));
    }
    let case = format!("100 requests a second, {}", site.title());
    let each = [cpu / taken.len() as f64];
    rows.push(Row::new(&case, "processor time of each, with the builds", Unit::Seconds, Statistic::Median, &each)?);
    Ok(rows)
}

fn ask_at_pace(author: &Author<'_>, posts: &[Subject], count: usize) -> anyhow::Result<Vec<(Request, f64)>> {
    let (begin, next) = (Instant::now(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let client = || {
            let mut taken = Vec::new();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= count {
                    return Ok(taken);
                }
                let due = begin + PACE * u32::try_from(turn)?;
                interrupt::pause(due.saturating_duration_since(Instant::now()))?;
                taken.push(ask(author, posts, turn, due)?);
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        let mut all = Vec::new();
        for client in clients {
            let taken: anyhow::Result<Vec<_>> = client.join().map_err(|_| anyhow!("a client has crashed"))?;
            all.extend(taken?);
        }
        Ok(all)
    })
}

/// A post, and what it says now, for one client at a time.
struct Subject {
    address: Address,
    text: Mutex<Value>,
}

impl Subject {
    fn read(author: &Author<'_>, address: Address) -> anyhow::Result<Self> {
        let text = Mutex::new(author.read(&address)?);
        Ok(Self { address, text })
    }

    fn save(&self, author: &Author<'_>) -> anyhow::Result<()> {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let number = numbered::next(&mut text)?;
        author.save(&self.address, &text)?;
        text["version"] = number.into();
        Ok(())
    }
}

/// Asks for one thing, and tells how long after it was due the answer came.
fn ask(author: &Author<'_>, posts: &[Subject], turn: usize, due: Instant) -> anyhow::Result<(Request, f64)> {
    let request = Request::ALL[turn % Request::ALL.len()];
    let round = turn / Request::ALL.len();
    let post = posts.get(round % posts.len()).context("there are no posts")?;
    match request {
        Request::List => author.ask("GET", LISTS[round % LISTS.len()], None).map(drop)?,
        Request::Read => author.read(&post.address).map(drop)?,
        Request::Save => post.save(author)?,
    }
    Ok((request, due.elapsed().as_secs_f64()))
}
