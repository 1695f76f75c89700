//! A post: its file, read once, and what templates see of it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Object;
use pulldown_cmark::{Options, Parser, html};

use super::AUTHOR;
use super::theme::Fields;

/// Bytes of Markdown that a person reads in a minute: 220 words.
const BYTES_PER_MINUTE: usize = 1_500;

pub(super) struct Post {
    pub(super) date: Timestamp,
    /// `/2024/01/hello/`
    pub(super) address: String,
    pub(super) title: String,
    pub(super) tags: Vec<String>,
    card: Arc<Card>,
    file: String,
    /// Where the text begins in the file.
    text: usize,
}

/// What lists and links show of a post.
#[derive(Debug)]
struct Card {
    title: Value,
    url: Value,
    date: Value,
    day: Value,
    excerpt: Value,
    authors: Value,
    tags: Value,
}

/// What its own page shows of a post, and feeds of whole texts.
#[derive(Debug)]
struct WholePost {
    card: Arc<Card>,
    content: Value,
    minutes: usize,
}

impl Post {
    /// Nothing for a draft.
    pub(super) fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        let file = fs::read_to_string(file)?;
        let front =
            file.strip_prefix("---\n").and_then(|file| file.split_once("\n---\n")).context("no front matter")?.0;
        if front.contains("\ndraft: true") {
            return Ok(None);
        }
        let field = |name: &str| {
            let value = front.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(|value| value.trim_matches('"')).ok_or_else(|| anyhow!("there is no {name}"))
        };
        let tags = field("tags")?.trim_matches(['[', ']']).split(',').map(|tag| tag.trim().trim_matches('"'));
        let tags: Vec<String> = tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        let (date, title): (Timestamp, _) = (field("date")?.parse()?, field("title")?);
        let address = format!("{}{}/", date.strftime("/%Y/%m/"), field("slug")?);
        let card = Arc::new(Card {
            title: Value::from(title),
            url: Value::from_safe_string(address.clone()),
            date: Value::from_safe_string(date.to_string()),
            day: Value::from(date.strftime("%-d %B %Y").to_string()),
            excerpt: Value::from(field("description")?),
            authors: Value::from(vec![AUTHOR]),
            tags: tags.iter().map(|tag| tag_link(tag)).collect(),
        });
        let (title, text) = (title.to_owned(), "---\n".len() + front.len() + "\n---\n".len());
        Ok(Some(Self { date, address, title, tags, card, file, text }))
    }

    /// `2024`
    pub(super) fn year(&self) -> &str {
        &self.address[1..5]
    }

    /// `2024/01`
    pub(super) fn month(&self) -> &str {
        &self.address[1..8]
    }

    /// For lists and links.
    pub(super) fn card(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.card))
    }

    /// For its own page.
    pub(super) fn whole(&self) -> Value {
        self.with_content(Value::from_safe_string(self.html()))
    }

    /// For feeds, which hold HTML as text.
    pub(super) fn whole_as_text(&self) -> Value {
        self.with_content(Value::from(self.html()))
    }

    fn with_content(&self, content: Value) -> Value {
        let minutes = self.markdown().len().div_ceil(BYTES_PER_MINUTE);
        Value::from_object(WholePost { card: Arc::clone(&self.card), content, minutes })
    }

    fn markdown(&self) -> &str {
        &self.file[self.text..]
    }

    pub(super) fn html(&self) -> String {
        let mut text = String::with_capacity(self.markdown().len() * 3 / 2);
        let options = Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION;
        html::push_html(&mut text, Parser::new_ext(self.markdown(), options));
        text
    }
}

fn tag_link(tag: &str) -> Value {
    let url = Value::from_safe_string(format!("/tags/{tag}/"));
    Value::from_object(Fields::default().with("title", tag).with("url", url))
}

impl Card {
    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "title" | "heading" => self.title.clone(),
            "url" => self.url.clone(),
            "date" => self.date.clone(),
            "day" => self.day.clone(),
            "kind" => Value::from("article"),
            "excerpt" => self.excerpt.clone(),
            "authors" => self.authors.clone(),
            "tags" => self.tags.clone(),
            _ => return None,
        })
    }
}

impl Object for Card {
    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        self.field(name)
    }

    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.field(name.as_str()?)
    }

    /// Says that there is one, to `{% if older %}`.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

impl Object for WholePost {
    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        match name {
            "content" => Some(self.content.clone()),
            "minutes" => Some(Value::from(self.minutes)),
            _ => self.card.field(name),
        }
    }

    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }
}
