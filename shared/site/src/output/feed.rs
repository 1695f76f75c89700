//! Feeds: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1.

use std::borrow::Cow;
use std::fmt::Write as _;

use microblog_domain::{SiteSettings, UrlPath};
use serde_json::json;

use super::urls::{absolute, absolutize};
use crate::entry::Entry;
use crate::theme::environment::escape_into;

/// What a feed says about itself.
pub(crate) struct Channel<'a> {
    pub(crate) settings: &'a SiteSettings,
    /// The feed's own address.
    pub(crate) address: UrlPath,
    /// The page that shows the same posts.
    pub(crate) page: &'a UrlPath,
    /// The tag, for the feed of a tag.
    pub(crate) heading: Option<&'a str>,
}

/// One post in a feed.
pub(crate) struct Item<'a> {
    pub(crate) entry: &'a Entry,
    /// The rendered text; without it the feed has the excerpt.
    pub(crate) html: Option<&'a str>,
}

impl Channel<'_> {
    fn title(&self) -> String {
        match self.heading {
            Some(heading) => format!("{heading} – {}", self.settings.title),
            None => self.settings.title.clone(),
        }
    }

    fn url(&self, address: &UrlPath) -> String {
        absolute(&self.settings.base_url, address)
    }

    fn html(&self, html: &str) -> String {
        absolutize(html, &self.settings.base_url)
    }
}

/// The element with escaped text, unless the text is empty.
fn element(xml: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        let _ = write!(xml, "<{name}>");
        let _ = escape_into(xml, &printable(text));
        let _ = writeln!(xml, "</{name}>");
    }
}

/// XML has no way to write most control characters, not even escaped.
fn printable(text: &str) -> Cow<'_, str> {
    // Bytes with which such a character may begin; most texts have none.
    let is_doubtful = |byte: u8| {
        ((byte < b' ') & (byte != b'\n') & (byte != b'\t')) | (byte == 0x7f) | (byte == 0xc2) | (byte == 0xef)
    };
    if text.bytes().fold(0, |found, byte| found | u8::from(is_doubtful(byte))) == 0 {
        return text.into();
    }
    let is_printable =
        |c: &char| (!c.is_control() || matches!(c, '\n' | '\t')) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(is_printable).collect()
}

/// A tag with a URL in an attribute.
fn link(xml: &mut String, before: &str, url: &str, after: &str) {
    xml.push_str(before);
    let _ = escape_into(xml, &printable(url));
    xml.push_str(after);
}

pub(crate) fn atom(channel: &Channel<'_>, items: &[Item<'_>]) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n",
        channel.settings.language
    );
    element(&mut xml, "title", &channel.title());
    element(&mut xml, "subtitle", &channel.settings.description);
    element(&mut xml, "id", &channel.url(channel.page));
    link(
        &mut xml,
        "<link rel=\"self\" type=\"application/atom+xml\" href=\"",
        &channel.url(&channel.address),
        "\"/>\n",
    );
    link(&mut xml, "<link rel=\"alternate\" type=\"text/html\" href=\"", &channel.url(channel.page), "\"/>\n");
    let updated = items.iter().map(|item| item.entry.updated_at.max(item.entry.published_at)).max();
    element(&mut xml, "updated", &updated.unwrap_or_default().to_string());
    let site_author =
        if channel.settings.author.is_empty() { &channel.settings.title } else { &channel.settings.author };
    atom_author(&mut xml, site_author);
    for item in items {
        atom_entry(&mut xml, channel, item);
    }
    xml.push_str("</feed>\n");
    xml
}

fn atom_author(xml: &mut String, name: &str) {
    xml.push_str("<author>");
    element(xml, "name", name);
    xml.push_str("</author>\n");
}

fn atom_entry(xml: &mut String, channel: &Channel<'_>, item: &Item<'_>) {
    let entry = item.entry;
    let url = channel.url(&entry.address);
    xml.push_str("<entry>\n");
    element(xml, "title", entry.link.title());
    link(xml, "<link rel=\"alternate\" type=\"text/html\" href=\"", &url, "\"/>\n");
    element(xml, "id", &format!("urn:uuid:{}", entry.id));
    element(xml, "published", &entry.published_at.to_string());
    element(xml, "updated", &entry.updated_at.max(entry.published_at).to_string());
    entry.card.author_names().iter().for_each(|name| atom_author(xml, name));
    for tag in &entry.tags {
        link(xml, "<category term=\"", tag.name(), "\"/>\n");
    }
    match item.html {
        Some(html) => {
            xml.push_str("<content type=\"html\">");
            let _ = escape_into(xml, &printable(&channel.html(html)));
            xml.push_str("</content>\n");
        }
        None => element(xml, "summary", entry.card.excerpt()),
    }
    xml.push_str("</entry>\n");
}

pub(crate) fn rss(channel: &Channel<'_>, items: &[Item<'_>]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n".to_owned();
    element(&mut xml, "title", &channel.title());
    element(&mut xml, "link", &channel.url(channel.page));
    let description =
        if channel.settings.description.is_empty() { channel.title() } else { channel.settings.description.clone() };
    element(&mut xml, "description", &description);
    element(&mut xml, "language", &channel.settings.language);
    link(
        &mut xml,
        "<atom:link rel=\"self\" type=\"application/rss+xml\" href=\"",
        &channel.url(&channel.address),
        "\"/>\n",
    );
    for item in items {
        rss_item(&mut xml, channel, item);
    }
    xml.push_str("</channel>\n</rss>\n");
    xml
}

fn rss_item(xml: &mut String, channel: &Channel<'_>, item: &Item<'_>) {
    let entry = item.entry;
    xml.push_str("<item>\n");
    element(xml, "title", entry.link.title());
    element(xml, "link", &channel.url(&entry.address));
    let _ = writeln!(xml, "<guid isPermaLink=\"false\">urn:uuid:{}</guid>", entry.id);
    let date = entry.published_at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    element(xml, "pubDate", &date);
    entry.card.author_names().iter().for_each(|name| element(xml, "dc:creator", name));
    entry.tags.iter().for_each(|tag| element(xml, "category", tag.name()));
    element(xml, "description", entry.card.excerpt());
    if let Some(html) = item.html {
        element(xml, "content:encoded", &channel.html(html));
    }
    xml.push_str("</item>\n");
}

pub(crate) fn json(channel: &Channel<'_>, items: &[Item<'_>]) -> String {
    let items: Vec<_> = items.iter().map(|item| json_item(channel, item)).collect();
    let mut feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title(),
        "home_page_url": channel.url(channel.page),
        "feed_url": channel.url(&channel.address),
        "language": channel.settings.language,
        "items": items,
    });
    if !channel.settings.description.is_empty() {
        feed["description"] = json!(channel.settings.description);
    }
    if !channel.settings.author.is_empty() {
        feed["authors"] = json!([{ "name": channel.settings.author }]);
    }
    format!("{feed}\n")
}

fn json_item(channel: &Channel<'_>, item: &Item<'_>) -> serde_json::Value {
    let entry = item.entry;
    let mut object = json!({
        "id": format!("urn:uuid:{}", entry.id),
        "url": channel.url(&entry.address),
        "date_published": entry.published_at.to_string(),
        "date_modified": entry.updated_at.max(entry.published_at).to_string(),
        "summary": entry.card.excerpt(),
        "content_html": channel.html(item.html.unwrap_or_default()),
    });
    if let Some(heading) = entry.card.field("heading").and_then(|value| value.as_str().map(str::to_owned)) {
        object["title"] = json!(heading);
    }
    if let Some(image) = entry.card.image() {
        object["image"] = json!(crate::entry::prefixed(channel.settings.base_url.as_str(), image));
    }
    if !entry.tags.is_empty() {
        object["tags"] = json!(entry.tags.iter().map(|tag| tag.name()).collect::<Vec<_>>());
    }
    let authors = entry.card.author_names();
    if !authors.is_empty() {
        object["authors"] = authors.iter().map(|name| json!({ "name": name })).collect();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_can_not_hold_is_left_out_and_all_else_stays() {
        for (text, kept) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("a\u{0}b\u{1f}c\u{7f}d\u{85}e\r", "abcde"),
            ("\u{fffe}x\u{ffff}", "x"),
            ("é\u{a0}ﬁ — 日本", "é\u{a0}ﬁ — 日本"),
        ] {
            assert_eq!(printable(text), kept, "{text:?}");
        }
    }
}
