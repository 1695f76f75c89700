//! From a post to the text of a file: one plain dialect of YAML, which [`crate::parse`] reads back to the same post.
//!
//! Texts are written bare only where no YAML parser could take them for anything else; lists and maps stand on one
//! line, as in JSON, which is YAML too.

use std::fmt::Write as _;

use microblog_domain::{Post, PostKind, PostStatus, SiteSettings, UrlPath};
use serde_json::{Map, Value};

use crate::post::{KNOWN_FIELDS, inferred_kind, is_pattern};
use crate::{heading, labels};

/// Words that some parser of YAML takes for a flag or for nothing.
const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// The file of a post. Ids and version numbers stay behind, as they belong to a database.
///
/// What is neither published nor scheduled is written as a draft, so that no file goes live by being exported.
#[must_use]
pub fn write_post(post: &Post) -> String {
    let mut file = String::with_capacity(post.content.markdown.len() + 512);
    file.push_str("---\n");
    write_fields(&mut file, post);
    file.push_str("---\n\n");
    file.push_str(&post.content.markdown);
    file.push('\n');
    file
}

/// The settings of a site as `_data/config.yaml`.
#[must_use]
pub fn write_settings(settings: &SiteSettings) -> String {
    let mut file = String::new();
    if let Ok(Value::Object(fields)) = serde_json::to_value(settings) {
        fields.iter().for_each(|(name, value)| write_value(&mut file, name, value));
    }
    file
}

fn write_fields(file: &mut String, post: &Post) {
    let content = &post.content;
    let is_draft = !matches!(post.status, PostStatus::Published | PostStatus::Scheduled);
    write_title(file, post);
    write_text(file, "slug", Some(content.slug.as_str()));
    write_kind(file, post, is_draft);
    write_text(file, "date", content.published_at.map(|date| date.to_string()).as_deref());
    write_text(file, "updated", Some(&post.updated_at.to_string()));
    if is_draft {
        file.push_str("draft: true\n");
    }
    write_list(file, "tags", content.tags.iter().map(|tag| tag.name().to_owned()));
    write_text(file, "description", content.description.as_deref());
    write_text(file, "image", content.image.as_deref());
    write_list(file, "authors", content.authors.iter().cloned());
    write_list(file, "aliases", content.aliases.iter().map(address));
    write_text(file, "permalink", content.permalink.as_ref().map(address).as_deref());
    write_extra(file, post);
}

/// A post without a title says so where its text begins with a heading, which would be taken for one.
fn write_title(file: &mut String, post: &Post) {
    let content = &post.content;
    let is_at_risk = content.kind != PostKind::Note && heading::find(&content.markdown).is_some();
    match &content.title {
        Some(title) => write_text(file, "title", Some(title)),
        None if is_at_risk => file.push_str("title: \"\"\n"),
        None => {}
    }
}

fn write_kind(file: &mut String, post: &Post, is_draft: bool) {
    let content = &post.content;
    let inferred = inferred_kind(content.title.is_some(), content.published_at.is_none() && !is_draft);
    let heading_would_be_title = content.kind == PostKind::Note && heading::find(&content.markdown).is_some();
    if inferred != content.kind || heading_would_be_title {
        write_text(file, "kind", Some(content.kind.as_str()));
    }
}

/// Fields with names of their own stand at the top; those that would be read as something else, below `extra`.
fn write_extra(file: &mut String, post: &Post) {
    let mut hidden = Map::new();
    for (name, value) in &post.content.extra {
        let is_category = matches!(name.as_str(), "category" | "categories");
        let keeps_meaning = is_category && !labels::adds_to(&post.content.tags, name, value);
        if keeps_meaning || !KNOWN_FIELDS.contains(&name.as_str()) {
            write_value(file, name, value);
        } else {
            hidden.insert(name.clone(), value.clone());
        }
    }
    if !hidden.is_empty() {
        write_value(file, "extra", &Value::Object(hidden));
    }
}

/// The address as people read it, unless that would be decoded a second time or taken for a pattern.
fn address(path: &UrlPath) -> String {
    let plain = path.as_str();
    if plain.parse::<UrlPath>().as_ref() == Ok(path) && !is_pattern(plain) {
        return plain.to_owned();
    }
    path.href().replace(':', "%3A")
}

fn write_text(file: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        let _ = writeln!(file, "{name}: {}", Scalar(text));
    }
}

fn write_list(file: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<Value> = items.map(Value::String).collect();
    if !items.is_empty() {
        write_value(file, name, &Value::Array(items));
    }
}

fn write_value(file: &mut String, name: &str, value: &Value) {
    let _ = write!(file, "{}: ", Scalar(name));
    write_flow(file, value);
    file.push('\n');
}

/// A value on one line.
fn write_flow(file: &mut String, value: &Value) {
    match value {
        Value::String(text) => {
            let _ = write!(file, "{}", Scalar(text));
        }
        Value::Array(items) => {
            file.push('[');
            for (index, item) in items.iter().enumerate() {
                file.push_str(if index > 0 { ", " } else { "" });
                write_flow(file, item);
            }
            file.push(']');
        }
        Value::Object(fields) => {
            file.push('{');
            for (index, (name, item)) in fields.iter().enumerate() {
                let _ = write!(file, "{}{}: ", if index > 0 { ", " } else { "" }, Scalar(name));
                write_flow(file, item);
            }
            file.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(file, "{value}");
        }
    }
}

/// A text, bare if it is surely text, otherwise in double quotes.
struct Scalar<'a>(&'a str);

impl std::fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if is_surely_text(self.0) || is_date(self.0) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                c if needs_escape(c) => write_escape(f, c)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

fn is_surely_text(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | '\'' | '(' | ')' | '+'))
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A time in UTC, as every parser of YAML leaves it.
fn is_date(text: &str) -> bool {
    text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Control characters, YAML's further line breaks, the byte order mark, and what is no character.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') || u32::from(c) & 0xfffe == 0xfffe
}

fn write_escape(f: &mut std::fmt::Formatter<'_>, c: char) -> std::fmt::Result {
    let code = u32::from(c);
    if code <= 0xffff { write!(f, "\\u{code:04x}") } else { write!(f, "\\U{code:08x}") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use microblog_domain::{PostContent, PostId, Slug, Tag, Version};
    use proptest::prelude::*;

    use super::*;
    use crate::{Reading, parse};

    fn odd_text() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => "[a-zA-Z0-9 ]{1,12}",
            2 => any::<String>(),
            1 => "[ -~]{0,20}",
            1 => prop::sample::select(vec![
                "null", "~", "yes", "No", "true", "1.10", "007", "1e5", "2024-01-31", "- a", "a: b", "a #b", "'", "\"",
                "\\", "# Heading", "# Heading\n\nText", "Title\n====", "---", "---\nx", "+++", "{", "\n", "\r\n", "\r", "\u{85}",
                "\u{2028}", "\u{feff}x", "\u{fffe}", " lead", "trail ", "[a]", "{a: 1}", "&a", "*a", "!x", "|", ">", "%",
                "@", "`", "=", "<<", "🎉", "日本語", "\t",
            ]).prop_map(str::to_owned),
        ]
    }

    fn title() -> impl Strategy<Value = String> {
        odd_text().prop_filter_map("blank", |text| {
            let text = text.trim().to_owned();
            (!text.is_empty()).then_some(text)
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e12_f64..1e12).prop_map(Value::from),
            odd_text().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((odd_text(), inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn extra() -> impl Strategy<Value = Map<String, Value>> {
        let name = prop_oneof![odd_text(), prop::sample::select(KNOWN_FIELDS.to_vec()).prop_map(str::to_owned)];
        prop::collection::vec((name, value()), 0..4).prop_map(|fields| fields.into_iter().collect())
    }

    fn tags() -> impl Strategy<Value = Vec<Tag>> {
        prop::collection::vec(odd_text(), 0..4).prop_map(|names| {
            let mut tags: Vec<Tag> = names.iter().filter_map(|name| Tag::new(name).ok()).collect();
            let mut seen = std::collections::HashSet::new();
            tags.retain(|tag| seen.insert(tag.slug().clone()));
            tags
        })
    }

    fn path() -> impl Strategy<Value = UrlPath> {
        odd_text().prop_filter_map("no address", |text| format!("/{text}").parse().ok())
    }

    fn timestamp() -> impl Strategy<Value = Timestamp> {
        let second = -10_000_000_000_i64..10_000_000_000;
        prop_oneof![
            second.clone().prop_map(|second| Timestamp::from_second(second).unwrap()),
            (second, 0..1_000_000_000).prop_map(|(second, nanos)| Timestamp::new(second, nanos).unwrap()),
        ]
    }

    prop_compose! {
        fn post()(
            title in prop::option::of(title()),
            markdown in odd_text(),
            date in prop::option::of(timestamp()),
            updated_at in timestamp(),
            tags in tags(),
            description in prop::option::of(title()),
            image in prop::option::of(title()),
            authors in prop::collection::vec(odd_text(), 0..3),
            aliases in prop::collection::vec(path(), 0..3),
            permalink in prop::option::of(path()),
            extra in extra(),
            (slug, is_draft, kind) in (odd_text(), any::<bool>(), 0_usize..3),
        ) -> Post {
            let date = if is_draft { date } else { Some(date.unwrap_or(updated_at)) };
            let kind = [PostKind::Article, PostKind::Note, PostKind::Page][kind];
            let title = if kind == PostKind::Note { None } else { title };
            let slug = Slug::from_title(&slug).unwrap_or_else(|| "plain".parse().unwrap());
            let status = if is_draft { PostStatus::Draft } else { PostStatus::Published };
            let content = PostContent {
                kind, title, slug, markdown, published_at: date, tags, description, image, authors, aliases, permalink, extra,
            };
            let id = PostId::from_uuid(uuid::Uuid::nil());
            Post { id, content, status, updated_at, version: Version(1) }
        }
    }

    fn reading() -> Reading {
        Reading { zone: TimeZone::UTC, now: Timestamp::MAX }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_post_survives_being_written_and_read(post in post()) {
            let file = write_post(&post);
            let read = parse(&file, Path::new("any.md"), &reading()).map_err(|error| error.to_string());
            let read = read.map(|read| (read.content, read.status, read.updated_at));
            prop_assert_eq!(read, Ok((post.content, post.status, Some(post.updated_at))), "{}", file);
        }
    }

    #[test]
    fn settings_survive_being_written_and_read() {
        let settings = SiteSettings {
            title: "Yes: \"no\"".to_owned(),
            language: "no".to_owned(),
            base_url: "https://example.org/blog".parse().unwrap(),
            menu: vec![microblog_domain::MenuItem { title: "About".to_owned(), url: "/about/".to_owned() }],
            ..SiteSettings::default()
        };
        let file = write_settings(&settings);
        assert_eq!(crate::front_matter::read_yaml_as::<SiteSettings>(&file).unwrap(), settings, "{file}");
    }

    #[test]
    fn a_file_reads_like_one_that_a_person_wrote() {
        let file = "---\ntitle: \"Hello: world\"\nslug: hello\ndate: 2024-01-31T10:00:00Z\nupdated: 2024-02-01T10:00:00Z\n\
                    tags: [rust, \"C#\"]\ndescription: A first post\nauthors: [Jane Doe]\nlayout: wide\n\
                    seo: {robots: \"no\", depth: 2}\n---\n\nText.\n";
        let read = parse(file, Path::new("hello.md"), &reading()).unwrap();
        let post = Post {
            id: PostId::from_uuid(uuid::Uuid::nil()),
            content: read.content,
            status: read.status,
            updated_at: read.updated_at.unwrap(),
            version: Version(1),
        };
        assert_eq!(write_post(&post), file);
    }
}
