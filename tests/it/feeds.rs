//! What programs read of a site, read by programs of others: feeds, sitemaps, robots.txt.

use std::collections::BTreeSet;

use feed_rs::model::Feed;

use crate::built_site::{BuiltSite, attributes, specimen, texts};

#[test]
fn the_three_feeds_parse_and_agree() {
    let site = specimen();
    let [atom, rss, json] = ["/feed.xml", "/rss.xml", "/feed.json"].map(|address| parsed_feed(site, address));
    let newest = links(&atom);
    assert_eq!(newest.first().map(String::as_str), Some("https://mill.example/2026/03/every-feature/"));
    assert_eq!(links(&rss), newest);
    assert_eq!(links(&json), newest);
    for feed in [&atom, &rss, &json] {
        assert_eq!(feed.title.as_ref().unwrap().content, "The Paper Mill");
        assert!(feed.entries.iter().all(|entry| entry.published.is_some()));
    }
    assert!(atom.entries[0].content.as_ref().unwrap().body.as_ref().unwrap().contains("<h2"));
}

#[test]
fn a_hostile_title_arrives_as_its_author_wrote_it() {
    let atom = parsed_feed(specimen(), "/feed.xml");
    let titles: Vec<_> = atom.entries.iter().filter_map(|entry| entry.title.as_ref()).map(|it| &*it.content).collect();
    assert!(titles.contains(&"</title><script>alert(\"1\")</script> & 'quotes' & <b>tags</b>"), "{titles:?}");
}

#[test]
fn pages_announce_their_feeds_and_every_announced_feed_parses() {
    let site = specimen();
    let announced: BTreeSet<String> =
        site.pages().flat_map(|address| attributes(&site.page(address), "link[rel=alternate]", "href")).collect();
    assert!(announced.len() > 4, "{announced:?}");
    for address in &announced {
        let address = percent_encoding::percent_decode_str(address).decode_utf8().unwrap();
        assert!(!parsed_feed(site, &address).entries.is_empty(), "{address}");
    }
}

#[test]
fn the_sitemaps_parse_and_name_every_page_that_wants_to_be_found() {
    let site = specimen();
    let mapped: BTreeSet<String> = mapped_addresses(site, "https://mill.example").into_iter().collect();
    for address in &mapped {
        assert!(site.files.contains_key(address), "{address} is in a sitemap, but not on the site");
    }
    let posts = site.pages().filter(|address| texts(&site.page(address), "article.h-entry h1").len() == 1);
    for address in posts {
        assert!(mapped.contains(address), "{address} is in no sitemap");
    }
}

#[test]
fn robots_are_told_where_the_sitemap_is() {
    let robots = specimen().text("/robots.txt");
    assert!(robots.lines().any(|line| line == "Sitemap: https://mill.example/sitemap.xml"), "{robots}");
    assert!(!robots.lines().any(|line| line.trim() == "Disallow: /"), "{robots}");
}

pub(crate) fn parsed_feed(site: &BuiltSite, address: &str) -> Feed {
    let text = site.text(address);
    feed_rs::parser::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{address}: {error}"))
}

pub(crate) fn links(feed: &Feed) -> Vec<String> {
    let link_of = |entry: &feed_rs::model::Entry| entry.links.first().map(|link| link.href.clone()).unwrap();
    feed.entries.iter().map(link_of).collect()
}

/// What all shards of the sitemap name, as addresses within the site.
pub(crate) fn mapped_addresses(site: &BuiltSite, origin: &str) -> Vec<String> {
    let within = |url: String| {
        let address = url.strip_prefix(origin).unwrap_or_else(|| panic!("{url} is on another site")).to_owned();
        percent_encoding::percent_decode_str(&address).decode_utf8().unwrap().into_owned()
    };
    let shards = locations(&site.text("/sitemap.xml"), "sitemapindex");
    shards.into_iter().flat_map(|shard| locations(&site.text(&within(shard)), "urlset")).map(within).collect()
}

fn locations(xml: &str, root: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let namespace = "http://www.sitemaps.org/schemas/sitemap/0.9";
    assert!(document.root_element().has_tag_name((namespace, root)));
    let found = document.descendants().filter(|node| node.has_tag_name((namespace, "loc")));
    found.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}
