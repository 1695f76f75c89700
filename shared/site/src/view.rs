//! What a page shows: its recipe and its inputs.
//!
//! The inputs of a view are named once and used twice: [`View::fingerprint`] hashes them, and the template sees them and
//! nothing else. So a page can not depend on something that its fingerprint leaves out, and "what must be rendered
//! again?" is answered by comparing fingerprints, for every kind of page alike.

use std::sync::Arc;

use microblog_domain::{FilePath, Fingerprint, FingerprintBuilder, PostId, UrlPath};

use crate::entry::Entry;

/// How a page is made from its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipe {
    /// A template of the theme.
    Template(&'static str),
    /// Atom, RSS and JSON Feed.
    AtomFeed,
    RssFeed,
    JsonFeed,
    /// A shard of the sitemap, and the index of all shards.
    Sitemap,
    SitemapIndex,
    Robots,
    /// A file of the theme, as it is.
    Asset,
}

/// A name with an address and a number of posts: a tag, a year, a month.
#[derive(Debug, Clone)]
pub(crate) struct Count {
    pub(crate) title: String,
    pub(crate) address: UrlPath,
    pub(crate) posts: usize,
    pub(crate) parts: Vec<Count>,
}

/// Something that a page shows.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Text(String),
    /// An address within the site.
    Address(UrlPath),
    /// Addresses with the time of their last change, as RFC 3339 text where it is known.
    Addresses(Vec<(UrlPath, Option<String>)>),
    Link(Arc<Entry>),
    Links(Vec<Arc<Entry>>),
    Cards(Vec<Arc<Entry>>),
    /// Cards as feeds tell of them: with id and time of the last change.
    Summaries(Vec<Arc<Entry>>),
    Counts(Vec<Count>),
    /// A whole post, whose text is loaded when the page is rendered.
    Post(Arc<Entry>),
    /// Whole posts, likewise.
    Posts(Vec<Arc<Entry>>),
}

/// What a page shows.
#[derive(Debug, Clone)]
pub struct View {
    pub(crate) file: FilePath,
    pub(crate) recipe: Recipe,
    /// Of what every page of this recipe depends on: engine, theme, settings.
    pub(crate) base: Fingerprint,
    pub(crate) inputs: Vec<(&'static str, Input)>,
}

impl View {
    pub(crate) fn new(file: FilePath, recipe: Recipe, base: Fingerprint) -> Self {
        Self { file, recipe, base, inputs: Vec::with_capacity(8) }
    }

    pub(crate) fn with(mut self, name: &'static str, input: Input) -> Self {
        self.inputs.push((name, input));
        self
    }

    pub(crate) fn with_some(self, name: &'static str, input: Option<Input>) -> Self {
        match input {
            Some(input) => self.with(name, input),
            None => self,
        }
    }

    pub(crate) fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|(other, _)| *other == name).map(|(_, input)| input)
    }

    /// The file that the page becomes.
    #[must_use]
    pub fn file(&self) -> &FilePath {
        &self.file
    }

    /// The posts whose texts are needed to render the page.
    pub fn posts(&self) -> impl Iterator<Item = PostId> {
        self.inputs
            .iter()
            .flat_map(|(_, input)| match input {
                Input::Post(entry) => std::slice::from_ref(entry),
                Input::Posts(entries) => entries,
                _ => &[],
            })
            .map(|entry| entry.id)
    }

    /// Of everything the page is rendered from.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut inputs = FingerprintBuilder::new().fingerprint(self.base).text(self.file.as_str());
        for (name, input) in &self.inputs {
            inputs.add(name.as_bytes());
            add_input(&mut inputs, input);
        }
        inputs.finish()
    }
}

fn add_input(inputs: &mut FingerprintBuilder, input: &Input) {
    match input {
        Input::Text(text) => inputs.add(text.as_bytes()),
        Input::Address(address) => inputs.add(address.as_str().as_bytes()),
        Input::Addresses(addresses) => {
            for (address, changed) in addresses {
                inputs.add(address.as_str().as_bytes());
                inputs.add(changed.as_deref().unwrap_or_default().as_bytes());
            }
        }
        Input::Link(entry) => inputs.add_fingerprint(entry.link.fingerprint),
        Input::Links(entries) => entries.iter().for_each(|entry| inputs.add_fingerprint(entry.link.fingerprint)),
        Input::Cards(entries) => entries.iter().for_each(|entry| inputs.add_fingerprint(entry.card.fingerprint)),
        Input::Summaries(entries) => entries.iter().for_each(|entry| inputs.add_fingerprint(entry.summary)),
        Input::Counts(counts) => counts.iter().for_each(|count| add_count(inputs, count)),
        Input::Post(entry) => inputs.add_fingerprint(entry.fingerprint),
        Input::Posts(entries) => entries.iter().for_each(|entry| inputs.add_fingerprint(entry.fingerprint)),
    }
}

fn add_count(inputs: &mut FingerprintBuilder, count: &Count) {
    inputs.add(count.title.as_bytes());
    inputs.add(count.address.as_str().as_bytes());
    inputs.add(&count.posts.to_le_bytes());
    inputs.add(&count.parts.len().to_le_bytes());
    count.parts.iter().for_each(|part| add_count(inputs, part));
}
