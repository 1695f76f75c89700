//! Slugs: the last part of a post's address.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest slug, in bytes of UTF-8: file systems allow 255 for a name, and an archive or a backup adds its own.
pub const MAX_SLUG_BYTES: usize = 200;

/// Names that Windows reserves for devices: a site that holds one can not be unpacked there.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Why a text can not be a slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Nothing in it.
    #[error("a slug must not be empty")]
    Empty,
    /// Longer than [`MAX_SLUG_BYTES`].
    #[error("a slug has at most {MAX_SLUG_BYTES} bytes; this one has {0}")]
    TooLong(usize),
    /// Something other than letters, digits, `-`, `_` and inner `.`.
    #[error("a slug is made of letters, digits, '-', '_' and '.'; {0:?} is not allowed")]
    Character(char),
    /// A dot or hyphen at an end.
    #[error("a slug must not start or end with '.' or '-'")]
    Edge,
    /// A device name of Windows.
    #[error("{0:?} is reserved by some systems and can not be a slug")]
    Reserved(String),
}

/// A post's name in its address: letters and digits of any script in lower case, `-`, `_` and inner dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// Makes the slug that a title suggests; `None` when nothing usable is left (an emoji, `???`).
    #[must_use]
    pub fn from_title(title: &str) -> Option<Self> {
        slugify(title).parse().ok()
    }

    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same slug with `-number` behind it, shortened if need be: for a second post of the same name.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let room = floor_char_boundary(&self.0, MAX_SLUG_BYTES - suffix.len());
        Self(format!("{}{suffix}", &self.0[..room]))
    }
}

/// Lower-cases, drops accents of Latin letters, turns everything else into single hyphens, and spells out the signs
/// that tell names apart (`C`, `C++` and `C#`).
pub(crate) fn slugify(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    let mut gap = false;
    let mut push = |piece: &str, gap: &mut bool| {
        if *gap && !slug.is_empty() {
            slug.push('-');
        }
        *gap = false;
        slug.push_str(piece);
    };
    let mut previous = ' ';
    let mut letters = text.nfd().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '+' if previous.is_alphanumeric() || previous == '+' => push("plus", &mut gap),
            '#' if previous.is_alphanumeric() => push("sharp", &mut gap),
            '.' if previous == ' ' && letters.peek().is_some_and(|next| next.is_alphabetic()) => push("dot", &mut gap),
            '.' if previous.is_ascii_digit() && letters.peek().is_some_and(char::is_ascii_digit) => push(".", &mut gap),
            'ß' => push("ss", &mut gap),
            'Æ' | 'æ' => push("ae", &mut gap),
            'Ø' | 'ø' => push("o", &mut gap),
            '\'' | '’' => {}
            _ if unicode_normalization::char::is_combining_mark(letter) => {
                if !previous.is_ascii_alphanumeric() && previous.is_alphanumeric() {
                    push(letter.encode_utf8(&mut [0; 4]), &mut gap);
                }
                continue;
            }
            _ if letter.is_alphanumeric() => push(&letter.to_lowercase().collect::<String>(), &mut gap),
            '_' => push("_", &mut gap),
            _ => gap = true,
        }
        previous = if letter.is_whitespace() { ' ' } else { letter };
    }
    let slug: String = slug.nfc().collect();
    let end = floor_char_boundary(&slug, MAX_SLUG_BYTES);
    slug[..end].trim_end_matches(['-', '.']).to_owned()
}

fn floor_char_boundary(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        if text.is_empty() {
            return Err(SlugError::Empty);
        }
        if text.len() > MAX_SLUG_BYTES {
            return Err(SlugError::TooLong(text.len()));
        }
        let allowed =
            |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_' | '.') || is_mark(c);
        if let Some(wrong) = text.chars().find(|&c| !allowed(c)) {
            return Err(SlugError::Character(wrong));
        }
        if text.starts_with(['.', '-']) || text.ends_with(['.', '-']) {
            return Err(SlugError::Edge);
        }
        let stem = text.split('.').next().unwrap_or(text);
        if RESERVED.contains(&stem) {
            return Err(SlugError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Marks that belong to a letter of their script (vowel signs and the like), where no composed form exists.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(text: String) -> Result<Self, SlugError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_readable_slugs() {
        for (title, slug) in [
            ("Hello, World!", "hello-world"),
            ("Ärger über Größe", "arger-uber-grosse"),
            ("Node v0.10.1 (Stable)", "node-v0.10.1-stable"),
            ("It's  a -- test", "its-a-test"),
            ("日本語 の記事", "日本語-の記事"),
            ("हिन्दी", "हिन्दी"),
            ("C++ and C#", "cplusplus-and-csharp"),
            (".NET", "dotnet"),
            ("  ends with dots...", "ends-with-dots"),
        ] {
            assert_eq!(Slug::from_title(title).unwrap().as_str(), slug, "{title}");
        }
        assert_eq!(Slug::from_title("🎉🎉"), None);
        assert_eq!(Slug::from_title(&"long ".repeat(1_000)).unwrap().as_str().len(), 199);
    }

    #[test]
    fn hostile_slugs_are_refused_with_the_reason() {
        for (text, error) in [
            ("", SlugError::Empty),
            ("../x", SlugError::Character('/')),
            ("/x", SlugError::Character('/')),
            ("..", SlugError::Edge),
            (".hidden", SlugError::Edge),
            ("con", SlugError::Reserved("con".into())),
            ("nul.txt", SlugError::Reserved("nul.txt".into())),
            ("🎉", SlugError::Character('🎉')),
            ("a b", SlugError::Character(' ')),
            ("a\0", SlugError::Character('\0')),
            ("Upper", SlugError::Character('U')),
        ] {
            assert_eq!(text.parse::<Slug>(), Err(error), "{text:?}");
        }
        assert_eq!("a".repeat(5_000).parse::<Slug>(), Err(SlugError::TooLong(5_000)));
        assert!("v0.10.1".parse::<Slug>().is_ok());
    }

    #[test]
    fn numbered_slugs_stay_within_the_limit() {
        let slug: Slug = "é".repeat(100).parse().unwrap();
        let numbered = slug.numbered(12);
        assert!(numbered.as_str().ends_with("-12"));
        assert!(numbered.as_str().parse::<Slug>().is_ok());
    }
}
