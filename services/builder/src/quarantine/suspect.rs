//! The line that is written before each post is rendered.

use std::fmt;
use std::str::FromStr;

use microblog_domain::{ChangeSeq, PostId, Version};

/// The line that is written when it is rendered.
pub(super) const DONE: &str = "done";

/// A post that is about to be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) post: PostId,
    /// What is rendered: a newer version may be sound.
    pub(super) version: Version,
    /// Where the search goes on when this one is found guilty.
    pub(super) change: ChangeSeq,
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.post, self.version.0, self.change.0)
    }
}

/// The line is something else.
#[derive(Debug, thiserror::Error)]
#[error("a post was expected, as: id version change")]
pub(super) struct NoSuspect;

impl FromStr for Suspect {
    type Err = NoSuspect;

    fn from_str(line: &str) -> Result<Self, NoSuspect> {
        let mut words = line.split_ascii_whitespace();
        let mut word = || words.next().ok_or(NoSuspect);
        let post = word()?.parse().map_err(|_| NoSuspect)?;
        let version = Version(word()?.parse().map_err(|_| NoSuspect)?);
        let change = ChangeSeq(word()?.parse().map_err(|_| NoSuspect)?);
        Ok(Self { post, version, change })
    }
}
