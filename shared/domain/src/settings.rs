//! The settings of a site: what its owner decides about it as a whole.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::path::{PathError, UrlPath};
use crate::permalink::PermalinkPattern;
use crate::post::{PostContent, PostKind};

/// Why a text can not be the address of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not the address of a site: {reason}; write it like https://blog.example.org")]
pub struct BaseUrlError {
    /// The text as given.
    pub given: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Where the site is found from outside: scheme, host, perhaps a port and a folder; no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl {
    url: String,
    path_start: usize,
}

impl BaseUrl {
    /// The whole address, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The host and the port where the site is served by TLS; nothing if it is not.
    #[must_use]
    pub fn tls_endpoint(&self) -> Option<(&str, u16)> {
        const DEFAULT_PORT: u16 = 443;
        let authority = self.url[..self.path_start].strip_prefix("https://")?;
        let with_port = authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        Some(with_port.unwrap_or((authority, DEFAULT_PORT)))
    }

    /// The folder of the host that the site lives in: empty, or like `/blog`.
    #[must_use]
    pub fn path_prefix(&self) -> &str {
        &self.url[self.path_start..]
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(given: &str) -> Result<Self, BaseUrlError> {
        let wrong = |reason| BaseUrlError { given: given.to_owned(), reason };
        let url = given.trim().trim_end_matches('/');
        let scheme_end = url.find("://").ok_or_else(|| wrong("it must begin with http:// or https://"))?;
        if !matches!(&url[..scheme_end], "http" | "https") {
            return Err(wrong("it must begin with http:// or https://"));
        }
        let host_start = scheme_end + 3;
        let path_start = url[host_start..].find('/').map_or(url.len(), |at| host_start + at);
        let authority = &url[host_start..path_start];
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if authority.contains('@') {
            return Err(wrong("it must not hold a user name"));
        }
        let host_is_valid = !host.is_empty()
            && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '[' | ']' | ':'))
            && !host.starts_with(['.', '-'])
            && !host.contains("..");
        if !host_is_valid {
            return Err(wrong("the host name is missing or has a character that is not allowed"));
        }
        if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
            return Err(wrong("the port must be a number from 1 to 65535"));
        }
        let path = &url[path_start..];
        let path_is_valid = path.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."))
            && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~'));
        if !path_is_valid {
            return Err(wrong("the folder may hold letters, digits, '-', '_', '.' and '~'; no '?' and no '#'"));
        }
        Ok(Self { url: url.to_owned(), path_start })
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// A time zone that the time zone database knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteTimeZone(TimeZone);

/// No such time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone; write it like Europe/Berlin or UTC")]
pub struct UnknownTimeZone(pub String);

impl SiteTimeZone {
    /// The zone's rules.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Default for SiteTimeZone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl TryFrom<String> for SiteTimeZone {
    type Error = UnknownTimeZone;

    fn try_from(name: String) -> Result<Self, UnknownTimeZone> {
        name.parse()
    }
}

impl FromStr for SiteTimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        TimeZone::get(name).map(Self).map_err(|_| UnknownTimeZone(name.to_owned()))
    }
}

impl From<SiteTimeZone> for String {
    fn from(zone: SiteTimeZone) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// An entry of the site's menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MenuItem {
    /// What readers see.
    pub title: String,
    /// Where it leads: an address within the site (`/about/`) or a whole URL.
    pub url: String,
}

/// All settings of a site. Every field has a default, so that a new site needs none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteSettings {
    /// The site's name.
    pub title: String,
    /// One or two sentences about it.
    pub description: String,
    /// Where it is found.
    pub base_url: BaseUrl,
    /// BCP 47 tag of the language of its texts, e.g. `en` or `de-CH`.
    pub language: String,
    /// In which zone its days begin: it decides dates and addresses.
    pub timezone: SiteTimeZone,
    /// Who writes, where a post does not say.
    pub author: String,
    /// How posts get their addresses.
    pub permalink: PermalinkPattern,
    /// Posts on a page of a list, 1 to 100.
    pub posts_per_page: u16,
    /// Posts in a feed, 1 to 100.
    pub feed_items: u16,
    /// The menu, besides what the theme adds.
    pub menu: Vec<MenuItem>,
    /// Whether fenced code is coloured.
    pub highlight: bool,
}

impl Default for SiteSettings {
    fn default() -> Self {
        let url = "http://localhost:8080".to_owned();
        Self {
            title: "My site".to_owned(),
            description: String::new(),
            base_url: BaseUrl { path_start: url.len(), url },
            language: "en".to_owned(),
            timezone: SiteTimeZone::default(),
            author: String::new(),
            permalink: PermalinkPattern::default(),
            posts_per_page: 10,
            feed_items: 20,
            menu: Vec::new(),
            highlight: true,
        }
    }
}

/// A setting whose value is of the right type but out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct SettingError {
    /// Which field, e.g. `posts_per_page`.
    pub field: &'static str,
    /// What is expected.
    pub message: &'static str,
}

impl SiteSettings {
    /// The address that a post asks for, if it is published at this time. Another post may have it already.
    ///
    /// Fails when slug and pattern together are too long, and when the site needs the address itself.
    pub fn address_of(&self, content: &PostContent, published_at: Timestamp) -> Result<UrlPath, PathError> {
        let date = published_at.to_zoned(self.timezone.rules().clone()).date();
        let address = match (&content.permalink, content.kind) {
            (Some(own), _) => own.clone(),
            (None, PostKind::Page) => UrlPath::folder([content.slug.as_str()])?,
            (None, PostKind::Article | PostKind::Note) => self.permalink.address(&content.slug, date)?,
        };
        address.for_post()
    }

    /// Every value that is out of range; empty when all are fine.
    #[must_use]
    pub fn problems(&self) -> Vec<SettingError> {
        let mut problems = Vec::new();
        let mut check = |is_fine: bool, field, message| {
            if !is_fine {
                problems.push(SettingError { field, message });
            }
        };
        check(!self.title.trim().is_empty() && self.title.len() <= 200, "title", "1 to 200 bytes of text");
        check(self.description.len() <= 2_000, "description", "at most 2,000 bytes of text");
        check((1..=100).contains(&self.posts_per_page), "posts_per_page", "a number from 1 to 100");
        check((1..=100).contains(&self.feed_items), "feed_items", "a number from 1 to 100");
        check(is_language_tag(&self.language), "language", "a language tag such as en or de-CH");
        check(self.menu.len() <= 50, "menu", "at most 50 entries");
        check(
            self.menu.iter().all(|item| !item.title.trim().is_empty() && is_menu_target(&item.url)),
            "menu",
            "each entry has a title, and a url that begins with '/', 'https://', 'http://' or 'mailto:'",
        );
        problems
    }
}

fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|first| (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic()))
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_menu_target(url: &str) -> bool {
    ["/", "https://", "http://", "mailto:"].iter().any(|start| url.starts_with(start)) && !url.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_sites_are_checked() {
        let url: BaseUrl = "https://example.org/blog/".parse().unwrap();
        assert_eq!((url.as_str(), url.path_prefix()), ("https://example.org/blog", "/blog"));
        assert_eq!("http://[::1]:8080".parse::<BaseUrl>().unwrap().path_prefix(), "");
        for wrong in [
            "",
            "example.org",
            "ftp://x",
            "https://",
            "https:///x",
            "https://a b",
            "https://u:p@h",
            "https://h:99999",
            "https://h/?q",
            "https://h/../x",
            "https://exa<mple",
        ] {
            assert!(wrong.parse::<BaseUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn defaults_are_valid_and_wrong_values_are_all_listed() {
        assert_eq!(SiteSettings::default().problems(), []);
        let wrong = SiteSettings {
            title: " ".into(),
            posts_per_page: 0,
            language: "english please".into(),
            ..SiteSettings::default()
        };
        let fields: Vec<_> = wrong.problems().iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["title", "posts_per_page", "language"]);
    }

    #[test]
    fn a_time_zone_must_exist() {
        assert!("Europe/Berlin".parse::<SiteTimeZone>().is_ok());
        assert_eq!(
            "Mars/Olympus".parse::<SiteTimeZone>().unwrap_err().to_string(),
            "\"Mars/Olympus\" is not a time zone; write it like Europe/Berlin or UTC"
        );
    }
}
