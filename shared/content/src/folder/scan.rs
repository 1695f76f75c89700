//! Walking through a folder: which files are posts, which belong to a post, which the site holds as they are.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use microblog_domain::{FilePath, PathError};
use walkdir::{DirEntry, WalkDir};

use super::layout::Layout;
use super::{PostFile, StaticFile, sort};
use crate::OUTPUT_MARKER;
use crate::problem::{FileProblem, Reason};

/// What a walk found, each list in the order of the paths.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) posts: Vec<PostFile>,
    pub(super) static_files: Vec<StaticFile>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) problems: Vec<FileProblem>,
    /// Which file has which place in the site.
    taken: HashMap<FilePath, PathBuf>,
}

/// A file that is neither a post nor part of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file, relative to the folder.
    pub path: PathBuf,
    /// Why.
    pub reason: SkipReason,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// Why a file is neither a post nor part of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// `_index.md`, or an `index.md` with other posts beside or below it.
    Section,
    /// `README.md` and the like.
    AboutTheFolder,
    /// Neither Markdown nor media.
    NotMedia,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Section => "the front page of a section, not a post",
            Self::AboutTheFolder => "about the folder, not a post",
            Self::NotMedia => "neither Markdown nor media; put it into static/ to publish it",
        })
    }
}

/// Walks through the content and the static files.
pub(super) fn scan(root: &Path, layout: &Layout) -> io::Result<Found> {
    let mut walk = Walk { root, real_root: root.canonicalize()?, problems: Vec::new() };
    let is_static = |entry: &DirEntry| layout.static_folder.is_some() && entry.path() == root.join("static");
    let content = walk.files(&layout.content, |entry| is_content(entry) && !is_static(entry));
    let verbatim = match &layout.static_folder {
        Some(folder) => walk.files(folder, is_public),
        None => Vec::new(),
    };
    let mut found = Found { problems: walk.problems, ..Found::default() };
    if let Some(folder) = &layout.static_folder {
        verbatim.iter().for_each(|path| found.add_static(root, folder, path));
    }
    sort::sort_content(root, &layout.content, &content, &mut found);
    found.static_files.sort_by(|a, b| a.path.cmp(&b.path));
    found.problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl Found {
    /// Takes a file into the site, under its path below `base`, unless another has that place.
    pub(super) fn add_static(&mut self, root: &Path, base: &Path, path: &Path) {
        let file = match site_path(base, path) {
            Ok(file) => StaticFile { source: root.join(path), path: file },
            Err(reason) => return self.problems.push(FileProblem::new(path, reason)),
        };
        if let Some(other) = self.taken.insert(file.path.clone(), path.to_owned()) {
            self.problems.push(FileProblem::new(path, Reason::SamePlace { other: other.clone() }));
            self.taken.insert(file.path, other);
            return;
        }
        self.static_files.push(file);
    }
}

/// The path below a folder, if it can be an address.
pub(super) fn site_path(base: &Path, path: &Path) -> Result<FilePath, Reason> {
    let below = path.strip_prefix(base).unwrap_or(path);
    let text = below.to_str().ok_or_else(|| Reason::Name("it is not UTF-8".to_owned()))?;
    text.parse().map_err(|error: PathError| Reason::Name(error.to_string()))
}

/// Hidden files, built sites, folders of other programs, and what Jekyll keeps apart by an underscore are not content.
fn is_content(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_apart = entry.file_type().is_dir() && name.starts_with('_') && name != "_posts" && name != "_drafts";
    let is_output = || entry.file_type().is_dir() && entry.path().join(OUTPUT_MARKER).exists();
    entry.depth() == 0
        || !(is_output() || name.starts_with('.') || name.ends_with('~') || name == "node_modules" || is_apart)
}

fn is_public(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || name == ".well-known" || !name.starts_with('.')
}

/// Sorts like the path, part by part, but without taking paths apart for each comparison.
fn by_parts(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().iter().map(|byte| if *byte == b'/' { 0 } else { *byte }).collect()
}

struct Walk<'a> {
    root: &'a Path,
    real_root: PathBuf,
    problems: Vec<FileProblem>,
}

impl Walk<'_> {
    /// All files below a folder, relative to the root, in the order of their paths.
    fn files(&mut self, folder: &Path, wanted: impl Fn(&DirEntry) -> bool) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut entries = WalkDir::new(self.root.join(folder)).follow_links(true).into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problems.push(self.walk_problem(error));
                    continue;
                }
            };
            let is_folder = entry.file_type().is_dir();
            match (wanted(&entry) && self.is_usable(&entry), is_folder) {
                (true, false) => files.push(self.relative(entry.path())),
                (false, true) => entries.skip_current_dir(),
                (true, true) | (false, false) => {}
            }
        }
        files.sort_by_cached_key(|path| by_parts(path));
        files
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.root).unwrap_or(path).to_owned()
    }

    /// Whether an entry is a file or folder within the root; if not, that is a problem.
    fn is_usable(&mut self, entry: &DirEntry) -> bool {
        let is_link = entry.path_is_symlink() && entry.depth() > 0;
        let target = if is_link { entry.path().canonicalize() } else { Ok(self.real_root.clone()) };
        let reason = match target {
            Err(error) => Some(error.into()),
            Ok(target) if !target.starts_with(&self.real_root) => Some(Reason::LinkOutside),
            Ok(_) if !entry.file_type().is_dir() && !entry.file_type().is_file() => Some(Reason::NotAFile),
            Ok(_) => None,
        };
        let problem = reason.map(|reason| FileProblem::new(&self.relative(entry.path()), reason));
        let is_usable = problem.is_none();
        self.problems.extend(problem);
        is_usable
    }

    fn walk_problem(&self, error: walkdir::Error) -> FileProblem {
        let path = self.relative(error.path().unwrap_or(self.root));
        let reason = match error.loop_ancestor() {
            Some(ancestor) => Reason::LinkLoop(self.relative(ancestor)),
            None => Reason::Io(error.into_io_error().unwrap_or_else(|| io::Error::other("the walk was cut short"))),
        };
        FileProblem::new(&path, reason)
    }
}
