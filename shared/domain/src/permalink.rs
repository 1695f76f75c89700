//! The pattern that gives each post its address, e.g. `/{yyyy}/{mm}/{slug}/`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::path::{PathError, UrlPath};
use crate::slug::Slug;

/// Why a pattern can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermalinkError {
    /// A `{name}` that is not one of the known ones.
    #[error("{{{0}}} is not known here; use {{yyyy}}, {{mm}}, {{dd}} and {{slug}}")]
    UnknownPlaceholder(String),
    /// Without `{slug}` all posts of a day would share one address.
    #[error("the pattern must hold {{slug}}")]
    NoSlug,
    /// A `{` without its `}`.
    #[error("a '{{' in the pattern has no '}}'")]
    Unclosed,
    /// What comes out is not an address.
    #[error(transparent)]
    Path(#[from] PathError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Year,
    Month,
    Day,
    Slug,
}

/// A checked pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PermalinkPattern {
    source: String,
    pieces: Vec<Piece>,
}

impl Default for PermalinkPattern {
    fn default() -> Self {
        let text = |text: &str| Piece::Text(text.to_owned());
        Self {
            source: "/{yyyy}/{mm}/{slug}/".to_owned(),
            pieces: vec![text("/"), Piece::Year, text("/"), Piece::Month, text("/"), Piece::Slug, text("/")],
        }
    }
}

impl PermalinkPattern {
    /// The address of a post with this slug, published on this day (in the site's time zone).
    ///
    /// Fails only when slug and pattern together are too long.
    pub fn address(&self, slug: &Slug, date: Date) -> Result<UrlPath, PathError> {
        use fmt::Write as _;
        let mut path = String::new();
        for piece in &self.pieces {
            let _ = match piece {
                Piece::Text(text) => write!(path, "{text}"),
                Piece::Year => write!(path, "{:04}", date.year()),
                Piece::Month => write!(path, "{:02}", date.month()),
                Piece::Day => write!(path, "{:02}", date.day()),
                Piece::Slug => write!(path, "{slug}"),
            };
        }
        path.parse()
    }
}

impl FromStr for PermalinkPattern {
    type Err = PermalinkError;

    fn from_str(source: &str) -> Result<Self, PermalinkError> {
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].to_owned()));
            }
            let close = rest[open..].find('}').ok_or(PermalinkError::Unclosed)? + open;
            pieces.push(match &rest[open + 1..close] {
                "yyyy" => Piece::Year,
                "mm" => Piece::Month,
                "dd" => Piece::Day,
                "slug" => Piece::Slug,
                other => return Err(PermalinkError::UnknownPlaceholder(other.to_owned())),
            });
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if !pieces.contains(&Piece::Slug) {
            return Err(PermalinkError::NoSlug);
        }
        let pattern = Self { source: source.to_owned(), pieces };
        let example = Slug::from_title("example").ok_or(PermalinkError::NoSlug)?;
        pattern.address(&example, Date::constant(2026, 1, 1))?.for_post()?;
        Ok(pattern)
    }
}

impl TryFrom<String> for PermalinkPattern {
    type Error = PermalinkError;

    fn try_from(text: String) -> Result<Self, PermalinkError> {
        text.parse()
    }
}

impl From<PermalinkPattern> for String {
    fn from(pattern: PermalinkPattern) -> Self {
        pattern.source
    }
}

impl fmt::Display for PermalinkPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_give_addresses() {
        let slug: Slug = "hello".parse().unwrap();
        let day = Date::constant(2026, 3, 7);
        for (pattern, address) in [
            ("/{yyyy}/{mm}/{slug}/", "/2026/03/hello/"),
            ("/blog/{yyyy}-{mm}-{dd}-{slug}", "/blog/2026-03-07-hello/"),
            ("/{slug}.html", "/hello.html"),
        ] {
            assert_eq!(pattern.parse::<PermalinkPattern>().unwrap().address(&slug, day).unwrap().as_str(), address);
        }
        assert_eq!(PermalinkPattern::default(), "/{yyyy}/{mm}/{slug}/".parse().unwrap());
    }

    #[test]
    fn wrong_patterns_say_what_is_wrong() {
        assert_eq!("/{yyyy}/".parse::<PermalinkPattern>(), Err(PermalinkError::NoSlug));
        assert_eq!("/{title}/".parse::<PermalinkPattern>(), Err(PermalinkError::UnknownPlaceholder("title".into())));
        assert_eq!("/{slug".parse::<PermalinkPattern>(), Err(PermalinkError::Unclosed));
        assert!(matches!("{slug}".parse::<PermalinkPattern>(), Err(PermalinkError::Path(_))));
        for pattern in ["/../{slug}", "/tags/{slug}/", "/{slug}.txt"] {
            assert!(matches!(pattern.parse::<PermalinkPattern>(), Err(PermalinkError::Path(_))), "{pattern}");
        }
    }
}
