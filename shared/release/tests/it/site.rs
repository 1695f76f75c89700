//! A small site for tests: paths and texts, put into a store and read back as a reader would.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use microblog_domain::{FilePath, Fingerprint};
use microblog_release::{Activated, Checks, Committed, Options, Page, PageLoss, ReleaseStore, Result};

/// Every file of a site and its text.
pub(crate) type Site = BTreeMap<String, String>;

/// Options for tests: no reader is ever slow here.
pub(crate) fn options() -> Options {
    Options { grace: Duration::ZERO, keep: 5, lock_wait: Duration::from_secs(5), ..Options::default() }
}

pub(crate) fn site<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Site {
    files.into_iter().map(|(path, text)| (path.into(), text.into())).collect()
}

pub(crate) fn checks() -> Checks {
    Checks { page_loss: PageLoss::Any, ..Checks::new("https://example.org".parse().unwrap()) }
}

pub(crate) fn page(text: &str) -> Page<'_> {
    Page { bytes: text.as_bytes(), fingerprint: Fingerprint::of(text.as_bytes()), author_links: &[] }
}

pub(crate) fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

/// Publishes exactly these files.
pub(crate) fn publish(store: &mut ReleaseStore, site: &Site) -> Result<Committed> {
    let draft = store.draft(checks())?;
    for (name, text) in site {
        draft.put(&path(name), page(text))?;
    }
    for (gone, _) in draft.live().iter().filter(|(name, _)| !site.contains_key(name.as_str())) {
        draft.remove(&gone)?;
    }
    draft.verify()?.commit()
}

pub(crate) fn activated(committed: Committed) -> Activated {
    match committed {
        Committed::Activated(activated) => activated,
        Committed::Unchanged(id) => panic!("release {id} was not changed"),
    }
}

/// Everything below `current`, folders that are empty included. Compressed siblings are left out if they are right: one
/// that is not is a file that should not be there.
pub(crate) fn served(store: &Path) -> Site {
    let mut site = Site::new();
    read_folder(&store.join("current"), "", &mut site);
    site
}

fn read_folder(folder: &Path, prefix: &str, site: &mut Site) {
    let mut is_empty = true;
    for entry in fs::read_dir(folder).unwrap() {
        is_empty = false;
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), site);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            if !is_sibling(&entry.path(), &bytes) {
                site.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    if is_empty && !prefix.is_empty() {
        site.insert(prefix.to_owned(), "an empty folder".to_owned());
    }
}

/// Whether a file is the compression of the one beside it.
fn is_sibling(place: &Path, bytes: &[u8]) -> bool {
    let source = place.to_str().unwrap().strip_suffix(".gz").map(fs::read);
    source.is_some_and(|source| source.is_ok_and(|source| unfold(bytes).is_some_and(|unfolded| unfolded == source)))
}

/// What compressed bytes hold.
pub(crate) fn unfold(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unfolded = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unfolded).ok().map(|_| unfolded)
}

/// How many files lie below `objects/`.
pub(crate) fn object_count(store: &Path) -> usize {
    let folders = fs::read_dir(store.join("objects")).unwrap();
    folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

/// As if the machine had been started anew since.
pub(crate) fn lose_power(store: &Path) {
    fs::remove_file(store.join("st/boot")).unwrap();
    std::os::unix::fs::symlink("another start", store.join("st/boot")).unwrap();
}
