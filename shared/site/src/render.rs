//! From a view to a page.
//!
//! Rendering reads nothing but the view, the theme and, through [`PostSource`], the texts of posts; it writes nothing.
//! Any number of threads may render at once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use microblog_domain::{FilePath, PostContent, PostId};
use minijinja::value::{Object, Serde};
use minijinja::{Value, context};
use serde_json::Map;

use crate::Site;
use crate::entry::{self, Card, Entry, display_day};
use crate::markdown::{self, MarkdownOptions, Rendered};
use crate::output::feed::{self, Channel, Item};
use crate::output::sitemap;
use crate::page::Page;
use crate::theme::{ThemeError, environment};
use crate::view::{Count, Input, Recipe, View};

/// Gives the texts of posts. A site holds everything else about them in memory, but not their texts.
pub trait PostSource: Sync {
    /// The text of a post that the site was given before, unchanged.
    ///
    /// # Errors
    /// When it can not be read, or is not what it was when the site was given it.
    fn text(&self, id: PostId) -> Result<Arc<PostText>, SourceError>;
}

/// What a site does not hold of a post in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PostText {
    /// What its author wrote.
    pub markdown: String,
    /// The fields that mean something to the theme alone.
    pub extra: Map<String, serde_json::Value>,
}

impl From<PostContent> for PostText {
    fn from(content: PostContent) -> Self {
        Self { markdown: content.markdown, extra: content.extra }
    }
}

/// The text of a post can not be had.
#[derive(Debug, thiserror::Error)]
#[error("post {post}: {reason}")]
pub struct SourceError {
    /// Whose text.
    pub post: PostId,
    /// What happened.
    pub reason: String,
}

/// Why a page was not rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template failed.
    #[error("{page}: {error}")]
    Theme {
        /// The page that was being rendered.
        page: FilePath,
        /// Where and why.
        error: ThemeError,
    },
    /// A post's text is missing.
    #[error("{page}: {error}")]
    Source {
        /// The page that was being rendered.
        page: FilePath,
        /// Whose text, and why.
        error: SourceError,
    },
}

/// Renders pages of a site, taking texts from one source.
pub struct Renderer<'a> {
    site: &'a Site,
    source: &'a dyn PostSource,
    /// The texts of the site's feeds, which three formats share.
    feed_texts: OnceLock<HashMap<PostId, Arc<str>>>,
}

impl Site {
    /// Renders with texts from this source.
    pub fn renderer<'a>(&'a self, source: &'a dyn PostSource) -> Renderer<'a> {
        Renderer { site: self, source, feed_texts: OnceLock::new() }
    }
}

/// A page's bytes, with the links that its author wrote.
struct Body {
    bytes: Vec<u8>,
    authored_links: Vec<String>,
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self { bytes: text.into_bytes(), authored_links: Vec::new() }
    }
}

impl Renderer<'_> {
    /// Renders the page.
    ///
    /// # Errors
    /// When a template fails, or the text of a post can not be had.
    pub fn render(&self, view: &View) -> Result<Page, RenderError> {
        let settings = &self.site.settings;
        let body = match &view.recipe {
            Recipe::Template(name) => self.template(view, name)?,
            Recipe::AtomFeed => self.feed(view, feed::atom)?,
            Recipe::RssFeed => self.feed(view, feed::rss)?,
            Recipe::JsonFeed => self.feed(view, feed::json)?,
            Recipe::Sitemap => sitemap::shard(&settings.base_url, addresses(view)).into(),
            Recipe::SitemapIndex => sitemap::index(&settings.base_url, addresses(view)).into(),
            Recipe::Robots => sitemap::robots(&settings.base_url).into(),
            Recipe::Asset => {
                let bytes = self.site.theme.asset(&view.file).map(|asset| asset.body.to_vec()).unwrap_or_default();
                Body { bytes, authored_links: Vec::new() }
            }
        };
        Ok(Page { file: view.file.clone(), body: body.bytes, authored_links: body.authored_links })
    }

    fn template(&self, view: &View, name: &str) -> Result<Body, RenderError> {
        let base_path = self.site.settings.base_url.path_prefix();
        let mut authored_links: Vec<_> =
            self.site.settings.menu.iter().map(|item| entry::prefixed(base_path, &item.url)).collect();
        let mut fields = Vec::with_capacity(view.inputs.len() + 1);
        // Included templates find it among the globals; a page asks for it a dozen times, and finds it faster here.
        fields.push(("site", self.site.value.clone()));
        for (field, input) in &view.inputs {
            fields.push((*field, self.value(view, input, &mut authored_links)?));
        }
        let failed = |error| self.template_failed(view, name, &error);
        let template = self.site.environment.get_template(name).map_err(failed)?;
        let html = template.render(Value::from_object(PageContext(fields))).map_err(failed)?;
        Ok(Body { bytes: html.into_bytes(), authored_links })
    }

    fn template_failed(&self, view: &View, name: &str, error: &minijinja::Error) -> RenderError {
        RenderError::Theme { page: view.file.clone(), error: environment::located(&self.site.theme, error, name) }
    }

    fn value(&self, view: &View, input: &Input, links: &mut Vec<String>) -> Result<Value, RenderError> {
        let href = |address: &microblog_domain::UrlPath| {
            Value::from_safe_string(format!("{}{}", self.site.settings.base_url.path_prefix(), address.href()))
        };
        Ok(match input {
            Input::Text(text) => Value::from(text.as_str()),
            Input::Address(address) => href(address),
            Input::Addresses(addresses) => addresses.iter().map(|(address, _)| href(address)).collect(),
            Input::Link(entry) => Value::from_dyn_object(Arc::clone(&entry.link)),
            Input::Links(entries) => {
                entries.iter().map(|entry| Value::from_dyn_object(Arc::clone(&entry.link))).collect()
            }
            Input::Cards(entries) | Input::Summaries(entries) => {
                links.extend(entries.iter().flat_map(|entry| entry.card.authored_links.iter().cloned()));
                entries.iter().map(|entry| Value::from_dyn_object(Arc::clone(&entry.card))).collect()
            }
            Input::Counts(counts) => counts.iter().map(|count| count_value(count, &href)).collect(),
            Input::Post(entry) => self.post(view, entry, links)?,
            Input::Posts(entries) => {
                entries.iter().map(|entry| self.post(view, entry, links)).collect::<Result<Vec<_>, _>>()?.into()
            }
        })
    }

    /// A whole post as templates see it.
    fn post(&self, view: &View, entry: &Arc<Entry>, links: &mut Vec<String>) -> Result<Value, RenderError> {
        let text = self.text(view, entry)?;
        let rendered = self.markdown(entry, &text);
        let settings = &self.site.settings;
        let base_path = settings.base_url.path_prefix();
        links.extend(rendered.links.iter().map(|link| entry::prefixed(base_path, link)));
        links.extend(entry.card.authored_links.iter().cloned());
        let updated_on = entry.updated_at.to_zoned(settings.timezone.rules().clone()).date();
        let updated = (updated_on > entry.date).then(|| display_day(updated_on, &settings.language));
        Ok(Value::from_object(WholePost {
            card: Arc::clone(&entry.card),
            content: Value::from_safe_string(rendered.html),
            updated: Value::from_safe_string(entry::in_html(entry.updated_at)),
            updated_day: updated.map(Value::from).unwrap_or_default(),
            extra: Value::from(Serde(&text.extra)),
        }))
    }

    fn text(&self, view: &View, entry: &Entry) -> Result<Arc<PostText>, RenderError> {
        self.source.text(entry.id).map_err(|error| RenderError::Source { page: view.file.clone(), error })
    }

    fn markdown(&self, entry: &Entry, text: &PostText) -> Rendered {
        let settings = &self.site.settings;
        let options = MarkdownOptions {
            highlight: settings.highlight,
            base_path: settings.base_url.path_prefix(),
            page_path: entry.address.as_str(),
            images: &entry.images,
            opens_page: entry.card.image().is_none(),
        };
        markdown::render(&text.markdown, &options)
    }

    fn feed(&self, view: &View, write: fn(&Channel<'_>, &[Item<'_>]) -> String) -> Result<Body, RenderError> {
        let page = match view.input("page") {
            Some(Input::Address(page)) => page.clone(),
            _ => microblog_domain::UrlPath::root(),
        };
        let heading = match view.input("heading") {
            Some(Input::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let address = format!("/{}", view.file).parse().unwrap_or_else(|_| microblog_domain::UrlPath::root());
        let channel = Channel { settings: &self.site.settings, address, page: &page, heading };
        let items: Vec<Item<'_>> = match view.input("posts") {
            Some(Input::Posts(entries)) => {
                let texts = self.feed_texts(view, entries)?;
                entries.iter().map(|entry| Item { entry, html: texts.get(&entry.id).map(|html| &**html) }).collect()
            }
            Some(Input::Summaries(entries)) => entries.iter().map(|entry| Item { entry, html: None }).collect(),
            _ => Vec::new(),
        };
        Ok(write(&channel, &items).into())
    }

    fn feed_texts(&self, view: &View, entries: &[Arc<Entry>]) -> Result<&HashMap<PostId, Arc<str>>, RenderError> {
        if let Some(texts) = self.feed_texts.get() {
            return Ok(texts);
        }
        let mut texts = HashMap::with_capacity(entries.len());
        for entry in entries {
            let text = self.text(view, entry)?;
            let page = format!("{}{}", self.site.settings.base_url.path_prefix(), entry.address.href());
            texts.insert(entry.id, Arc::from(self.markdown(entry, &text).embedded("", &page)));
        }
        Ok(self.feed_texts.get_or_init(|| texts))
    }
}

fn addresses(view: &View) -> &[(microblog_domain::UrlPath, Option<String>)] {
    match view.input("addresses") {
        Some(Input::Addresses(addresses)) => addresses,
        _ => &[],
    }
}

fn count_value(count: &Count, href: &impl Fn(&microblog_domain::UrlPath) -> Value) -> Value {
    let parts: Vec<Value> = count.parts.iter().map(|part| count_value(part, href)).collect();
    context! { title => count.title.as_str(), url => href(&count.address), posts => count.posts, parts => parts }
}

/// The inputs of a page as a template's variables.
#[derive(Debug)]
struct PageContext(Vec<(&'static str, Value)>);

impl Object for PageContext {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// A post with its text.
#[derive(Debug)]
struct WholePost {
    card: Arc<Card>,
    content: Value,
    updated: Value,
    /// Undefined when the post was not changed after the day of its publication.
    updated_day: Value,
    extra: Value,
}

impl Object for WholePost {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(match key {
            "content" => self.content.clone(),
            "updated" => self.updated.clone(),
            "updated_day" => self.updated_day.clone(),
            "extra" => self.extra.clone(),
            _ => return self.card.field(key),
        })
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    /// Says that there is one, to `{% if post %}`.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}
