//! One edit over HTTP, from sending the request until a reader gets the new text: what an author waits for.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Plan;
use crate::installation::{Installation, Server};
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;

/// The pace of an author. Edits that follow each other faster than every 125 ms wait for the grace of the release store,
/// which is a matter of throughput.
const BETWEEN_EDITS: Duration = Duration::from_secs(1);

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for site in &plan.sites {
        rows.extend(measure_site(plan, site)?);
    }
    Ok(rows)
}

fn measure_site(plan: &Plan, site: &SampleSite) -> anyhow::Result<Vec<Row>> {
    let case = format!("edit, {}, disk", site.title());
    say(&format!("measuring: {case}"));
    let installation = Installation::new(&plan.program, &plan.disk)?;
    let token = installation.make_token()?;
    installation.import(site.content())?;
    plan.disk.settle();
    let server = installation.start()?;
    let author = Author { server: &server, token };
    let posts = author.newest_posts(plan.effort.edits)?;
    author.wait_until_published(&posts)?;
    let times = author.edit_one_after_the_other(&posts).with_context(|| case.clone())?;
    let peak = server.stop()?.peak_bytes;

    let row = |statistic| Row::new(&case, "request to live", Unit::Seconds, statistic, &times);
    let target = (site.posts() == 10_000).then_some((0.030, 0.060));
    Ok(vec![
        row(Statistic::Median)?.under(target.map(|(median, _)| median)),
        row(Statistic::P99)?.under(target.map(|(_, p99)| p99)),
        Row::new(&case, "peak memory of up", Unit::Bytes, Statistic::Median, &[peak as f64])?,
    ])
}

/// A post, where the API and readers have it.
struct Address {
    api: String,
    page: String,
}

struct Author<'a> {
    server: &'a Server,
    token: String,
}

impl Author<'_> {
    /// The newest posts are what people edit, and are on the most pages.
    fn newest_posts(&self, count: u16) -> anyhow::Result<Vec<Address>> {
        self.server.wait_until_ready()?;
        let list = self.ask("GET", &format!("/posts?status=published&limit={count}"), None)?;
        let items = list["items"].as_array().context("the list of posts has no items")?;
        ensure!(!items.is_empty(), "the site has no published post to edit");
        items.iter().map(|post| address(post).context("a post of the list has no id or URL")).collect()
    }

    fn wait_until_published(&self, posts: &[Address]) -> anyhow::Result<()> {
        posts.iter().try_for_each(|post| self.server.wait_for_page(&post.page, |status, _| status == 200))
    }

    fn edit_one_after_the_other(&self, posts: &[Address]) -> anyhow::Result<Vec<f64>> {
        let paced = posts.iter().enumerate().map(|(number, post)| {
            std::thread::sleep(BETWEEN_EDITS);
            Ok(self.edit(post, number)?.as_secs_f64())
        });
        paced.collect()
    }

    fn edit(&self, address: &Address, number: usize) -> anyhow::Result<Duration> {
        let mut post = self.ask("GET", &address.api, None)?;
        let news = format!("Edit number {number} is live.");
        let markdown = post["markdown"].as_str().context("a post has no text")?;
        post["markdown"] = format!("{news}\n\n{markdown}").into();
        let sent = Instant::now();
        self.ask("PUT", &address.api, Some(&post))?;
        self.server.wait_for_page(&address.page, |_, page| page.contains(&news))?;
        Ok(sent.elapsed())
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.server.ask(method, path, &self.token, body)
    }
}

fn address(post: &Value) -> Option<Address> {
    let page = post["url"].as_str()?.splitn(4, '/').nth(3)?;
    Some(Address { api: format!("/posts/{}", post["id"].as_str()?), page: format!("/{page}") })
}
