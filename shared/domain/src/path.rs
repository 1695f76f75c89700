//! Addresses within the site and the files behind them.
//!
//! [`UrlPath`] is what a reader asks for, decoded: `/2026/11/hello/`. [`FilePath`] is the file that answers:
//! `2026/11/hello/index.html`. Neither can leave the site: no `..`, no empty or hidden parts, no control characters.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The longest path, in bytes: well under the 4,096 that the kernel takes, with room for the folder around the site.
pub const MAX_PATH_BYTES: usize = 1_024;
/// The longest part of a path, in bytes: the limit of common file systems, less room for temporary suffixes.
pub const MAX_PART_BYTES: usize = 230;

/// What must be percent-encoded in the path of a URL, and what HTML attributes can not hold.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'&')
    .add(b'\'')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// Why a text can not be a path of the site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("the address {0:?} must begin with '/'")]
    NotAbsolute(String),
    /// A part is empty, `.`, `..` or hidden.
    #[error("the address {path:?} has the part {part:?}, which is not allowed")]
    Part {
        /// The whole path.
        path: String,
        /// The part at fault.
        part: String,
    },
    /// A control character, a backslash, or a byte that is not UTF-8.
    #[error("the address {0:?} has a character that is not allowed")]
    Character(String),
    /// Too long, as a whole or in one part.
    #[error("the address is too long: at most {MAX_PATH_BYTES} bytes, {MAX_PART_BYTES} between two slashes")]
    TooLong,
    /// The site makes a page or a file there itself, now or later.
    #[error("the address {0} is one that the site needs itself; choose another one")]
    Reserved(String),
    /// A page that would be a file which browsers do not show.
    #[error("the address {0:?} is no page's: let it end with '/' or '.html'")]
    NotAPage(String),
}

/// An address within the site, decoded, e.g. `/`, `/2026/11/hello/` or `/feed.xml`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlPath(String);

impl UrlPath {
    /// The front page, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The address of a folder page, from parts that are valid by their type: `/a/b/`.
    pub fn folder<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> Result<Self, PathError> {
        let mut path = String::from("/");
        for part in parts {
            path.push_str(part.as_ref());
            path.push('/');
        }
        path.parse()
    }

    /// The decoded path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as it stands in a link: percent-encoded where need be, and safe in an HTML attribute.
    #[must_use]
    pub fn href(&self) -> String {
        utf8_percent_encode(&self.0, ENCODED).to_string()
    }

    /// The file that answers: a folder's is its `index.html`, and a path whose last part has no dot is a folder.
    #[must_use]
    pub fn file(&self) -> FilePath {
        let path = &self.0[1..];
        if path.is_empty() || path.ends_with('/') {
            return FilePath(format!("{path}index.html"));
        }
        FilePath(path.to_owned())
    }

    /// The address, if a post can have it: the site does not need it itself, it is a page's, and no address of another
    /// post can make a folder of its file.
    pub fn for_post(self) -> Result<Self, PathError> {
        let file = self.file();
        if file.is_reserved() {
            return Err(PathError::Reserved(self.0));
        }
        if !is_page(file.as_str()) {
            return Err(PathError::NotAPage(self.0));
        }
        Ok(self)
    }
}

/// Whether a file or folder is named like a page.
fn is_page(name: &str) -> bool {
    name.ends_with(".html") || name.ends_with(".htm")
}

impl FromStr for UrlPath {
    type Err = PathError;

    /// Reads an address, percent-encoded or not. `/about` means `/about/`; `/feed.xml` stays a file.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let decoded = percent_decode_str(text).decode_utf8().map_err(|_| PathError::Character(text.to_owned()))?;
        let Some(inner) = decoded.strip_prefix('/') else {
            return Err(PathError::NotAbsolute(text.to_owned()));
        };
        let parts = inner.strip_suffix('/').unwrap_or(inner);
        if !parts.is_empty() {
            check_parts(parts, text)?;
        }
        let last = parts.rsplit('/').next().unwrap_or(parts);
        let is_folder = parts.is_empty() || inner.ends_with('/') || !last.contains('.');
        let end = if is_folder && !parts.is_empty() { "/" } else { "" };
        Ok(Self(format!("/{parts}{end}")))
    }
}

fn check_parts(parts: &str, whole: &str) -> Result<(), PathError> {
    if parts.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    for part in parts.split('/') {
        if part.len() > MAX_PART_BYTES {
            return Err(PathError::TooLong);
        }
        if part.is_empty() || part == "." || part == ".." || (part.starts_with('.') && part != ".well-known") {
            return Err(PathError::Part { path: whole.to_owned(), part: part.to_owned() });
        }
        if part.chars().any(|c| c.is_control() || c == '\\') {
            return Err(PathError::Character(whole.to_owned()));
        }
    }
    Ok(())
}

impl TryFrom<String> for UrlPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<UrlPath> for String {
    fn from(path: UrlPath) -> Self {
        path.0
    }
}

impl fmt::Display for UrlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file of the site, relative to its root: `2026/11/hello/index.html`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

impl FilePath {
    /// The path as text, without a slash at either end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the file as it stands in a link, from the site's root: percent-encoded where need be, and safe in an
    /// HTML attribute.
    #[must_use]
    pub fn href(&self) -> String {
        format!("/{}", utf8_percent_encode(&self.0, ENCODED))
    }

    /// What stands behind the last dot of the name, in lower case; empty if there is none.
    #[must_use]
    pub fn extension(&self) -> String {
        let name = self.0.rsplit('/').next().unwrap_or(&self.0);
        name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Whether posts must leave this file alone: the site makes it itself, now or once there are posts for it, or it
    /// lies below a file. Nothing lies below a name that only pages have, and nothing at all has the name of a compressed
    /// copy of one: servers would send it in the page's place.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let parts: Vec<&str> = self.0.split('/').collect();
        let is_below_a_file = parts.split_last().is_some_and(|(_, folders)| has_name_of_file(folders.iter().copied()));
        // Parts that are no copies stand as an empty name, which is no file's.
        let copied = parts.iter().map(|part| part.strip_suffix(".gz").unwrap_or_default());
        is_below_a_file || has_name_of_file(copied) || is_made_by_site(&parts)
    }
}

/// Whether any part of a path has a name that only files have: those of the site at its root, pages everywhere.
fn has_name_of_file<'a>(mut parts: impl Iterator<Item = &'a str>) -> bool {
    parts.next().is_some_and(|first| SITE_FILES.contains(&first) || is_page(first)) || parts.any(is_page)
}

/// Files that every site has.
const SITE_FILES: [&str; 7] =
    ["index.html", "404.html", "robots.txt", "sitemap.xml", "feed.xml", "rss.xml", "feed.json"];
/// Folders that are the site's alone.
const SITE_FOLDERS: [&str; 6] = ["tags", "archive", "page", "assets", "media", "sitemaps"];

fn is_made_by_site(parts: &[&str]) -> bool {
    let is_number = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
    match parts {
        [name] => SITE_FILES.contains(name) || SITE_FOLDERS.contains(name),
        [first, ..] if SITE_FOLDERS.contains(first) => true,
        [year, "index.html"] => is_number(year, 4),
        [year, "page", ..] => is_number(year, 4),
        [year, month, "index.html"] => is_number(year, 4) && is_number(month, 2),
        [year, month, "page", ..] => is_number(year, 4) && is_number(month, 2),
        _ => false,
    }
}

impl FromStr for FilePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        check_parts(text, text)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for FilePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        check_parts(&text, &text)?;
        Ok(Self(text))
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for FilePath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

impl Borrow<str> for FilePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_their_files() {
        for (address, path, file) in [
            ("/", "/", "index.html"),
            ("/about", "/about/", "about/index.html"),
            ("/a/b/", "/a/b/", "a/b/index.html"),
            ("/feed.xml", "/feed.xml", "feed.xml"),
            ("/v1.2/", "/v1.2/", "v1.2/index.html"),
            ("/caf%C3%A9/", "/café/", "café/index.html"),
        ] {
            let parsed: UrlPath = address.parse().unwrap();
            assert_eq!((parsed.as_str(), parsed.file().as_str()), (path, file), "{address}");
        }
        assert_eq!("/café au lait/".parse::<UrlPath>().unwrap().href(), "/caf%C3%A9%20au%20lait/");
    }

    #[test]
    fn nothing_leaves_the_site() {
        for text in
            ["x", "/../x", "/a/../b/", "/%2e%2e/x", "//host/x", "/a//b", "/.git/config", "/a\\b", "/a%00b", "/%ff"]
        {
            assert!(text.parse::<UrlPath>().is_err(), "{text}");
        }
        for text in ["", "/a", "a/", "a//b", "../a", "a/./b"] {
            assert!(text.parse::<FilePath>().is_err(), "{text}");
        }
        assert!("/.well-known/acme".parse::<UrlPath>().is_ok());
        assert!(format!("/{}/", "x".repeat(300)).parse::<UrlPath>().is_err());
    }

    #[test]
    fn the_sites_own_addresses_are_not_for_posts() {
        for reserved in [
            "index.html",
            "tags/rust/index.html",
            "2026/index.html",
            "2026/11/page/3/index.html",
            "media/x/y.png",
            "feed.xml",
            "feed.xml/index.html",
            "2026/11/index.html/index.html",
            "2026/11/hello/index.html/a/index.html",
            "a.html/b/index.html",
            "index.html.gz/index.html",
            "feed.xml.gz/index.html",
            "feed.xml.gz",
            "2026/11/hello/index.html.gz",
            "2026/11/hello/index.html.gz/index.html",
            "a.htm.gz/b/index.html",
        ] {
            assert!(reserved.parse::<FilePath>().unwrap().is_reserved(), "{reserved}");
        }
        for free in [
            "about/index.html",
            "2026/11/hello/index.html",
            "2026/11/feed.xml/index.html",
            "2026/11/archive.gz/index.html",
            "20266/index.html",
            "tag/index.html",
            "favicon.ico",
        ] {
            assert!(!free.parse::<FilePath>().unwrap().is_reserved(), "{free}");
        }
    }

    #[test]
    fn a_post_is_a_page_that_can_not_be_taken_for_a_folder() {
        for fine in ["/about/", "/a.html", "/v1.2/", "/2026/11/feed.xml/"] {
            assert!(fine.parse::<UrlPath>().unwrap().for_post().is_ok(), "{fine}");
        }
        for (address, wrong) in [
            ("/", PathError::Reserved("/".to_owned())),
            ("/feed.xml/x/", PathError::Reserved("/feed.xml/x/".to_owned())),
            ("/page/2/", PathError::Reserved("/page/2/".to_owned())),
            ("/2026/11/index.html/", PathError::Reserved("/2026/11/index.html/".to_owned())),
            ("/index.html.gz/", PathError::Reserved("/index.html.gz/".to_owned())),
            ("/a.b", PathError::NotAPage("/a.b".to_owned())),
        ] {
            assert_eq!(address.parse::<UrlPath>().unwrap().for_post(), Err(wrong), "{address}");
        }
    }
}
