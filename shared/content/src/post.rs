//! From the text of a file to a post: what the fields of a front matter mean.
//!
//! Start reading at [`parse`]. What decides between the three kinds of posts, unless `kind` says it: a post without a
//! date stands outside time and is a page (as an undated file is for Hugo, Jekyll and Zola, which keep it out of their
//! lists); one without a title is a note; every other is an article. A draft may lack a date.

use std::ops::Range;
use std::path::{Component, Path};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use microblog_domain::{PostContent, PostKind, PostStatus, Slug, SlugError, UrlPath};
use serde_json::{Map, Value};

use crate::fields::{Fields, as_flag};
use crate::front_matter::FrontMatter;
use crate::problem::{Fault, FileProblem, Reason};
use crate::{date, file_name, heading, labels};

/// Every spelling that [`parse`] gives a meaning to; an extra field of such a name is written below `extra`.
pub(crate) const KNOWN_FIELDS: [&str; 29] = [
    "title",
    "slug",
    "date",
    "publishDate",
    "pubDate",
    "updated",
    "lastmod",
    "last_modified_at",
    "modified",
    "tags",
    "tag",
    "taxonomies",
    "categories",
    "category",
    "draft",
    "published",
    "description",
    "summary",
    "excerpt",
    "authors",
    "author",
    "image",
    "aliases",
    "redirect_from",
    "permalink",
    "path",
    "url",
    "kind",
    "extra",
];

/// Signs of an address that Jekyll or Eleventy would fill in.
const PLACEHOLDERS: [&str; 8] = ["{{", ":year", ":month", ":day", ":title", ":slug", ":categories", ":name"];

/// What the meaning of a file depends on besides its text.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The zone of dates that name none: the site's.
    pub zone: TimeZone,
    /// A later date makes a post a scheduled one.
    pub now: Timestamp,
}

/// A file's post, and where in the file its text stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedPost {
    /// What the author wrote, text included.
    pub content: PostContent,
    /// Draft, scheduled or published.
    pub status: PostStatus,
    /// When it was last changed, if the file says so.
    pub updated_at: Option<Timestamp>,
    /// The bytes of the file that are its text.
    pub body: Range<usize>,
}

/// Reads the text of a file. The path, relative to the folder, may give slug and date, and stands in the problem.
pub fn parse(text: &str, path: &Path, reading: &Reading) -> Result<ParsedPost, FileProblem> {
    parse_text(text, path, reading).map_err(|fault| FileProblem::at(path, fault))
}

fn parse_text(text: &str, path: &Path, reading: &Reading) -> Result<ParsedPost, Fault> {
    let mut front_matter = FrontMatter::read(text)?;
    let mut body = body_range(text, &front_matter);
    let mut fields = Fields::of(&mut front_matter);

    let explicit_kind = take_kind(&mut fields);
    let title = take_title(&mut fields, explicit_kind, text, &mut body)?;
    let published_at = take_date(&mut fields, path, reading)?;
    let updated_at = take_update(&mut fields, reading)?;
    let is_draft = take_draft(&mut fields, path)?;
    let kind = kind_of(explicit_kind, title.as_deref(), published_at, is_draft, &fields)?;
    let content = PostContent {
        kind,
        slug: take_slug(&mut fields, path, title.as_deref())?,
        title,
        markdown: text[body.clone()].to_owned(),
        published_at,
        tags: labels::take(&mut fields)?,
        description: fields.text(&["description", "summary", "excerpt"])?.map(|(_, text)| text),
        image: take_image(&mut fields)?,
        authors: take_authors(&mut fields)?,
        aliases: take_aliases(&mut fields)?,
        permalink: take_permalink(&mut fields)?,
        extra: extra(fields),
    };
    Ok(ParsedPost { status: status_of(is_draft, published_at, reading.now), content, updated_at, body })
}

/// The text without the line break that ends a file.
fn body_range(text: &str, front_matter: &FrontMatter<'_>) -> Range<usize> {
    let body = &text[front_matter.body_start..];
    let line_end = if front_matter.has_crlf { "\r\n" } else { "\n" };
    let body = body.strip_suffix(line_end).unwrap_or(body);
    front_matter.body_start..front_matter.body_start + body.len()
}

/// Other programs use the word for other things, so that an unknown one is left alone.
fn take_kind(fields: &mut Fields<'_>) -> Option<PostKind> {
    let kind = fields.get("kind")?.as_str()?.parse().ok()?;
    fields.take("kind");
    Some(kind)
}

/// A title, or else the heading that the text begins with; a field without a value means that there is none.
fn take_title(
    fields: &mut Fields<'_>,
    kind: Option<PostKind>,
    text: &str,
    body: &mut Range<usize>,
) -> Result<Option<String>, Fault> {
    if fields.has("title") || kind == Some(PostKind::Note) {
        return Ok(fields.text(&["title"])?.map(|(_, title)| title.trim().to_owned()));
    }
    let Some(heading) = heading::find(&text[body.clone()]) else { return Ok(None) };
    body.start += heading.span.end;
    Ok(Some(heading.text.to_owned()))
}

/// The date, or else the one in the file's name. Hugo's `publishDate` holds a post back.
fn take_date(fields: &mut Fields<'_>, path: &Path, reading: &Reading) -> Result<Option<Timestamp>, Fault> {
    let date = read_date(fields, &["date", "pubDate"], reading)?;
    let from = read_date(fields, &["publishDate"], reading)?;
    if date.is_some() || from.is_some() {
        return Ok(date.max(from));
    }
    let (in_name, _) = file_name::split_date(file_name::stem(path));
    in_name
        .map(|text| date::read(text, &reading.zone))
        .transpose()
        .map_err(|message| fields.fault("file name", message))
}

fn take_update(fields: &mut Fields<'_>, reading: &Reading) -> Result<Option<Timestamp>, Fault> {
    read_date(fields, &["updated", "lastmod", "last_modified_at", "modified"], reading)
}

fn read_date(fields: &mut Fields<'_>, names: &[&'static str], reading: &Reading) -> Result<Option<Timestamp>, Fault> {
    let Some((name, text)) = fields.text(names)? else { return Ok(None) };
    date::read(&text, &reading.zone).map(Some).map_err(|message| fields.fault(name, message))
}

/// `draft`, Jekyll's `published` and its folder `_drafts`.
fn take_draft(fields: &mut Fields<'_>, path: &Path) -> Result<bool, Fault> {
    let is_draft = fields.flag("draft")?.unwrap_or(false);
    let is_held_back = fields.get("published").and_then(as_flag).map(|published| !published);
    if is_held_back.is_some() {
        fields.take("published");
    }
    let is_in_drafts = path.components().any(|part| part == Component::Normal("_drafts".as_ref()));
    Ok(is_draft || is_held_back.unwrap_or(false) || is_in_drafts)
}

fn kind_of(
    explicit: Option<PostKind>,
    title: Option<&str>,
    date: Option<Timestamp>,
    is_draft: bool,
    fields: &Fields<'_>,
) -> Result<PostKind, Fault> {
    let is_undated = date.is_none() && !is_draft;
    match explicit {
        Some(PostKind::Article | PostKind::Note) if is_undated => {
            Err(fields.fault("date", "is missing; add one such as `date: 2024-01-31`, or `kind: page`"))
        }
        Some(kind) => Ok(kind),
        None => Ok(inferred_kind(title.is_some(), is_undated)),
    }
}

/// The kind of a post whose front matter does not say it.
pub(crate) fn inferred_kind(has_title: bool, is_undated: bool) -> PostKind {
    match (is_undated, has_title) {
        (true, _) => PostKind::Page,
        (false, true) => PostKind::Article,
        (false, false) => PostKind::Note,
    }
}

fn status_of(is_draft: bool, date: Option<Timestamp>, now: Timestamp) -> PostStatus {
    match date {
        _ if is_draft => PostStatus::Draft,
        Some(date) if date > now => PostStatus::Scheduled,
        _ => PostStatus::Published,
    }
}

/// The slug as written (in lower case), else the file's name, else the title.
fn take_slug(fields: &mut Fields<'_>, path: &Path, title: Option<&str>) -> Result<Slug, Fault> {
    if let Some(value) = fields.get("slug").filter(|value| !value.is_null()).cloned() {
        fields.take("slug");
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_lowercase());
        return text.replace(' ', "-").parse().map_err(|error: SlugError| fields.fault("slug", error.to_string()));
    }
    fields.take("slug");
    let from_title = || title.and_then(Slug::from_title);
    file_name::slug(file_name::stem(path)).or_else(from_title).ok_or_else(|| Reason::NoSlug.into())
}

/// An address, or the map that some themes make of it, which then stays among the extra fields.
fn take_image(fields: &mut Fields<'_>) -> Result<Option<String>, Fault> {
    if let Some(Value::Object(image)) = fields.get("image") {
        let address = ["path", "url", "src"].iter().find_map(|name| image.get(*name)?.as_str());
        return Ok(address.map(str::to_owned));
    }
    Ok(fields.text(&["image"])?.map(|(_, address)| address))
}

fn take_authors(fields: &mut Fields<'_>) -> Result<Vec<String>, Fault> {
    let mut authors = fields.list("authors")?;
    if authors.is_empty() {
        authors = fields.list("author")?;
    }
    Ok(authors)
}

fn take_aliases(fields: &mut Fields<'_>) -> Result<Vec<UrlPath>, Fault> {
    let mut aliases = fields.addresses("aliases")?;
    aliases.extend(fields.addresses("redirect_from")?);
    Ok(aliases)
}

fn take_permalink(fields: &mut Fields<'_>) -> Result<Option<UrlPath>, Fault> {
    let Some((name, text)) = fields.text(&["permalink", "path", "url"])? else { return Ok(None) };
    if is_pattern(&text) {
        return Err(fields.fault(name, "patterns are not filled in here; write the address itself, such as /about/"));
    }
    fields.address(name, &text).map(Some)
}

/// Whether another program would fill something into the address.
pub(crate) fn is_pattern(address: &str) -> bool {
    PLACEHOLDERS.iter().any(|placeholder| address.contains(placeholder))
}

/// What is left, with the contents of `extra` beside it where no field of the same name is in the way.
fn extra(mut fields: Fields<'_>) -> Map<String, Value> {
    let nested = fields.take("extra");
    let mut extra = fields.into_rest();
    let Some(Value::Object(nested)) = nested else {
        extra.extend(nested.map(|value| ("extra".to_owned(), value)));
        return extra;
    };
    let (taken, free): (Vec<_>, Vec<_>) = nested.into_iter().partition(|(name, _)| extra.contains_key(name));
    extra.extend(free);
    if !taken.is_empty() {
        extra.insert("extra".to_owned(), Value::Object(taken.into_iter().collect()));
    }
    extra
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reading() -> Reading {
        Reading { zone: TimeZone::get("Europe/Berlin").unwrap(), now: "2024-06-01T00:00:00Z".parse().unwrap() }
    }

    fn post(path: &str, text: &str) -> ParsedPost {
        parse(text, Path::new(path), &reading()).unwrap()
    }

    fn problem(path: &str, text: &str) -> String {
        parse(text, Path::new(path), &reading()).unwrap_err().to_string()
    }

    fn tags(post: &ParsedPost) -> Vec<&str> {
        post.content.tags.iter().map(microblog_domain::Tag::name).collect()
    }

    #[test]
    fn a_jekyll_post_is_understood() {
        let text = "---\nlayout: post\ntitle: Hello\ncategories: news\ntags: rust web\nredirect_from: /old/\n\
                    last_modified_at: 2024-02-02 10:00:00 +0200\nauthor: {name: Jane}\nimage: {path: /a.png, alt: A}\n---\n\nText\n";
        let post = post("_posts/2024-01-31-hello-world.md", text);
        assert_eq!(post.content.published_at.unwrap().to_string(), "2024-01-30T23:00:00Z");
        assert_eq!(post.updated_at.unwrap().to_string(), "2024-02-02T08:00:00Z");
        assert_eq!(post.content.slug.as_str(), "hello-world");
        assert_eq!(tags(&post), ["rust", "web", "news"]);
        assert_eq!(post.content.authors, ["Jane"]);
        assert_eq!(post.content.aliases[0].as_str(), "/old/");
        assert_eq!(post.content.image.as_deref(), Some("/a.png"));
        assert_eq!(post.content.extra["layout"], "post");
        assert_eq!(post.content.extra["categories"], "news");
        assert_eq!((post.content.markdown.as_str(), post.status), ("Text", PostStatus::Published));
    }

    #[test]
    fn a_zola_page_is_understood() {
        let text = "+++\ntitle = \"Hello\"\ndate = 2024-01-31\npath = \"about/me\"\naliases = [\"old\"]\n\
                    [taxonomies]\ntags = [\"Rust\", \"rust\"]\ncategories = [\"News\"]\nseries = [\"One\"]\n\
                    [extra]\ntoc = true\ntitle = \"inner\"\n+++\nText\n";
        let post = post("hello.md", text);
        assert_eq!(post.content.permalink.as_ref().unwrap().as_str(), "/about/me/");
        assert_eq!(post.content.aliases[0].as_str(), "/old/");
        assert_eq!(tags(&post), ["Rust", "News"]);
        let extra = json!({"taxonomies": {"series": ["One"]}, "categories": ["News"], "toc": true, "title": "inner"});
        assert_eq!(Value::Object(post.content.extra), extra);
    }

    #[test]
    fn kinds_follow_from_date_and_title() {
        for (path, text, kind) in [
            ("a.md", "---\ntitle: A\ndate: 2024-01-31\n---\nText", PostKind::Article),
            ("a.md", "---\ndate: 2024-01-31\n---\n# Heading\n\nText", PostKind::Article),
            ("a.md", "---\ndate: 2024-01-31\n---\nText", PostKind::Note),
            ("2024-01-31-a.md", "Text", PostKind::Note),
            ("a.md", "---\ntitle: A\n---\nText", PostKind::Page),
            ("a.md", "# Heading\n\nText", PostKind::Page),
            ("a.md", "---\ntitle: A\ndraft: true\n---\nText", PostKind::Article),
            ("a.md", "---\ntitle: A\ndate: 2024-01-31\nkind: page\n---\nText", PostKind::Page),
            ("a.md", "---\ntitle: A\nkind: section\n---\nText", PostKind::Page),
        ] {
            assert_eq!(post(path, text).content.kind, kind, "{path}: {text}");
        }
        assert!(problem("a.md", "---\nkind: note\n---\nText").contains("date: is missing"));
    }

    #[test]
    fn a_heading_becomes_the_title_and_leaves_the_text() {
        let read = post("2024-01-31-a.md", "# Hello\n\nText\n\n# Second\n");
        assert_eq!(read.content.title.as_deref(), Some("Hello"));
        assert_eq!((read.content.markdown.as_str(), read.body), ("Text\n\n# Second", 9..23));
        let titled = post("2024-01-31-a.md", "---\ntitle: A\n---\n# Hello\n");
        assert_eq!(titled.content.markdown, "# Hello");
    }

    #[test]
    fn nothing_goes_live_too_early() {
        for (path, fields, status) in [
            ("a.md", "date: 2024-05-31", PostStatus::Published),
            ("a.md", "date: 2024-06-02", PostStatus::Scheduled),
            ("a.md", "date: 2024-01-31\npublishDate: 2024-06-02", PostStatus::Scheduled),
            ("a.md", "date: 2024-01-31\ndraft: yes", PostStatus::Draft),
            ("a.md", "date: 2024-01-31\npublished: false", PostStatus::Draft),
            ("a.md", "date: 2024-01-31\ndraft: \"true\"", PostStatus::Draft),
            ("_drafts/a.md", "title: A", PostStatus::Draft),
        ] {
            assert_eq!(post(path, &format!("---\n{fields}\n---\n")).status, status, "{path}: {fields}");
        }
    }

    #[test]
    fn wrong_fields_are_named_with_their_line() {
        for (fields, expected) in [
            ("x: 1\ndate: 2024-13-01", "a.md:3: date: \"2024-13-01\" is not a date"),
            ("date: [1]", "a.md:2: "),
            ("draft: maybe", "a.md:2: draft: expected true or false, found \"maybe\""),
            ("slug: ../x", "a.md:2: slug: a slug is made of"),
            ("slug: /x", "a.md:2: slug: "),
            ("slug: con", "a.md:2: slug: \"con\" is reserved"),
            ("slug: \"\"", "a.md:2: slug: a slug must not be empty"),
            ("slug: 🎉", "a.md:2: slug: "),
            ("tags: [ok, 🎉]", "a.md:2: tags: the tag \"🎉\" has no letter"),
            ("tags: [[a]]", "a.md:2: tags: expected text, found a list"),
            ("aliases: /../x", "a.md:2: aliases: the address"),
            ("permalink: /:year/x/", "a.md:2: permalink: patterns are not filled in"),
        ] {
            let found = problem("a.md", &format!("---\n{fields}\n---\nText"));
            assert!(found.starts_with(expected), "{fields}: {found}");
        }
        let long = problem("a.md", &format!("---\nslug: {}\n---\n", "x".repeat(5_000)));
        assert_eq!(long, "a.md:2: slug: a slug has at most 200 bytes; this one has 5000");
        assert!(problem("🎉.md", "Text").contains("nothing here can stand in an address"));
        assert!(problem("2024-13-01-a.md", "Text").contains("file name: \"2024-13-01\" is not a date"));
    }

    #[test]
    fn slugs_come_from_field_name_or_title() {
        for (path, text, slug) in [
            ("posts/File.md", "---\nslug: My Slug\n---\n", "my-slug"),
            ("posts/2024-01-31-File.md", "---\ntitle: T\n---\n", "file"),
            ("posts/hello/index.md", "", "hello"),
            ("posts/2024-01-31.md", "---\ntitle: From title\n---\n", "from-title"),
            ("posts/🎉.md", "---\ntitle: From title\n---\n", "from-title"),
            ("x.md", "---\nslug: 2024\n---\n", "2024"),
        ] {
            assert_eq!(post(path, text).content.slug.as_str(), slug, "{path}");
        }
    }
}
