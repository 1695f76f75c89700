//! What each file among the content is: a post, part of a post's bundle, media, or none of the site's business.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::scan::{Found, SkipReason, Skipped, site_path};
use super::{PostFile, Resource};
use crate::file_name;
use crate::problem::FileProblem;

/// Endings of files among the posts that readers get: pictures, sound, films, documents, fonts. Whatever else lies in a
/// folder of notes was not put there to be published; `static` is the place for it.
const MEDIA: [&str; 29] = [
    "apng", "avif", "bmp", "flac", "gif", "ico", "jpeg", "jpg", "jxl", "m4a", "m4v", "mov", "mp3", "mp4", "oga", "ogg",
    "ogv", "opus", "otf", "pdf", "png", "svg", "ttf", "vtt", "wav", "webm", "webp", "woff", "woff2",
];

/// Sorts the files below `content` into what was found.
pub(super) fn sort_content(root: &Path, content: &Path, files: &[PathBuf], found: &mut Found) {
    let bundles = Bundles::among(content, files);
    let mut resources: HashMap<&Path, Vec<Resource>> = HashMap::new();
    for path in files {
        match bundles.role_of(path) {
            Role::Post => found.posts.push(PostFile { path: path.clone(), resources: Vec::new() }),
            Role::Media => found.add_static(root, content, path),
            Role::Skipped(reason) => found.skipped.push(Skipped { path: path.clone(), reason }),
            Role::Resource(folder) => match site_path(folder, path) {
                Ok(name) => resources.entry(folder).or_default().push(Resource { source: root.join(path), name }),
                Err(reason) => found.problems.push(FileProblem::new(path, reason)),
            },
        }
    }
    for post in found.posts.iter_mut().filter(|post| file_name::is_index(&post.path)) {
        let own = post.path.parent().and_then(|folder| resources.remove(folder));
        post.resources = own.unwrap_or_default();
    }
}

enum Role<'a> {
    Post,
    /// Of the bundle in this folder.
    Resource(&'a Path),
    Media,
    Skipped(SkipReason),
}

/// The folders that are one post: `index.md`, with no other Markdown beside or below it.
struct Bundles<'a> {
    folders: HashSet<&'a Path>,
}

impl<'a> Bundles<'a> {
    fn among(content: &Path, files: &'a [PathBuf]) -> Self {
        let mut markdown_below: HashMap<&Path, usize> = HashMap::new();
        for file in files.iter().filter(|file| file_name::is_markdown(file)) {
            for folder in file.ancestors().skip(1) {
                *markdown_below.entry(folder).or_default() += 1;
            }
        }
        let indexes = files.iter().filter(|file| file_name::is_index(file)).filter_map(|file| file.parent());
        let folders = indexes.filter(|folder| *folder != content && markdown_below.get(folder) == Some(&1));
        Self { folders: folders.collect() }
    }

    /// The bundle that a file lies in.
    fn around(&self, path: &'a Path) -> Option<&'a Path> {
        path.ancestors().skip(1).find(|folder| self.folders.contains(folder))
    }

    fn role_of(&self, path: &'a Path) -> Role<'a> {
        let bundle = self.around(path);
        if file_name::is_markdown(path) {
            return match bundle {
                _ if file_name::is_section(path) => Role::Skipped(SkipReason::Section),
                _ if file_name::is_about_the_folder(path) => Role::Skipped(SkipReason::AboutTheFolder),
                None if file_name::is_index(path) => Role::Skipped(SkipReason::Section),
                _ => Role::Post,
            };
        }
        match bundle {
            Some(folder) => Role::Resource(folder),
            None if file_name::extension(path).is_some_and(|ending| MEDIA.contains(&ending.as_str())) => Role::Media,
            None => Role::Skipped(SkipReason::NotMedia),
        }
    }
}
