//! Who may do what.

use serde::{Deserialize, Serialize};

use crate::post::text_enum;

/// What a person is to the site. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Writes and publishes posts of their own.
    Author,
    /// Changes everybody's posts and media, starts builds, rolls back.
    Editor,
    /// Also settings, users, and everyone's tokens.
    Owner,
}

text_enum!(Role { Author = "author", Editor = "editor", Owner = "owner" }, "role");

/// What an API token may be used for, within what its owner's role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look at everything that the role may see.
    Read,
    /// Write posts and media, publish.
    Write,
    /// Builds, releases, settings, users and tokens.
    Admin,
}

text_enum!(Scope { Read = "read", Write = "write", Admin = "admin" }, "scope");
