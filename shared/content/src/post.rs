//! From the text of a file to a post: what the fields of a front matter mean.
//!
//! Start reading at [`parse`]. What decides between the three kinds of posts, unless `kind` says it: a post without a
//! date stands outside time and is a page (as an undated file is for Hugo, Jekyll and Zola, which keep it out of their
//! lists); one without a title is a note; every other is an article. A draft may lack a date.

use std::ops::Range;
use std::path::{Component, Path};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use microblog_domain::{PostContent, PostKind, PostStatus, Slug, UrlPath};
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
    let front_matter = FrontMatter::read(text)?;
    let mut fields = Fields::of(&front_matter);
    let mut body = body_range(text, &front_matter);

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
        return text.replace(' ', "-").parse().map_err(|error| fields.fault("slug", error));
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
