//! Tags: a name that people read and a slug that addresses use.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::slug::{Slug, SlugError, slugify};

/// The longest tag, in characters.
pub const MAX_TAG_CHARS: usize = 100;

/// Why a text can not be a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Nothing but space.
    #[error("a tag must not be empty")]
    Empty,
    /// Longer than [`MAX_TAG_CHARS`].
    #[error("a tag has at most {MAX_TAG_CHARS} characters")]
    TooLong,
    /// Nothing in it can stand in an address.
    #[error("the tag {name:?} has no letter or digit that could stand in its address: {reason}")]
    NoSlug {
        /// The tag as given.
        name: String,
        /// What is wrong with the slug made of it.
        reason: SlugError,
    },
}

/// A tag. Two tags with the same slug (`Rust`, `rust`) share one page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag {
    name: String,
    slug: Slug,
}

impl Tag {
    /// Reads a tag as a person wrote it; outer white space is dropped.
    pub fn new(name: &str) -> Result<Self, TagError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(TagError::Empty);
        }
        if name.chars().count() > MAX_TAG_CHARS {
            return Err(TagError::TooLong);
        }
        let slug = slugify(name).parse().map_err(|reason| TagError::NoSlug { name: name.to_owned(), reason })?;
        Ok(Self { name: name.to_owned(), slug })
    }

    /// The name as written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands in the tag's address.
    #[must_use]
    pub fn slug(&self) -> &Slug {
        &self.slug
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(name: String) -> Result<Self, TagError> {
        Self::new(&name)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.name
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_of_the_c_family_are_different_tags() {
        let slugs: Vec<_> = ["C", "C++", "C#"].iter().map(|name| Tag::new(name).unwrap().slug().to_string()).collect();
        assert_eq!(slugs, ["c", "cplusplus", "csharp"]);
    }

    #[test]
    fn a_tag_without_letters_is_refused() {
        assert!(matches!(Tag::new("🎉"), Err(TagError::NoSlug { .. })));
        assert_eq!(Tag::new("  "), Err(TagError::Empty));
        assert_eq!(Tag::new(&"x".repeat(101)), Err(TagError::TooLong));
    }
}
