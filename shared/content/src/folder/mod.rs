//! A folder of posts: what is in it, which settings it brings, and reading it in parallel.
//!
//! Taken as they are: the root of a site (`layout.rs` tells which program's), a content folder, or any folder with
//! Markdown files. [`ContentFolder::open`] looks at names only (`scan.rs`); [`ContentFolder::read_posts`] opens the files
//! (`read.rs`), on all cores, and hands each to the caller, who may drop its text and fetch it again later
//! ([`ContentFolder::read_text`]): so a large site need not fit into memory.

mod foreign;
mod layout;
mod read;
mod scan;
mod settings;
mod sort;
mod state;

use std::path::{Path, PathBuf};

use microblog_domain::{FilePath, SiteSettings};
use rayon::prelude::*;

pub use self::read::{FilePost, TextLocation};
pub use self::scan::{SkipReason, Skipped};
pub use self::state::FolderState;
use crate::post::Reading;
use crate::problem::FileProblem;

/// Why a folder could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is missing, no folder, or closed to us.
    #[error("the content folder {} can not be opened: {reason}. Check the path and who may read it", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// Its settings can not be used.
    #[error("{}:{} {message}", .path.display(), .line.map(|line| format!("{line}:")).unwrap_or_default())]
    Settings {
        /// The file of the settings.
        path: PathBuf,
        /// The line at fault, where one line is.
        line: Option<usize>,
        /// What is wrong, and what is expected.
        message: String,
    },
}

/// A file that the site holds as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticFile {
    /// Where it lies.
    pub source: PathBuf,
    /// Where the site has it.
    pub path: FilePath,
}

/// A file beside a post, such as a photo in its bundle. It belongs beside the post's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Where it lies.
    pub source: PathBuf,
    /// Its path relative to the post.
    pub name: FilePath,
}

/// A post's file, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PostFile {
    /// Relative to the folder.
    path: PathBuf,
    resources: Vec<Resource>,
}

/// An opened folder.
#[derive(Debug)]
pub struct ContentFolder {
    root: PathBuf,
    /// Where the posts are, relative to the root.
    content: PathBuf,
    settings: Option<SiteSettings>,
    found: scan::Found,
}

impl ContentFolder {
    /// Finds out what is in a folder. Problems with single files are kept for [`Self::problems`].
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let closed = |reason| OpenError::Folder { path: root.to_owned(), reason };
        std::fs::read_dir(root).map_err(closed)?;
        let layout = layout::detect(root);
        let settings = layout.settings.as_ref().map(|file| settings::read(root, file)).transpose()?;
        let found = scan::scan(root, &layout).map_err(closed)?;
        Ok(Self { root: root.to_owned(), content: layout.content, settings, found })
    }

    /// The settings of the site, if the folder brings any.
    #[must_use]
    pub fn settings(&self) -> Option<&SiteSettings> {
        self.settings.as_ref()
    }

    /// How many files will be read as posts.
    #[must_use]
    pub fn post_count(&self) -> usize {
        self.found.posts.len()
    }

    /// The files that the site holds as they are, by their path in the site.
    #[must_use]
    pub fn static_files(&self) -> &[StaticFile] {
        &self.found.static_files
    }

    /// What was wrong with names and links; problems within posts come with [`Self::read_posts`].
    #[must_use]
    pub fn problems(&self) -> &[FileProblem] {
        &self.found.problems
    }

    /// The files that are neither posts nor part of the site, and why.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.found.skipped
    }

    /// The path of a post's file below the folder where the posts are.
    #[must_use]
    pub fn path_in_content<'a>(&self, file: &'a Path) -> &'a Path {
        file.strip_prefix(&self.content).unwrap_or(file)
    }

    /// Fetches the text of a post again, from the file that [`Self::read_posts`] read it from.
    pub fn read_text(&self, file: &Path, text: &TextLocation) -> Result<String, FileProblem> {
        read::read_again(&self.root.join(file), text).map_err(|reason| FileProblem::new(file, reason))
    }

    /// Reads all posts on all cores, and gives what `each` makes of them, in the order of their paths.
    pub fn read_posts<T: Send>(
        &self,
        reading: &Reading,
        each: impl Fn(Result<FilePost, FileProblem>) -> T + Sync,
    ) -> Vec<T> {
        self.found.posts.par_iter().map(|file| each(read::read_post(&self.root, file, reading))).collect()
    }
}
