//! Whatever posts are at hand, built as they are: a folder in `MICROBLOG_TEST_CORPUS`, otherwise the specimen.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::Timestamp;
use microblog_content::{ContentFolder, Reading};
use microblog_domain::{Post, PostStatus, SiteSettings};

use crate::built_site::{BuiltSite, links_within, specimen_content};
use crate::feeds::{mapped_addresses, parsed_feed};

struct Corpus {
    site: BuiltSite,
    settings: SiteSettings,
    posts: Vec<Post>,
}

static CORPUS: LazyLock<Corpus> = LazyLock::new(|| {
    let folder = std::env::var_os("MICROBLOG_TEST_CORPUS").map_or_else(specimen_content, PathBuf::from);
    let content = ContentFolder::open(&folder).unwrap();
    let settings = content.settings().cloned().unwrap_or_default();
    let reading = Reading { zone: settings.timezone.rules().clone(), now: Timestamp::MAX };
    let posts = content.read_posts(&reading, Result::ok).into_iter().flatten().map(|file| file.into_post());
    let posts = posts.filter(|post| post.status == PostStatus::Published).collect();
    Corpus { site: BuiltSite::build(&folder, "corpus"), settings, posts }
});

/// Where a post must be found.
fn address_of(post: &Post, settings: &SiteSettings) -> String {
    let published_at = post.content.published_at.unwrap_or(post.updated_at);
    settings.address_of(&post.content, published_at).unwrap().as_str().to_owned()
}

#[test]
fn every_published_post_has_a_page() {
    let Corpus { site, settings, posts } = &*CORPUS;
    assert!(!posts.is_empty());
    for post in posts {
        let address = address_of(post, settings);
        assert!(site.files.contains_key(&address), "{address} is missing");
        if let Some(title) = &post.content.title {
            let heading = crate::built_site::texts(&site.page(&address), "h1.p-name").concat();
            assert_eq!(heading.split_whitespace().collect::<Vec<_>>(), title.split_whitespace().collect::<Vec<_>>());
        }
    }
}

#[test]
fn no_link_to_a_post_is_broken() {
    let Corpus { site, settings, posts } = &*CORPUS;
    let slugs: HashSet<&str> = posts.iter().map(|post| post.content.slug.as_str()).collect();
    let means_a_post =
        |path: &str| path.trim_end_matches('/').rsplit('/').next().is_some_and(|last| slugs.contains(last));
    // Servers lead from the name of a folder to its page, with or without the slash.
    let answers = |path: &str| site.files.contains_key(path) || site.files.contains_key(&format!("{path}/"));
    let mut broken = Vec::new();
    for address in site.pages() {
        let links = links_within(&site.page(address), address, settings.base_url.as_str());
        let dead = links.into_iter().filter(|link| means_a_post(&link.path) && !answers(&link.path));
        broken.extend(dead.map(|link| format!("{address}: {}", link.path)));
    }
    assert!(broken.is_empty(), "{} broken links to posts:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn its_feeds_and_sitemaps_parse() {
    let Corpus { site, settings, posts } = &*CORPUS;
    let shown = posts.len().min(usize::from(settings.feed_items));
    for address in ["/feed.xml", "/rss.xml", "/feed.json"] {
        assert!(parsed_feed(site, address).entries.len() <= shown, "{address}");
    }
    let mapped: HashSet<String> = mapped_addresses(site, settings.base_url.as_str()).into_iter().collect();
    for post in posts {
        assert!(mapped.contains(&address_of(post, settings)), "{} is in no sitemap", post.content.slug);
    }
}
