//! Pages as values: how they are named, and what comes out.

use microblog_domain::{FilePath, Slug, UrlPath};

use crate::index::{ListKey, Slice};

/// A feed of the site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedKey {
    /// `/feed.xml`
    Atom,
    /// `/rss.xml`
    Rss,
    /// `/feed.json`
    Json,
    /// `/tags/{tag}/feed.xml`
    Tag(Slug),
}

impl FeedKey {
    /// The feeds of the whole site.
    pub(crate) const OF_SITE: [Self; 3] = [Self::Atom, Self::Rss, Self::Json];
}

/// Names a page that may exist. Whether it does, and what it shows, the site's [`view`](crate::Site::view) tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageKey {
    /// An address that posts claim: a post, or a redirect to one.
    Address(FilePath),
    /// A page of a list.
    List(ListKey, Slice),
    /// `/tags/`
    Tags,
    /// `/archive/`
    Archive,
    /// A feed.
    Feed(FeedKey),
    /// `/sitemap.xml`, the index of the shards.
    SitemapIndex,
    /// The shard with lists and pages outside time.
    SitemapPages,
    /// A shard with posts of a month: year, month, number from 0.
    Sitemap(i16, i8, usize),
    /// `/404.html`
    NotFound,
    /// `/robots.txt`
    Robots,
    /// A file of the theme, by its fingerprinted address.
    Asset(FilePath),
}

impl PageKey {
    /// The file of this page. `None` only if a tag's name makes it too long.
    #[must_use]
    pub fn file(&self) -> Option<FilePath> {
        match self {
            Self::Address(file) | Self::Asset(file) => Some(file.clone()),
            other => other.url().map(|url| url.file()),
        }
    }

    /// The address of this page, for those that are not claimed by posts.
    #[must_use]
    pub(crate) fn url(&self) -> Option<UrlPath> {
        let path = match self {
            Self::Address(file) | Self::Asset(file) => format!("/{}", file.as_str().trim_end_matches("index.html")),
            Self::List(list, slice) => list_path(list, *slice),
            Self::Tags => "/tags/".to_owned(),
            Self::Archive => "/archive/".to_owned(),
            Self::Feed(FeedKey::Atom) => "/feed.xml".to_owned(),
            Self::Feed(FeedKey::Rss) => "/rss.xml".to_owned(),
            Self::Feed(FeedKey::Json) => "/feed.json".to_owned(),
            Self::Feed(FeedKey::Tag(tag)) => format!("/tags/{tag}/feed.xml"),
            Self::SitemapIndex => "/sitemap.xml".to_owned(),
            Self::SitemapPages => "/sitemaps/pages.xml".to_owned(),
            Self::Sitemap(year, month, 0) => format!("/sitemaps/{year:04}-{month:02}.xml"),
            Self::Sitemap(year, month, shard) => format!("/sitemaps/{year:04}-{month:02}-{shard}.xml"),
            Self::NotFound => "/404.html".to_owned(),
            Self::Robots => "/robots.txt".to_owned(),
        };
        path.parse().ok()
    }
}

fn list_path(list: &ListKey, slice: Slice) -> String {
    let base = match list {
        ListKey::Home => "/".to_owned(),
        ListKey::Tag(tag) => format!("/tags/{tag}/"),
        ListKey::Year(year) => format!("/{year:04}/"),
        ListKey::Month(year, month) => format!("/{year:04}/{month:02}/"),
    };
    match slice {
        Slice::Newest => base,
        Slice::Page(number) => format!("{base}page/{number}/"),
    }
}

/// A rendered page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it goes.
    pub file: FilePath,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Targets within the site that people wrote, in posts or in the menu, with the site's folder; the theme's own links
    /// are not among them.
    pub authored_links: Vec<String>,
}
