//! The links of the pages that a draft writes: gathered while each page is at hand, resolved when all are there.
//!
//! Pages are scanned, not parsed: what matters are the attributes `href`, `src` and `srcset` of start tags, and that
//! nothing in a comment, a script or running text is taken for one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use memchr::{memchr, memmem};
use microblog_domain::{BaseUrl, FilePath};
use percent_encoding::percent_decode_str;

const SHARDS: usize = 16;

/// Where pages link to, within the site.
#[derive(Debug)]
pub(crate) struct Links {
    base_url: String,
    prefix: String,
    targets: [Mutex<HashMap<String, LinkedFrom>>; SHARDS],
    hasher: std::hash::RandomState,
}

/// Which pages link to a target: an example of each kind, and how many do.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LinkedFrom {
    /// A page whose author wrote the link.
    pub(crate) author: Option<FilePath>,
    /// A page that has the link from the theme.
    pub(crate) theme: Option<FilePath>,
    /// How many links there are.
    pub(crate) count: u64,
}

impl Links {
    pub(crate) fn new(base_url: &BaseUrl) -> Self {
        Self {
            base_url: base_url.as_str().to_owned(),
            prefix: base_url.path_prefix().to_owned(),
            targets: Default::default(),
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Takes note of every link of a page that leads into the site.
    pub(crate) fn gather(&self, page: &FilePath, html: &[u8], author_links: &[String]) {
        let by_author: Vec<String> = author_links.iter().filter_map(|link| self.resolve(page, link)).collect();
        each_link(html, &mut |link| {
            if let Ok(link) = std::str::from_utf8(link)
                && let Some(target) = self.resolve(page, &unescape(link))
            {
                let is_by_author = by_author.contains(&target);
                self.note(target, page, is_by_author);
            }
        });
    }

    fn note(&self, target: String, page: &FilePath, is_by_author: bool) {
        let shard = self.hasher.hash_one(&target).to_le_bytes()[0];
        let mut targets = lock(&self.targets[usize::from(shard) % SHARDS]);
        let linked = targets.entry(target).or_default();
        linked.count += 1;
        let example = if is_by_author { &mut linked.author } else { &mut linked.theme };
        if example.as_ref().is_none_or(|example| page < example) {
            *example = Some(page.clone());
        }
    }

    /// The targets that are not there, sorted.
    pub(crate) fn broken(&self, is_there: impl Fn(&str) -> bool) -> Vec<(String, LinkedFrom)> {
        let mut broken = Vec::new();
        for shard in &self.targets {
            let targets = lock(shard);
            let missing = targets.iter().filter(|(target, _)| !resolves(target, &is_there));
            broken.extend(missing.map(|(target, linked)| (format!("/{target}"), linked.clone())));
        }
        broken.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        broken
    }

    /// The path within the site that a link leads to, decoded and without its first slash; nothing if it leads
    /// elsewhere, or nowhere but to the page itself.
    fn resolve(&self, page: &FilePath, link: &str) -> Option<String> {
        let link = link.trim_ascii();
        let link = &link[..link.find(['#', '?']).unwrap_or(link.len())];
        let local = match link.strip_prefix(self.base_url.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            _ if link.is_empty() || link.starts_with("//") || has_scheme(link) => return None,
            _ if link.starts_with('/') => {
                let rest = link.strip_prefix(self.prefix.as_str())?;
                if !rest.is_empty() && !rest.starts_with('/') {
                    return None;
                }
                rest
            }
            _ => {
                let folder = page.as_str().rfind('/').map_or("", |at| &page.as_str()[..=at]);
                return Some(normal(&format!("{folder}{}", decode(link))));
            }
        };
        Some(normal(decode(local).trim_start_matches('/')))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a server finds something there: the file, or the index of the folder.
fn resolves(target: &str, is_there: &impl Fn(&str) -> bool) -> bool {
    if target.is_empty() || target.ends_with('/') {
        return is_there(&format!("{target}index.html"));
    }
    is_there(target) || is_there(&format!("{target}/index.html"))
}

fn has_scheme(link: &str) -> bool {
    let end = link.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))).unwrap_or(link.len());
    link[end..].starts_with(':')
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// A path without `.` and `..`; going above the root stays at the root, as browsers have it.
fn normal(path: &str) -> String {
    if !path.starts_with('.') && !path.contains("/.") {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    let mut is_folder = false;
    for part in path.split('/') {
        is_folder = matches!(part, "" | "." | "..");
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let slash = if is_folder && !parts.is_empty() { "/" } else { "" };
    format!("{}{slash}", parts.join("/"))
}

/// An attribute's value with its character references replaced: the numeric ones, and those that escaping makes.
fn unescape(value: &str) -> Cow<'_, str> {
    let mut rest = value;
    let mut text = String::new();
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.find(';').and_then(|end| Some((character(&rest[1..end])?, end + 1)));
        let (character, length) = reference.unwrap_or(('&', 1));
        text.push(character);
        rest = &rest[length..];
    }
    if text.is_empty() && rest.len() == value.len() {
        return Cow::Borrowed(value);
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Calls `found` with each link of the page, as it is written there.
fn each_link(html: &[u8], found: &mut impl FnMut(&[u8])) {
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest) {
        rest = &rest[at + 1..];
        rest = match rest.first() {
            Some(b'!') if rest.starts_with(b"!--") => after(rest, b"-->"),
            Some(first) if first.is_ascii_alphabetic() => after_tag(rest, found),
            _ => rest,
        };
    }
}

/// What follows the first `end`; nothing if there is none.
fn after<'a>(html: &'a [u8], end: &[u8]) -> &'a [u8] {
    memmem::find(html, end).map_or(&[], |at| &html[at + end.len()..])
}

/// Goes through a start tag, and through its content if that is no HTML.
fn after_tag<'a>(tag: &'a [u8], found: &mut impl FnMut(&[u8])) -> &'a [u8] {
    let name_end = tag.iter().position(|b| matches!(b, b'>' | b'/') || b.is_ascii_whitespace()).unwrap_or(tag.len());
    let (name, rest) = tag.split_at(name_end);
    let rest = after_attributes(rest, found);
    match name {
        b"script" => after(rest, b"</script"),
        b"style" => after(rest, b"</style"),
        b"textarea" => after(rest, b"</textarea"),
        _ => rest,
    }
}

fn after_attributes<'a>(mut rest: &'a [u8], found: &mut impl FnMut(&[u8])) -> &'a [u8] {
    loop {
        let start = rest.iter().position(|b| !(b.is_ascii_whitespace() || *b == b'/'));
        rest = &rest[start.unwrap_or(rest.len())..];
        if rest.is_empty() || rest[0] == b'>' {
            return rest;
        }
        let ends_name = |b: &u8| matches!(b, b'=' | b'>' | b'/') || b.is_ascii_whitespace();
        let end = rest.iter().skip(1).position(ends_name).map_or(rest.len(), |at| at + 1);
        let (name, after_name) = rest.split_at(end);
        let (value, after_value) = value(after_name.trim_ascii_start());
        if name.eq_ignore_ascii_case(b"href") || name.eq_ignore_ascii_case(b"src") {
            found(value);
        } else if name.eq_ignore_ascii_case(b"srcset") {
            value
                .split(|b| *b == b',')
                .filter_map(|image| image.trim_ascii().split(|b| *b == b' ').next())
                .for_each(&mut *found);
        }
        rest = after_value;
    }
}

/// The value of an attribute, and what follows it.
fn value(rest: &[u8]) -> (&[u8], &[u8]) {
    let Some(rest) = rest.strip_prefix(b"=") else { return (&[], rest) };
    let rest = rest.trim_ascii_start();
    match rest.first() {
        Some(quote @ (b'"' | b'\'')) => {
            let value = &rest[1..];
            memchr(*quote, value).map_or((&[], &[]), |end| (&value[..end], &value[end + 1..]))
        }
        _ => rest.split_at(rest.iter().position(|b| *b == b'>' || b.is_ascii_whitespace()).unwrap_or(rest.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(base_url: &str) -> Links {
        Links::new(&base_url.parse().unwrap())
    }

    fn found(html: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_link(html.as_bytes(), &mut |link| found.push(String::from_utf8_lossy(link).into_owned()));
        found
    }

    #[test]
    fn links_are_found_in_start_tags_and_nowhere_else() {
        let html = r#"<!DOCTYPE html><a class=x href="/one">href="/text"</a><A HREF='/two'/><img src=/three alt="<b href='/no'>">
            <!-- <a href="/comment"> --><script>"<a href='/script'>"</script><pre>&lt;a href="/code"&gt;</pre>
            <img srcset="/a 1x, /b 2x" src = "/four"><a href>x</a> 1 < 2 <a href="/five"#;
        assert_eq!(found(html), ["/one", "/two", "/three", "/a", "/b", "/four", "", ""]);
    }

    #[test]
    fn links_are_resolved_as_a_browser_does() {
        let page = "2026/11/a/index.html".parse().unwrap();
        let links = links("https://example.org/blog");
        for (link, target) in [
            ("/blog/tags/", Some("tags/")),
            ("/blog", Some("")),
            ("https://example.org/blog/feed.xml?x#y", Some("feed.xml")),
            ("../b/#c", Some("2026/11/b/")),
            ("../../../../../x", Some("x")),
            ("./", Some("2026/11/a/")),
            ("pic%20ture.png", Some("2026/11/a/pic ture.png")),
            ("#here", None),
            ("/other", None),
            ("/blogger", None),
            ("https://example.org/blogger", None),
            ("//cdn.example/x", None),
            ("mailto:a@example.org", None),
        ] {
            assert_eq!(links.resolve(&page, link).as_deref(), target, "{link}");
        }
    }

    #[test]
    fn references_are_replaced() {
        assert_eq!(unescape("/a&amp;b&#x2f;c&#39;&unknown;&"), "/a&b/c'&unknown;&");
        assert_eq!(unescape("/plain"), "/plain");
    }

    #[test]
    fn a_broken_link_names_a_page_and_who_wrote_it() {
        let links = links("https://example.org");
        let page: FilePath = "a/index.html".parse().unwrap();
        links.gather(&page, br#"<a href="/b/"><a href="/c"><a href="/d/"><a href="/d/">"#, &["/d/".to_owned()]);
        let broken = links.broken(|path| path == "b/index.html" || path == "c/index.html");
        assert_eq!(broken, [("/d/".to_owned(), LinkedFrom { author: Some(page), theme: None, count: 2 })]);
    }
}
