//! Somebody who edits and publishes over the API, and knows afterwards how long each step took.
//!
//! Each text of a post carries its number, so that it can be told from every other. A text is known to be live when
//! readers get it. The server stores `requested_at` just before the edit is committed, and `finished_at` when its release
//! is live and tidied up after, which readers may see before: from the first to whichever comes earlier, the release in
//! the hands of a reader or `finished_at`, is never less than the time from the commit to the activation.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::numbered;
use crate::interrupt;
use crate::server::Server;

/// The sums of the times of each phase, among the metrics.
const PHASES: &str = "microblog_build_duration_seconds_sum{";
/// How often a build is looked at that must end soon.
const LOOK: Duration = Duration::from_millis(2);
/// How long any build may take.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// A post, where the API and readers have it.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) api: String,
    pub(super) page: String,
}

/// Seconds by the name of each phase.
pub(super) type Phases = BTreeMap<String, f64>;

/// What one change took, in seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    /// From just before the commit to just after the activation, and never less than what lies between.
    pub(super) inside: f64,
    /// From sending the request until readers got it.
    pub(super) outside: f64,
    /// From sending the request until it was answered.
    pub(super) answered: f64,
    /// From just before the commit until a worker had the build.
    pub(super) claimed: f64,
    /// Each phase of the build.
    pub(super) phases: Phases,
}

impl Taken {
    /// One phase of the build; no time at all if it was not gone through.
    pub(super) fn phase(&self, name: &str) -> f64 {
        self.phases.get(name).copied().unwrap_or_default()
    }
}

pub(super) struct Author<'a> {
    pub(super) server: &'a Server,
    pub(super) token: &'a str,
}

impl Author<'_> {
    /// The newest posts are what people edit, and are on the most pages.
    pub(super) fn newest_posts(&self, count: u16) -> anyhow::Result<Vec<Address>> {
        let list = self.ask("GET", &format!("/posts?status=published&limit={}", count.min(100)), None)?;
        let items = list["items"].as_array().context("the list of posts has no items")?;
        ensure!(!items.is_empty(), "the site has no published post to edit");
        items.iter().map(|post| address(post).context("a post of the list has no id or URL")).collect()
    }

    /// Asks for a build and waits for its end; tells how long it took, inside. After it the site is in the memory of the
    /// worker.
    pub(super) fn build(&self) -> anyhow::Result<f64> {
        let build = self.ask("POST", "/builds", Some(&json!({})))?;
        let id = build["id"].as_str().context("a build has no id")?;
        let build = self.end_of(|| self.ask("GET", &format!("/builds/{id}"), None))?;
        Ok(between(time(&build, "requested_at")?, time(&build, "finished_at")?))
    }

    /// Gives a post its next text, and waits until readers have it.
    pub(super) fn edit(&self, address: &Address) -> anyhow::Result<()> {
        let mut post = self.read(address)?;
        let number = numbered::next(&mut post)?;
        self.save(address, &post)?;
        self.server.wait_for_page(&address.page, |_, page| numbered::of_page(page) == Some(number))
    }

    /// The same, and what it took.
    pub(super) fn edit_timed(&self, address: &Address) -> anyhow::Result<Taken> {
        let mut post = self.read(address)?;
        let number = numbered::next(&mut post)?;
        let is_live = |page: &str| numbered::of_page(page) == Some(number);
        let (_, taken) = self.timed(
            || self.save(address, &post),
            |_| self.server.wait_for_page(&address.page, |_, page| is_live(page)),
        )?;
        Ok(taken)
    }

    /// A post as it is stored.
    pub(super) fn read(&self, address: &Address) -> anyhow::Result<Value> {
        self.ask("GET", &address.api, None)
    }

    /// Stores a post anew.
    pub(super) fn save(&self, address: &Address, post: &Value) -> anyhow::Result<Value> {
        self.ask("PUT", &address.api, Some(post))
    }

    /// Publishes a new post, and tells what that took.
    pub(super) fn publish_timed(&self, number: usize) -> anyhow::Result<(Address, Taken)> {
        let markdown = "A paragraph with **some** [links](https://example.org/) in it.\n\n".repeat(12);
        let post = json!({"title": format!("A new post, number {number}"), "markdown": markdown,
            "tags": ["rust", "web"], "status": "published"});
        let publish = || {
            let post = self.ask("POST", "/posts", Some(&post))?;
            address(&post).context("a new post has no id or URL")
        };
        self.timed(publish, |address| self.server.wait_for_page(&address.page, |status, _| status == 200))
    }

    /// Throws a post away.
    pub(super) fn trash(&self, address: &Address) -> anyhow::Result<()> {
        self.ask("DELETE", &address.api, None).map(drop)
    }

    /// Sends a change, and waits until readers have it.
    fn timed<T>(
        &self,
        send: impl FnOnce() -> anyhow::Result<T>,
        wait: impl FnOnce(&T) -> anyhow::Result<()>,
    ) -> anyhow::Result<(T, Taken)> {
        let (before, phases_before) = (self.newest_build()?["id"].clone(), self.phases()?);
        let sent = Instant::now();
        let change = send()?;
        let answered = sent.elapsed().as_secs_f64();
        wait(&change)?;
        let (outside, seen_at) = (sent.elapsed().as_secs_f64(), Timestamp::try_from(SystemTime::now())?);
        let newest = || Ok(Some(self.newest_build()?).filter(|build| build["id"] != before).unwrap_or_default());
        let build = self.end_of(newest)?;
        let requested = time(&build, "requested_at")?;
        let inside = between(requested, time(&build, "finished_at")?.min(seen_at));
        let claimed = between(requested, time(&build, "started_at")?);
        Ok((change, Taken { inside, outside, answered, claimed, phases: self.phases_since(&phases_before)? }))
    }

    /// Null if there was none yet.
    fn newest_build(&self) -> anyhow::Result<Value> {
        Ok(self.ask("GET", "/builds?limit=1", None)?["items"][0].take())
    }

    /// Waits until a build has succeeded.
    fn end_of(&self, look: impl Fn() -> anyhow::Result<Value>) -> anyhow::Result<Value> {
        let since = Instant::now();
        loop {
            let build = look()?;
            match build["state"].as_str() {
                Some("succeeded") => return Ok(build),
                Some("failed" | "cancelled" | "superseded") => anyhow::bail!("a build did not succeed: {build}"),
                _ => {}
            }
            ensure!(since.elapsed() < PATIENCE, "a build did not end within {PATIENCE:?}: {build}");
            interrupt::pause(LOOK)?;
        }
    }

    /// How long each phase took in all builds so far.
    pub(super) fn phases(&self) -> anyhow::Result<Phases> {
        Ok(phases(&self.server.metrics()?))
    }

    /// How long each phase took in builds that have just ended: each is stored first, and counted a moment later.
    pub(super) fn phases_since(&self, before: &Phases) -> anyhow::Result<Phases> {
        let since = Instant::now();
        loop {
            let now = self.phases()?;
            // The total is counted last.
            if now.get("total") != before.get("total") {
                let earlier = |phase: &str| before.get(phase).copied().unwrap_or_default();
                return Ok(now.into_iter().map(|(phase, sum)| (phase.clone(), sum - earlier(&phase))).collect());
            }
            ensure!(since.elapsed() < PATIENCE, "a build that has ended is not in the metrics");
            interrupt::pause(LOOK)?;
        }
    }

    pub(super) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.server.ask(method, path, self.token, body)
    }
}

fn time(build: &Value, field: &str) -> anyhow::Result<Timestamp> {
    Ok(build[field].as_str().with_context(|| format!("a build has no {field}: {build}"))?.parse()?)
}

/// In seconds.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

fn address(post: &Value) -> Option<Address> {
    let page = post["url"].as_str()?.splitn(4, '/').nth(3)?;
    Some(Address { api: format!("/posts/{}", post["id"].as_str()?), page: format!("/{page}") })
}

/// Adds up the modes of each phase.
fn phases(metrics: &str) -> Phases {
    let mut phases = Phases::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix(PHASES)) {
        let phase = line.split("phase=\"").nth(1).and_then(|rest| rest.split('"').next());
        let value = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        if let (Some(phase), Some(value)) = (phase, value) {
            *phases.entry(phase.to_owned()).or_default() += value;
        }
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_read_from_the_metrics() {
        let metrics = "# HELP x\n\
            microblog_build_duration_seconds_sum{phase=\"load\",mode=\"full\"} 1.5\n\
            microblog_build_duration_seconds_count{phase=\"load\",mode=\"full\"} 1\n\
            microblog_build_duration_seconds_sum{mode=\"incremental\",phase=\"load\"} 0.25\n";
        assert_eq!(phases(metrics), Phases::from([("load".to_owned(), 1.75)]));
    }

    #[test]
    fn a_build_tells_how_long_it_took() {
        let build = json!({"requested_at": "2026-01-01T10:00:00.000250Z", "finished_at": "2026-01-01T10:00:00.0125Z"});
        let took = between(time(&build, "requested_at").unwrap(), time(&build, "finished_at").unwrap());
        assert!((took - 0.01225).abs() < 1e-9, "{took}");
        assert!(time(&build, "started_at").is_err());
    }

    #[test]
    fn a_post_is_found_by_the_path_of_its_url() {
        let post = json!({"id": "7", "url": "http://localhost:8080/2024/01/hello/"});
        let found = address(&post).unwrap();
        assert_eq!((found.api.as_str(), found.page.as_str()), ("/posts/7", "/2024/01/hello/"));
    }
}
