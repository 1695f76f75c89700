//! What can be wrong with a file, said so that its author can put it right.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::front_matter::Format;

/// One file that could not be used, and why. The other files go on.
#[derive(Debug, thiserror::Error)]
pub struct FileProblem {
    /// The file, relative to the folder that was opened.
    pub path: PathBuf,
    /// The line at fault, from 1, where one line is.
    pub line: Option<usize>,
    /// What is wrong.
    #[source]
    pub reason: Reason,
}

impl FileProblem {
    /// A problem of the file as a whole.
    pub(crate) fn new(path: &Path, reason: Reason) -> Self {
        Self { path: path.to_owned(), line: None, reason }
    }

    /// A problem of one line.
    pub(crate) fn at(path: &Path, fault: Fault) -> Self {
        Self { path: path.to_owned(), line: fault.line, reason: fault.reason }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.reason)
    }
}

/// A reason and its line, before the name of the file is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) line: Option<usize>,
    pub(crate) reason: Reason,
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self { line: None, reason }
    }
}

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The operating system refused.
    #[error("can not be read: {0}")]
    Io(#[from] io::Error),
    /// Larger than [`crate::MAX_FILE_BYTES`].
    #[error("has {bytes} bytes; a post may have {limit}. Split it, or move what is data into a file of its own")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not text in UTF-8.
    #[error("is not UTF-8: the byte at offset {offset} is no part of a character. Save the file as UTF-8")]
    NotUtf8 {
        /// Where the first wrong byte is, from 0.
        offset: usize,
    },
    /// Neither a file nor a folder: a pipe, a socket, a device.
    #[error("is not a regular file")]
    NotAFile,
    /// A link that leads back to a folder that holds it.
    #[error("is a link that leads back to {} and would never end", .0.display())]
    LinkLoop(PathBuf),
    /// A link to somewhere outside the folder, which could publish what nobody meant to publish.
    #[error("is a link that leads out of the content folder; copy the file instead")]
    LinkOutside,
    /// The name has bytes that are not UTF-8, or can not stand in an address.
    #[error("can not be published under this name: {0}")]
    Name(String),
    /// Another file has this place in the site.
    #[error("has the same place in the site as {}; rename one of them", .other.display())]
    SamePlace {
        /// The file that has it.
        other: PathBuf,
    },
    /// The front matter begins and never ends.
    #[error("the front matter has no end: put a line with {close:?} behind its last field")]
    Unclosed {
        /// The line that is missing.
        close: &'static str,
    },
    /// The front matter is longer than [`crate::MAX_FRONT_MATTER_BYTES`].
    #[error("the front matter has {bytes} bytes; it may have {}", crate::MAX_FRONT_MATTER_BYTES)]
    FrontMatterTooLong {
        /// Its size.
        bytes: usize,
    },
    /// The front matter breaks the rules of its language.
    #[error("the front matter is not valid {format}: {message}")]
    Syntax {
        /// The language.
        format: Format,
        /// What its parser says.
        message: String,
    },
    /// A field holds what it can not hold.
    #[error("{field}: {message}")]
    Field {
        /// The field's name as it stands in the file.
        field: String,
        /// What is wrong, and what is expected.
        message: String,
    },
    /// Neither front matter nor file name nor title give a slug.
    #[error("nothing here can stand in an address: add a field such as `slug: my-post`")]
    NoSlug,
    /// The text is not what it was when the folder was read.
    #[error("was changed while it was being used; start again")]
    Changed,
}
