//! A post: what an author writes, and the life it leads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{PostId, Version};
use crate::path::UrlPath;
use crate::slug::Slug;
use crate::tag::Tag;

/// What sort of thing a post is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostKind {
    /// Has a title, stands in lists and feeds.
    #[default]
    Article,
    /// Has no title, stands in lists and feeds with its whole text.
    Note,
    /// Stands outside time: in no list, archive or feed, at `/{slug}/`.
    Page,
}

/// Where a post is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostStatus {
    /// Only its authors see it.
    #[default]
    Draft,
    /// Goes live by itself at `published_at`.
    Scheduled,
    /// On the site.
    Published,
    /// Thrown away, and can still be brought back.
    Trashed,
    /// Would break a build; set aside until it is edited.
    Unpublishable,
}

macro_rules! text_enum {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? }, $what:literal) => {
        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in the API, the database and the logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::post::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err($crate::post::UnknownWord { what: $what, word: other.to_owned(), known: &[$($text),+] }),
                }
            }
        }
    };
}
pub(crate) use text_enum;

/// A word that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {what}; known are {}", known.join(", "))]
pub struct UnknownWord {
    /// What was expected, e.g. `post status`.
    pub what: &'static str,
    /// What stood there.
    pub word: String,
    /// What could have.
    pub known: &'static [&'static str],
}

text_enum!(PostKind { Article = "article", Note = "note", Page = "page" }, "kind of post");
text_enum!(
    PostStatus {
        Draft = "draft",
        Scheduled = "scheduled",
        Published = "published",
        Trashed = "trashed",
        Unpublishable = "unpublishable",
    },
    "post status"
);

/// What an author decides about a post. Each save of it is a revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostContent {
    /// Article, note or page.
    pub kind: PostKind,
    /// Missing for notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The post's name in its address.
    pub slug: Slug,
    /// The text, in Markdown.
    pub markdown: String,
    /// When it was, or will be, published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// In the author's order, each slug once.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// One or two sentences for lists, feeds and previews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Address of the picture for previews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Names of the authors, where they are not the site's own.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Older addresses that lead here.
    #[serde(default)]
    pub aliases: Vec<UrlPath>,
    /// An address of its own, instead of the site's pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<UrlPath>,
    /// Everything else that its front matter held; given back on export.
    #[serde(default)]
    pub extra: Map<String, Value>,
}

/// A post as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Post {
    /// Its id.
    pub id: PostId,
    /// What its author decided.
    #[serde(flatten)]
    pub content: PostContent,
    /// Where it is in its life.
    pub status: PostStatus,
    /// When its content last changed.
    pub updated_at: Timestamp,
    /// Counts its changes.
    pub version: Version,
}
