//! A post as others show it: the link that leads to it, and the card of a list.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use microblog_domain::{Fingerprint, FingerprintBuilder, PostContent, PostKind, SiteSettings, Tag, UrlPath};
use minijinja::Value;
use minijinja::value::Object;

use super::{Summary, count_words, display_day, in_html, prefixed};
use crate::images::Shown;

/// Words that a person reads in a minute.
const WORDS_PER_MINUTE: usize = 220;

/// The smallest form of a post: what a link to it shows.
#[derive(Debug)]
pub(crate) struct Link {
    title: Value,
    url: Value,
    /// RFC 3339, for `datetime` attributes.
    date: Value,
    day: Value,
    pub(crate) fingerprint: Fingerprint,
}

impl Link {
    pub(super) fn new(
        summary: &Summary,
        published_at: Timestamp,
        date: Date,
        address: &UrlPath,
        settings: &SiteSettings,
    ) -> Self {
        let url = format!("{}{}", settings.base_url.path_prefix(), address.href());
        let day = display_day(date, &settings.language);
        let fingerprint =
            FingerprintBuilder::new().text(&summary.name).text(&url).text(&in_html(published_at)).text(&day).finish();
        Self {
            title: Value::from(summary.name.as_str()),
            url: Value::from_safe_string(url),
            date: Value::from_safe_string(in_html(published_at)),
            day: Value::from(day),
            fingerprint,
        }
    }

    fn field(&self, key: &str) -> Option<Value> {
        Some(match key {
            "title" => self.title.clone(),
            "url" => self.url.clone(),
            "date" => self.date.clone(),
            "day" => self.day.clone(),
            _ => return None,
        })
    }

    pub(crate) fn title(&self) -> &str {
        self.title.as_str().unwrap_or_default()
    }
}

impl Object for Link {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.field(key)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.field(key.as_str()?)
    }

    /// Says that there is one, to `{% if older %}`.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// What a list shows of a post.
#[derive(Debug)]
pub(crate) struct Card {
    link: Arc<Link>,
    kind: PostKind,
    /// Undefined for notes.
    heading: Value,
    excerpt: Value,
    /// A note's whole text; undefined for others.
    html: Value,
    tags: Value,
    image: Value,
    /// Of an `img` element that shows the picture: its size and variants.
    image_attributes: Value,
    authors: Value,
    minutes: Value,
    /// Targets within the site that the author wrote, and variants of the pictures that they named, with the site's
    /// folder.
    pub(crate) authored_links: Vec<String>,
    pub(crate) fingerprint: Fingerprint,
}

impl Card {
    pub(super) fn new(
        link: Arc<Link>,
        content: &PostContent,
        summary: Summary,
        tags: Value,
        settings: &SiteSettings,
        images: &[Shown],
    ) -> Self {
        let words = count_words(&content.markdown);
        let minutes = words.div_ceil(WORDS_PER_MINUTE).max(1);
        let mut inputs = FingerprintBuilder::new()
            .fingerprint(link.fingerprint)
            .text(content.kind.as_str())
            .optional(summary.title.as_deref())
            .text(&summary.excerpt)
            .optional(summary.html.as_deref())
            .optional(content.image.as_deref())
            .text(&summary.image_attributes)
            .number(minutes as u64)
            .number(shown_tags(content).len() as u64);
        for tag in shown_tags(content) {
            inputs.add(tag.name().as_bytes());
        }
        for author in &content.authors {
            inputs.add(author.as_bytes());
        }
        let base_path = settings.base_url.path_prefix();
        let authored = summary.links.iter().chain(&content.image).map(String::as_str);
        let variants = images.iter().flat_map(Shown::sources);
        let authored_links = authored.chain(variants).map(|link| prefixed(base_path, link)).collect();
        Self {
            authored_links,
            kind: content.kind,
            heading: summary.title.map(|_| link.title.clone()).unwrap_or_default(),
            link,
            excerpt: Value::from(summary.excerpt),
            html: summary.html.map(Value::from_safe_string).unwrap_or_default(),
            tags,
            image: content
                .image
                .as_deref()
                .map(|image| prefixed(base_path, image))
                .map(Value::from)
                .unwrap_or_default(),
            image_attributes: Value::from_safe_string(summary.image_attributes),
            authors: author_names(content, settings),
            minutes: Value::from(minutes),
            fingerprint: inputs.finish(),
        }
    }

    pub(crate) fn field(&self, key: &str) -> Option<Value> {
        Some(match key {
            "heading" => self.heading.clone(),
            "excerpt" => self.excerpt.clone(),
            "html" => self.html.clone(),
            "tags" => self.tags.clone(),
            "image" => self.image.clone(),
            "image_attributes" => self.image_attributes.clone(),
            "authors" => self.authors.clone(),
            "minutes" => self.minutes.clone(),
            "kind" => Value::from(self.kind.as_str()),
            _ => return self.link.field(key),
        })
    }

    pub(crate) fn excerpt(&self) -> &str {
        self.excerpt.as_str().unwrap_or_default()
    }

    pub(crate) fn image(&self) -> Option<&str> {
        self.image.as_str()
    }

    pub(crate) fn author_names(&self) -> Vec<String> {
        self.authors.try_iter().map(|names| names.map(|name| name.to_string()).collect()).unwrap_or_default()
    }
}

impl Object for Card {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.field(key)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.field(key.as_str()?)
    }

    /// Says that there is one, to `{% if older %}`.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// The tags under which readers find the post. A page stands in no list, so a tag of its own alone would lead nowhere.
pub(super) fn shown_tags(content: &PostContent) -> &[Tag] {
    match content.kind {
        PostKind::Article | PostKind::Note => &content.tags,
        PostKind::Page => &[],
    }
}

fn author_names(content: &PostContent, settings: &SiteSettings) -> Value {
    if !content.authors.is_empty() {
        return content.authors.iter().map(|name| Value::from(name.as_str())).collect();
    }
    Some(settings.author.as_str()).filter(|name| !name.is_empty()).into_iter().map(Value::from).collect()
}
