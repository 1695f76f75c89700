//! Which files of a tree may lack their compressed siblings.
//!
//! Nothing is known of a tree that was not looked at since the store was opened: all of it is looked at once, from its
//! first path to its last. Later, only what the plans touched has to be looked at.

use std::collections::BTreeSet;

use microblog_domain::FilePath;

use crate::entry::Entry;
use crate::manifest::Manifest;
use crate::sibling;

/// How many files are looked at in one go, and how many bytes those to be compressed have: what is held in memory.
const MOST_FILES: usize = 256;
const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// When more files than this were touched, looking at all of them costs little more than remembering.
const MOST_TOUCHED: usize = 10_000;

/// The files of one tree that may lack siblings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// From this path on, nothing was looked at yet.
    unseen_from: Option<String>,
    /// Files before it that were touched since.
    touched: BTreeSet<String>,
}

impl Default for Lacking {
    fn default() -> Self {
        Self { unseen_from: Some(String::new()), touched: BTreeSet::new() }
    }
}

/// Some files of a tree, to be seen to together.
#[derive(Debug)]
pub(crate) struct Portion {
    /// Those among them that should have a sibling.
    pub(crate) files: Vec<(FilePath, Entry)>,
    from: From,
}

#[derive(Debug)]
enum From {
    Touched(Vec<String>),
    Unseen { next: Option<String> },
}

impl Lacking {
    /// Notes that something was done to a path of the tree: that of a file, or of what may be in its sibling's place.
    pub(crate) fn touch(&mut self, path: &str) {
        let in_place = [path].into_iter().chain(sibling::folders_named_so(path)).filter_map(sibling::source);
        for path in [path].into_iter().chain(in_place) {
            let is_seen = self.unseen_from.as_deref().is_none_or(|unseen| path < unseen);
            if is_seen {
                self.touched.insert(path.to_owned());
            }
        }
        if self.touched.len() > MOST_TOUCHED {
            *self = Self::default();
        }
    }

    /// The next files to be seen to, if there are any.
    pub(crate) fn portion(&self, manifest: &Manifest) -> Option<Portion> {
        if !self.touched.is_empty() {
            return Some(self.touched_portion(manifest));
        }
        self.unseen_from.as_deref().map(|from| unseen_portion(manifest, from))
    }

    fn touched_portion(&self, manifest: &Manifest) -> Portion {
        let (mut files, mut paths, mut bytes) = (Vec::new(), Vec::new(), 0);
        for path in self.touched.iter().take(MOST_FILES) {
            let path: String = path.clone();
            if let Some(entry) = manifest.get(&path)
                && let Ok(file) = path.parse()
            {
                bytes += add(&mut files, manifest, file, entry);
            }
            paths.push(path);
            if bytes > MOST_BYTES {
                break;
            }
        }
        Portion { files, from: From::Touched(paths) }
    }

    /// Notes that the files of a portion have what they should have.
    pub(crate) fn done(&mut self, portion: &Portion) {
        match &portion.from {
            From::Touched(paths) => self.touched.retain(|path| paths.binary_search(path).is_err()),
            From::Unseen { next } => self.unseen_from.clone_from(next),
        }
    }
}

fn unseen_portion(manifest: &Manifest, from: &str) -> Portion {
    let (mut files, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
    for (path, entry) in manifest.iter_from(from) {
        if looked_at == MOST_FILES || bytes > MOST_BYTES {
            return Portion { files, from: From::Unseen { next: Some(path.into()) } };
        }
        bytes += add(&mut files, manifest, path, entry);
        looked_at += 1;
    }
    Portion { files, from: From::Unseen { next: None } }
}

/// Adds a file that should have a sibling, and tells how many bytes it has. A file of the release that has the sibling's
/// name is left alone: somebody put it there.
fn add(files: &mut Vec<(FilePath, Entry)>, manifest: &Manifest, path: FilePath, entry: Entry) -> u64 {
    match sibling::sibling_of(&path, entry.size) {
        Some(sibling) if manifest.get(sibling.as_str()).is_none() => {
            files.push((path, entry));
            entry.size
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::{ContentHash, Fingerprint, ReleaseId};

    use super::*;
    use crate::base::Base;
    use crate::delta::{Change, Delta};
    use crate::release::Release;

    fn manifest(paths: &[String]) -> Manifest {
        let mut manifest = Manifest::new(Base::empty());
        let entry = Entry { content: ContentHash::of(b""), size: 2_000, fingerprint: Fingerprint::default() };
        let change = |path: &String| Change { path: path.parse().unwrap(), before: None, after: Some(entry) };
        let release = Release { id: ReleaseId(1), ..Release::nothing() };
        manifest.absorb(&Delta { release, changes: paths.iter().map(change).collect() });
        manifest
    }

    fn drain(lacking: &mut Lacking, manifest: &Manifest) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(portion) = lacking.portion(manifest) {
            seen.extend(portion.files.iter().map(|(path, _)| path.to_string()));
            lacking.done(&portion);
        }
        seen
    }

    #[test]
    fn everything_is_looked_at_once_and_then_only_what_was_touched() {
        let mut paths: Vec<String> = (0..1_000).map(|n| format!("{n}.html")).collect();
        paths.sort();
        let manifest = manifest(&paths);
        let mut lacking = Lacking::default();
        let first = lacking.portion(&manifest).unwrap();
        lacking.done(&first);
        lacking.touch("0.html");
        lacking.touch("999.html");
        let again: Vec<String> = drain(&mut lacking, &manifest);
        assert_eq!(again[0], "0.html", "it was seen before it was touched");
        assert_eq!(again[1..], paths[first.files.len()..]);
        lacking.touch("5.html");
        lacking.touch("gone.html");
        lacking.touch("7.html.gz");
        assert_eq!(drain(&mut lacking, &manifest), ["5.html", "7.html"]);
        assert_eq!(lacking.portion(&manifest).map(drop), None);
    }

    #[test]
    fn a_file_that_somebody_put_beside_another_is_left_alone() {
        let manifest = manifest(&["a.html".to_owned(), "a.html.gz".to_owned(), "b.html".to_owned()]);
        assert_eq!(drain(&mut Lacking::default(), &manifest), ["b.html"]);
    }

    #[test]
    fn more_than_is_worth_remembering_is_forgotten() {
        let manifest = manifest(&["a.html".to_owned()]);
        let mut lacking = Lacking::default();
        drain(&mut lacking, &manifest);
        (0..=MOST_TOUCHED).for_each(|n| lacking.touch(&n.to_string()));
        assert_eq!(lacking, Lacking::default());
    }
}
