//! What people do to a site, made of so few slugs, days, tags and addresses that they keep meeting: two posts with one
//! address, an alias that hits another post, the same second, both sides of a month's end.

use microblog_domain::media::public_file;
use microblog_domain::{ContentHash, MenuItem, PostContent, PostKind, SiteSettings, Tag, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

/// Some edits, then a build.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) edits: Vec<Edit>,
    pub(super) build: Build,
}

/// Something that somebody does.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Create {
        details: Details,
        publish: bool,
    },
    Change(Index, Details),
    Publish(Index),
    Unpublish(Index),
    Trash(Index),
    Restore(Index),
    RestoreRevision(Index, u32),
    SetAside(Index),
    PublishDue,
    Upload(Upload),
    /// The row of an upload, whose bytes come a round later, as from a backup.
    UploadLate(Upload),
    DeleteUpload(Index),
    /// So many variants of the picture that waits for them longest, which is shown so large.
    MakeVariants(u32, (u32, u32)),
    Settings(Vec<Setting>),
    Theme(ThemeFile, Option<u8>),
    Wait(u64),
    /// Holds the site at one of the kept releases.
    Pin(Index),
    Unpin,
    /// Another process makes a kept release live, if nobody holds the site.
    RollBackElsewhere(Index),
}

/// How the build after the edits goes. Those that come to nothing are followed by one that does not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Build {
    Incremental,
    Full,
    /// The worker's process ended before, and another one began.
    Restarted,
    /// Somebody stops it as soon as it renders.
    Cancelled,
    /// This change of the file system fails.
    DiskFails {
        at: u64,
    },
    /// The process ends before this change of the file system.
    Killed {
        at: u64,
    },
    /// The theme has a mistake, which the build meets.
    ThemeBroken(Mistake),
}

/// A mistake in a template.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mistake {
    /// Found when the theme is read.
    Syntax,
    /// Found when a page is rendered.
    Use,
}

/// A file that one of few uploads holds, under one of three names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upload {
    pub(super) bytes: &'static [u8],
    pub(super) name: &'static str,
}

/// A file of the theme that replaces one of the default's, or is added.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThemeFile {
    pub(super) path: &'static str,
    pub(super) source: &'static str,
}

/// What is said of a post; what is not said has a default. What is said last counts.
pub(super) type Details = Vec<Detail>;

/// One thing that an author decides about a post.
#[derive(Debug, Clone)]
pub(super) enum Detail {
    Title(Option<&'static str>),
    Slug(&'static str),
    Kind(PostKind),
    Text(&'static str),
    Date(Option<&'static str>),
    Tags(Vec<&'static str>),
    Description(Option<&'static str>),
    Image(Option<&'static str>),
    Authors(Vec<&'static str>),
    Aliases(Vec<&'static str>),
    Permalink(Option<&'static str>),
    Extra(Option<u8>),
}

/// One thing that the owner decides about the site.
#[derive(Debug, Clone)]
pub(super) enum Setting {
    Title(&'static str),
    Description(&'static str),
    BaseUrl(&'static str),
    Language(&'static str),
    TimeZone(&'static str),
    Author(&'static str),
    Permalink(&'static str),
    PostsPerPage(u16),
    FeedItems(u16),
    Menu(Vec<&'static str>),
    Highlight(bool),
}

/// What uploads hold. Texts name them by their places in this list, as in `/media/0/a.png`.
const UPLOADED: [&[u8]; 3] = [b"a picture", b"another picture", b""];

/// A text with the addresses that its uploads have.
fn with_addresses(text: &str) -> String {
    let written = |text: String, (place, bytes): (usize, &&[u8])| {
        let address = public_file(&ContentHash::of(bytes), "a.png").unwrap();
        let folder = address.as_str().trim_end_matches("a.png");
        text.replace(&format!("/media/{place}/"), &format!("/{folder}"))
    };
    UPLOADED.iter().enumerate().fold(text.to_owned(), written)
}

impl Detail {
    pub(super) fn decide(&self, post: &mut PostContent) {
        let text = |text: &&str| (*text).to_owned();
        match self {
            Self::Title(title) => post.title = title.as_ref().map(text),
            Self::Slug(slug) => post.slug = slug.parse().unwrap(),
            Self::Kind(kind) => post.kind = *kind,
            Self::Text(markdown) => post.markdown = with_addresses(markdown),
            Self::Date(date) => post.published_at = date.map(|date| date.parse::<Timestamp>().unwrap()),
            Self::Tags(tags) => post.tags = tags.iter().map(|tag| Tag::new(tag).unwrap()).collect(),
            Self::Description(description) => post.description = description.as_ref().map(text),
            Self::Image(image) => post.image = image.map(with_addresses),
            Self::Authors(authors) => post.authors = authors.iter().map(text).collect(),
            Self::Aliases(aliases) => post.aliases = aliases.iter().map(|alias| alias.parse().unwrap()).collect(),
            Self::Permalink(permalink) => post.permalink = permalink.map(|address| address.parse().unwrap()),
            Self::Extra(None) => post.extra.clear(),
            Self::Extra(Some(mood)) => drop(post.extra.insert("mood".to_owned(), json!(mood))),
        }
    }
}

impl Setting {
    pub(super) fn decide(&self, site: &mut SiteSettings) {
        match self {
            Self::Title(title) => site.title = (*title).to_owned(),
            Self::Description(description) => site.description = (*description).to_owned(),
            Self::BaseUrl(url) => site.base_url = url.parse().unwrap(),
            Self::Language(language) => site.language = (*language).to_owned(),
            Self::TimeZone(zone) => site.timezone = zone.parse().unwrap(),
            Self::Author(author) => site.author = (*author).to_owned(),
            Self::Permalink(pattern) => site.permalink = pattern.parse().unwrap(),
            Self::PostsPerPage(posts) => site.posts_per_page = *posts,
            Self::FeedItems(items) => site.feed_items = *items,
            Self::Menu(urls) => {
                let item = |url: &&str| MenuItem { title: format!("To {url}"), url: (*url).to_owned() };
                site.menu = urls.iter().map(item).collect();
            }
            Self::Highlight(highlight) => site.highlight = *highlight,
        }
    }
}

const TITLES: [Option<&str>; 6] =
    [None, Some("One"), Some("one"), Some("<Two> & \"Three\""), Some(" "), Some("日本語の題名")];
const SLUGS: [&str; 8] = ["a", "b", "c", "a-2", "2026", "tags", "01", "日本"];
const TEXTS: [&str; 11] = [
    "",
    "Some *text*.",
    "Some other text.",
    "A [link](/2026/01/a/) and [another](/a/#part).",
    "# Part\n\nSaid[^1] and said[^note].\n\n[^1]: Why.\n[^note]: Because.",
    "```rust\nfn main() { println!(\"{}\", 1 + 1); }\n```",
    "![A picture](/media/0/a.png)\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "Two: ![one](/media/1/a.png) and ![another](/media/0/b.jpg), and none: ![x](/media/x/a.png)",
    "![Empty][1] and [a file](/media/1/c.txt)\n\n[1]: /media/2/a.png \"Nothing\"",
    "<div onclick=\"x()\">raw <b>html</b></div>\n\n- [ ] open\n- [x] done",
    "One sentence that is long enough to be cut off where a note without a title is called by its first words.",
];
/// Ends of months and years as several time zones see them, the same second twice, fractions of one, and the future.
const DATES: [Option<&str>; 14] = [
    None,
    Some("2025-12-31T11:00:00Z"),
    Some("2025-12-31T23:59:59.999999Z"),
    Some("2026-01-01T00:00:00Z"),
    Some("2026-01-01T00:00:00.000001Z"),
    Some("2026-01-01T04:30:00Z"),
    Some("2026-01-31T12:30:00Z"),
    Some("2026-01-31T23:30:00Z"),
    Some("2026-02-01T00:30:00Z"),
    Some("2026-02-10T08:00:00Z"),
    Some("2026-02-28T23:59:59Z"),
    Some("1969-12-31T23:59:59Z"),
    Some("2026-03-01T12:00:30Z"),
    Some("2026-03-02T00:00:00Z"),
];
const TAGS: [&[&str]; 9] = [
    &[],
    &["Rust"],
    &["rust"],
    &["RUST", "C"],
    &["C++", "c"],
    &["C#", "rust"],
    &["日本"],
    &["page"],
    &["Rust", "C", "C++", "日本"],
];
const ADDRESSES: [&str; 8] =
    ["/a/", "/b/", "/2026/01/a/", "/2026/02/b/", "/2026/a/", "/b.html", "/old/a.html", "/2026/01/a/b.html"];
const OLD_ADDRESSES: [&str; 12] = [
    "/a/",
    "/2026/01/a/",
    "/2026/02/b/",
    "/b.html",
    "/b.html/c/",
    "/old.php",
    "/old.php/x/",
    "/old/",
    "/feed.xml",
    "/tags/rust/",
    "/2026/",
    "/2026/01/",
];

fn any_detail() -> impl Strategy<Value = Detail> {
    use Detail as D;
    let kinds = vec![PostKind::Article, PostKind::Note, PostKind::Page];
    let aliases = prop::collection::vec(select(&OLD_ADDRESSES[..]), 0..3);
    prop_oneof![
        3 => select(&TITLES[..]).prop_map(D::Title),
        4 => select(&SLUGS[..]).prop_map(D::Slug),
        2 => select(kinds).prop_map(D::Kind),
        4 => select(&TEXTS[..]).prop_map(D::Text),
        4 => select(&DATES[..]).prop_map(D::Date),
        4 => select(&TAGS[..]).prop_map(|tags| D::Tags(tags.to_vec())),
        2 => select(vec![None, Some("Always the same."), Some("")]).prop_map(D::Description),
        1 => select(vec![None, Some("/media/0/a.png"), Some("/media/1/a.png"), Some("https://example.org/a.png")]).prop_map(D::Image),
        1 => select(vec![vec![], vec!["Ann"], vec!["Ann", "Bob"], vec!["Somebody"]]).prop_map(D::Authors),
        2 => aliases.prop_map(D::Aliases),
        1 => prop::option::of(select(&ADDRESSES[..])).prop_map(D::Permalink),
        1 => prop::option::of(0..3_u8).prop_map(D::Extra),
    ]
}

/// All that is said of a new post.
pub(super) fn details() -> impl Strategy<Value = Details> {
    prop::collection::vec(any_detail(), 2..9)
}

fn any_setting() -> impl Strategy<Value = Setting> {
    use Setting as S;
    let patterns = ["/{yyyy}/{mm}/{slug}/", "/{slug}/", "/{slug}.html", "/{yyyy}/{slug}/", "/{dd}/{slug}/"];
    let menus: [&[&str]; 3] = [&[], &["/a/"], &["/", "https://example.org/"]];
    prop_oneof![
        select(vec!["My site", "Another <site>"]).prop_map(S::Title),
        select(vec!["", "About this & that."]).prop_map(S::Description),
        select(vec!["http://localhost:8080", "https://example.org/blog"]).prop_map(S::BaseUrl),
        select(vec!["en", "de-CH", "ar"]).prop_map(S::Language),
        select(vec!["UTC", "Pacific/Auckland", "America/New_York"]).prop_map(S::TimeZone),
        select(vec!["", "Somebody"]).prop_map(S::Author),
        select(patterns.to_vec()).prop_map(S::Permalink),
        (1..4_u16).prop_map(S::PostsPerPage),
        (1..5_u16).prop_map(S::FeedItems),
        select(menus.to_vec()).prop_map(|urls| S::Menu(urls.to_vec())),
        any::<bool>().prop_map(S::Highlight),
    ]
}

fn any_upload() -> impl Strategy<Value = Upload> {
    let names = vec!["a.png", "b.jpg", "c.txt"];
    (select(UPLOADED.to_vec()), select(names)).prop_map(|(bytes, name)| Upload { bytes, name })
}

/// `VARIANT` stands where the versions of the file differ, in length too.
const THEME_FILES: [ThemeFile; 6] = [
    ThemeFile { path: "assets/style.css", source: "/* VARIANT */" },
    ThemeFile { path: "assets/extra.js", source: "// VARIANT" },
    ThemeFile { path: "templates/card.html", source: "<p>VARIANT {{ post.title }} {{ post.day }}</p>" },
    ThemeFile {
        path: "templates/404.html",
        source: "{% extends \"base.html\" %}{% block main %}<script src=\"{{ asset('icon.svg') }}\">VARIANT</script>{% endblock %}",
    },
    ThemeFile { path: "templates/redirect.html", source: "<a href=\"{{ target }}\">VARIANT</a>" },
    ThemeFile { path: "templates/pager.html", source: "{% if older %}<a href=\"{{ older }}\">VARIANT</a>{% endif %}" },
];

fn any_edit() -> impl Strategy<Value = Edit> {
    use Edit as E;
    let changes = || prop::collection::vec(any_detail(), 1..4);
    let theme = (select(&THEME_FILES[..]), prop::option::of(0..3_u8));
    prop_oneof![
        6 => (details(), prop::bool::weighted(0.9)).prop_map(|(details, publish)| E::Create { details, publish }),
        16 => (any::<Index>(), changes()).prop_map(|(post, details)| E::Change(post, details)),
        2 => any::<Index>().prop_map(E::Publish),
        2 => any::<Index>().prop_map(E::Unpublish),
        3 => any::<Index>().prop_map(E::Trash),
        2 => any::<Index>().prop_map(E::Restore),
        2 => (any::<Index>(), 1..4_u32).prop_map(|(post, number)| E::RestoreRevision(post, number)),
        1 => any::<Index>().prop_map(E::SetAside),
        1 => Just(E::PublishDue),
        4 => any_upload().prop_map(E::Upload),
        1 => any_upload().prop_map(E::UploadLate),
        2 => any::<Index>().prop_map(E::DeleteUpload),
        4 => (0..3_u32, select(vec![(640, 480), (300, 700)])).prop_map(|(number, size)| E::MakeVariants(number, size)),
        2 => prop::collection::vec(any_setting(), 1..3).prop_map(E::Settings),
        2 => theme.prop_map(|(file, variant)| E::Theme(file, variant)),
        3 => (1..100_000_u64).prop_map(E::Wait),
        1 => any::<Index>().prop_map(E::Pin),
        2 => Just(E::Unpin),
        1 => any::<Index>().prop_map(E::RollBackElsewhere),
    ]
}

fn any_build() -> impl Strategy<Value = Build> {
    prop_oneof![
        16 => Just(Build::Incremental),
        1 => Just(Build::Full),
        2 => Just(Build::Restarted),
        2 => Just(Build::Cancelled),
        2 => (0..200_u64).prop_map(|at| Build::DiskFails { at }),
        2 => (0..200_u64).prop_map(|at| Build::Killed { at }),
        2 => select(vec![Mistake::Syntax, Mistake::Use]).prop_map(Build::ThemeBroken),
    ]
}

pub(super) fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let edits = prop::collection::vec(any_edit(), 0..5);
    prop::collection::vec((edits, any_build()).prop_map(|(edits, build)| Round { edits, build }), 1..9)
}
