//! What the site remembers of one post: everything but its text.
//!
//! An [`Entry`] is made once per saved post ("digested") and then shared by every page that mentions it. It offers the
//! post to templates in three sizes, each with the fingerprint of exactly what it shows:
//!
//! * [`Link`]: title, address, date. For neighbours and archives.
//! * [`Card`]: a link with excerpt, tags and picture; the whole text for notes. For lists.
//! * the whole post, which is rendered from its source when a page needs it.

mod card;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use microblog_domain::{
    Fingerprint, FingerprintBuilder, PathError, PostContent, PostId, PostKind, SiteSettings, Tag, UrlPath,
};

use crate::images::{self, Image, Shown};
use crate::markdown::{self, MarkdownOptions};
use crate::tag_links::TagLinks;
use card::shown_tags;
pub(crate) use card::{Card, Link};

/// Characters of an excerpt made from a post's text.
const EXCERPT_CHARS: usize = 280;
/// Characters of the name that a note without title gets in links.
const NOTE_NAME_CHARS: usize = 60;

/// A published post as its source (database, folder) gives it.
#[derive(Debug, Clone)]
pub struct SourcePost {
    /// Its id.
    pub id: PostId,
    /// What its author wrote.
    pub content: PostContent,
    /// When that last changed; the epoch if nobody knows, as of an undated file.
    pub updated_at: Timestamp,
}

/// Orders posts in time; equal times are told apart by id, so that every build sorts alike.
pub(crate) type OrderKey = (Timestamp, PostId);

/// What the site remembers of one post.
#[derive(Debug)]
pub struct Entry {
    pub(crate) id: PostId,
    pub(crate) kind: PostKind,
    pub(crate) published_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The day of publication in the site's time zone.
    pub(crate) date: Date,
    pub(crate) address: UrlPath,
    pub(crate) aliases: Vec<UrlPath>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) link: Arc<Link>,
    pub(crate) card: Arc<Card>,
    /// Of what a feed of summaries shows: the card, whose it is, and when the post last changed.
    pub(crate) summary: Fingerprint,
    /// Of everything that the post's own page or a feed of whole texts shows.
    pub(crate) fingerprint: Fingerprint,
    /// The pictures of the site that it names, as far as they are known.
    pub(crate) images: Box<[Shown]>,
}

impl Entry {
    /// Digests a post under these settings, for a site without pictures.
    ///
    /// # Errors
    /// When the post's address is too long.
    pub fn digest(post: &SourcePost, settings: &SiteSettings) -> Result<Self, PathError> {
        Self::digest_with(post, settings, &TagLinks::default(), &|_| None)
    }

    /// Digests a post whose pictures are told by `image`.
    pub(crate) fn digest_with(
        post: &SourcePost,
        settings: &SiteSettings,
        tag_links: &TagLinks,
        image: &dyn Fn(&str) -> Option<Arc<Image>>,
    ) -> Result<Self, PathError> {
        let content = &post.content;
        let published_at = content.published_at.unwrap_or(post.updated_at);
        let date = published_at.to_zoned(settings.timezone.rules().clone()).date();
        let address = settings.address_of(content, published_at)?;
        let named = markdown::named_pictures(&content.markdown, content.image.as_deref(), address.as_str());
        let images = images::look_up(named, image);
        let summary = Summary::of(content, &address, settings, &images);
        let link = Arc::new(Link::new(&summary, published_at, date, &address, settings));
        let base_path = settings.base_url.path_prefix();
        let tags = shown_tags(content).iter().map(|tag| tag_links.get(tag, base_path)).collect();
        let card = Arc::new(Card::new(Arc::clone(&link), content, summary, tags, settings, &images));
        let fingerprint_of_summary = FingerprintBuilder::new()
            .fingerprint(card.fingerprint)
            .text(&post.id.to_string())
            .number(post.updated_at.as_microsecond().cast_unsigned())
            .finish();
        let fingerprint = FingerprintBuilder::new()
            .fingerprint(fingerprint_of_summary)
            .text(&content.markdown)
            .text(&serde_json::to_string(&content.extra).unwrap_or_default());
        let fingerprint =
            images.iter().fold(fingerprint, |inputs, shown| inputs.fingerprint(shown.fingerprint())).finish();
        Ok(Self {
            id: post.id,
            kind: content.kind,
            published_at,
            updated_at: post.updated_at,
            date,
            address,
            aliases: content.aliases.clone(),
            tags: shown_tags(content).to_vec(),
            link,
            card,
            summary: fingerprint_of_summary,
            fingerprint,
            images,
        })
    }

    /// The post's id.
    #[must_use]
    pub fn id(&self) -> PostId {
        self.id
    }

    /// The post's address within the site.
    #[must_use]
    pub fn address(&self) -> &UrlPath {
        &self.address
    }

    /// Lets more addresses lead to the post, behind those that its author named.
    #[must_use]
    pub fn with_aliases(mut self, more: Vec<UrlPath>) -> Self {
        self.aliases.extend(more);
        self
    }

    /// When the post last changed, if anybody knows.
    pub(crate) fn last_change(&self) -> Option<Timestamp> {
        Some(self.updated_at).filter(|time| *time != Timestamp::UNIX_EPOCH)
    }

    pub(crate) fn order(&self) -> OrderKey {
        (self.published_at, self.id)
    }
}

/// The short forms of a post's text.
struct Summary {
    title: Option<String>,
    name: String,
    excerpt: String,
    /// A note's whole text, rendered.
    html: Option<String>,
    /// Where that leads to within the site.
    links: Vec<String>,
    /// What is known of its picture, as attributes of an `img` element; empty if that is nothing.
    image_attributes: String,
}

impl Summary {
    fn of(content: &PostContent, address: &UrlPath, settings: &SiteSettings, images: &[Shown]) -> Self {
        let excerpt = match &content.description {
            Some(description) => description.clone(),
            None => markdown::excerpt(&content.markdown, EXCERPT_CHARS),
        };
        let title = content.title.clone().filter(|title| !title.trim().is_empty());
        let name = match &title {
            Some(title) => title.clone(),
            None => shorten(&excerpt, NOTE_NAME_CHARS).unwrap_or_else(|| content.slug.to_string()),
        };
        let note = title.is_none().then(|| {
            let options = MarkdownOptions {
                highlight: settings.highlight,
                base_path: settings.base_url.path_prefix(),
                page_path: address.as_str(),
                images,
                opens_page: false,
            };
            markdown::render(&content.markdown, &options)
        });
        let page = format!("{}{}", settings.base_url.path_prefix(), address.href());
        let (html, links) = note.map(|note| (note.embedded("", &page), note.links)).unzip();
        let links = links.unwrap_or_default();
        let image_attributes = image_attributes(content.image.as_deref(), address, settings, images);
        Self { title, name, excerpt, html, links, image_attributes }
    }
}

fn image_attributes(image: Option<&str>, address: &UrlPath, settings: &SiteSettings, images: &[Shown]) -> String {
    let file = image.and_then(|image| markdown::named_pictures("", Some(image), address.as_str()).pop_first());
    let mut attributes = String::new();
    if let Some(image) = file.and_then(|file| images::find(images, &file)) {
        let base_path = settings.base_url.path_prefix();
        let address = |out: &mut String, address: &str| *out += &format!("{base_path}{address}");
        image.write(&mut attributes, |out: &mut String, text: &str| out.push_str(text), address);
    }
    attributes
}

/// Cuts at a word border; `None` for nothing but space.
fn shorten(text: &str, max_chars: usize) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let Some((limit, _)) = text.char_indices().nth(max_chars) else {
        return Some(text.to_owned());
    };
    let end = text[..limit].rfind(char::is_whitespace).unwrap_or(limit);
    Some(format!("{}…", text[..end].trim_end()))
}

/// Words stand between white space. Written so that the processor looks at many bytes at once: without branches, and with
/// counters no wider than bytes, which so many steps can not overflow.
fn count_words(text: &str) -> usize {
    const STEPS: usize = u8::MAX as usize;
    let is_space = |byte: u8| (byte == b' ') | (byte == b'\n') | (byte == b'\t') | (byte == b'\r') | (byte == 0x0c);
    let Some((first, rest)) = text.as_bytes().split_first() else { return 0 };
    let begins = |(byte, before): (&u8, &u8)| u8::from(is_space(*before) & !is_space(*byte));
    let chunks = rest.chunks(STEPS).zip(text.as_bytes().chunks(STEPS));
    let words = chunks.map(|(bytes, before)| usize::from(bytes.iter().zip(before).map(begins).sum::<u8>()));
    words.sum::<usize>() + usize::from(!is_space(*first))
}

/// A time as `datetime` attributes may hold it: their fractions end at three digits, and nobody needs those.
pub(crate) fn in_html(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// The day as readers see it: spelt out in English, ISO 8601 elsewhere.
pub(crate) fn display_day(date: Date, language: &str) -> String {
    if language.split('-').next() == Some("en") {
        return date.strftime("%-d %B %Y").to_string();
    }
    date.to_string()
}

/// Puts the site's folder before an address within the site; leaves whole URLs alone.
pub(crate) fn prefixed(base_path: &str, url: &str) -> String {
    if url.starts_with('/') && !url.starts_with("//") { format!("{base_path}{url}") } else { url.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_wherever_space_stands() {
        let long = "a b\r\nc \u{c}d".repeat(300);
        for text in ["", " ", "a", " a", "a ", "a b", "  a\n\tb  c ", "één woord", "a\u{a0}b c", &long] {
            assert_eq!(count_words(text), text.split_ascii_whitespace().count(), "{text:?}");
        }
    }
}
