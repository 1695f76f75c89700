//! What machines read: the feeds of the site, one for each tag, and the sitemap, in files by month.

use std::fmt::Write as _;
use std::path::Path;

use minijinja::Value;
use rayon::prelude::*;
use serde_json::json;

use super::lists::{Key, Lists};
use super::post::Post;
use super::theme::Fields;
use super::{SITE, Site, TITLE};

const POSTS_PER_FEED: usize = 20;
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

impl Site<'_> {
    pub(super) fn write_feeds(&self, lists: &Lists<'_>) -> anyhow::Result<()> {
        let newest: Vec<&Post> = self.posts.iter().rev().take(POSTS_PER_FEED).collect();
        let texts: Value = newest.iter().map(|post| post.whole_as_text()).collect();
        self.write_feed("/", "/feed.xml", "atom.xml", TITLE, texts.clone())?;
        self.write_feed("/", "/rss.xml", "rss.xml", TITLE, texts)?;
        self.write(Path::new("feed.json"), json_feed(&newest).as_bytes())?;
        lists.par_iter().try_for_each(|(key, posts)| {
            let Key::Tag(tag) = key else { return Ok(()) };
            let newest = posts.iter().rev().take(POSTS_PER_FEED).map(|post| post.card());
            let address = key.address();
            self.write_feed(&address, &format!("{address}feed.xml"), "atom.xml", tag, newest.collect())
        })
    }

    fn write_feed(&self, page: &str, address: &str, template: &str, heading: &str, posts: Value) -> anyhow::Result<()> {
        let page = Value::from_safe_string(page.to_owned());
        let fields = Fields::default().with("heading", heading).with("page", page).with("posts", posts);
        let feed = self.theme.render(template, address, fields)?;
        self.write(Path::new(&address[1..]), feed.as_bytes())
    }

    pub(super) fn write_sitemap(&self, lists: &Lists<'_>) -> anyhow::Result<()> {
        let mut index = format!("{XML}<sitemapindex xmlns=\"{NAMESPACE}\">\n");
        let mut pages = format!("{XML}<urlset xmlns=\"{NAMESPACE}\">\n");
        writeln!(index, "<sitemap><loc>{SITE}/sitemaps/pages.xml</loc></sitemap>")?;
        for (key, posts) in lists {
            writeln!(pages, "<url><loc>{SITE}{}</loc></url>", key.address())?;
            let (Key::Month(month), Some(newest)) = (key, posts.last()) else { continue };
            let file = format!("sitemaps/{}.xml", month.replace('/', "-"));
            writeln!(index, "<sitemap><loc>{SITE}/{file}</loc><lastmod>{}</lastmod></sitemap>", newest.date)?;
            self.write(Path::new(&file), sitemap(posts)?.as_bytes())?;
        }
        self.write(Path::new("sitemaps/pages.xml"), format!("{pages}</urlset>\n").as_bytes())?;
        self.write(Path::new("sitemap.xml"), format!("{index}</sitemapindex>\n").as_bytes())
    }
}

fn sitemap(posts: &[&Post]) -> anyhow::Result<String> {
    let mut xml = format!("{XML}<urlset xmlns=\"{NAMESPACE}\">\n");
    for post in posts {
        writeln!(xml, "<url><loc>{SITE}{}</loc><lastmod>{}</lastmod></url>", post.address, post.date)?;
    }
    Ok(xml + "</urlset>\n")
}

fn json_feed(posts: &[&Post]) -> String {
    let item = |post: &&Post| {
        let url = format!("{SITE}{}", post.address);
        json!({
            "id": url, "url": url, "title": post.title, "date_published": post.date,
            "content_html": post.html(), "tags": post.tags,
        })
    };
    json!({
        "version": "https://jsonfeed.org/version/1.1", "title": TITLE, "home_page_url": SITE,
        "feed_url": format!("{SITE}/feed.json"), "items": posts.iter().map(item).collect::<Vec<_>>(),
    })
    .to_string()
}
