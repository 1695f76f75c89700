//! Compressed siblings: `page.html.gz` beside `page.html`, for servers that send a file compressed without compressing it.
//!
//! Owns what a sibling is called, which files get one, and how it is made and checked. A sibling is a cache: it stands in no
//! manifest, and wherever it lies it is the compression of the very file beside it. `compress.rs` makes them.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use microblog_domain::FilePath;

use crate::entry::Entry;
use crate::objects;

/// What is added to a file's name.
pub(crate) const SUFFIX: &str = ".gz";

/// Kinds of files that are text; the others are compressed already.
const TEXT: [&str; 9] = ["html", "htm", "xml", "json", "css", "js", "svg", "txt", "webmanifest"];
/// A smaller answer fits into one packet as it is.
const LEAST_BYTES: u64 = 1024;
/// A larger file would need too much memory at once.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Higher levels take longer and save nothing on pages.
const LEVEL: Compression = Compression::new(6);

/// The name of the compressed sibling of a file of this size; nothing where compressing it does not pay.
#[must_use]
pub fn sibling_of(path: &FilePath, size: u64) -> Option<FilePath> {
    let pays = (LEAST_BYTES..=MOST_BYTES).contains(&size) && TEXT.contains(&path.extension().as_str());
    pays.then(|| name(path.as_str()).parse().ok()).flatten()
}

/// The bytes of a sibling; nothing if they would not be fewer.
pub fn compress(bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), LEVEL);
    encoder.write_all(bytes)?;
    Ok(Some(encoder.finish()?).filter(|compressed| compressed.len() < bytes.len()))
}

/// What the sibling of a path would be called.
pub(crate) fn name(path: &str) -> String {
    format!("{path}{SUFFIX}")
}

/// The file that something of this name would be the sibling of.
pub(crate) fn source(path: &str) -> Option<&str> {
    path.strip_suffix(SUFFIX).filter(|source| !source.is_empty() && !source.ends_with('/'))
}

/// The folders on the way to a path that are named like siblings: one may lie where the folder belongs.
pub(crate) fn folders_named_so(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).filter(|folder| source(folder).is_some())
}

/// Whether a sibling decompresses to the file that it stands for. A reader that fails is an error; compressed data that is
/// damaged is not.
pub(crate) fn is_copy_of(sibling: impl Read, entry: &Entry) -> io::Result<bool> {
    // One byte too many is enough to know, however much a damaged file would unfold to.
    let mut bytes = GzDecoder::new(sibling).take(entry.size.saturating_add(1));
    match objects::hash(&mut bytes) {
        Ok(found) => Ok(found == (entry.content, entry.size)),
        Err(error) if error.raw_os_error().is_some() => Err(error),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::{ContentHash, Fingerprint};

    use super::*;

    #[test]
    fn text_that_is_worth_it_gets_a_sibling() {
        let sibling = |path: &str, size| sibling_of(&path.parse().unwrap(), size).map(String::from);
        assert_eq!(sibling("a/index.html", 5_000).as_deref(), Some("a/index.html.gz"));
        assert_eq!(sibling("FEED.XML", 5_000).as_deref(), Some("FEED.XML.gz"));
        assert_eq!(sibling("a/index.html", 1_000), None);
        assert_eq!(sibling("huge.json", 1 << 30), None);
        assert_eq!(sibling("photo.png", 5_000), None);
        assert_eq!(sibling("data.json.gz", 5_000), None);
    }

    #[test]
    fn a_sibling_is_known_by_what_it_unfolds_to() {
        let text = "text ".repeat(1_000).into_bytes();
        let entry = |text: &[u8]| Entry {
            content: ContentHash::of(text),
            size: text.len() as u64,
            fingerprint: Fingerprint::default(),
        };
        let compressed = compress(&text).unwrap().unwrap();
        assert!(is_copy_of(compressed.as_slice(), &entry(&text)).unwrap());
        assert!(!is_copy_of(compressed.as_slice(), &entry(&text[1..])).unwrap());
        assert!(!is_copy_of(compressed.as_slice(), &entry(b"")).unwrap());
        assert!(!is_copy_of(&compressed[..compressed.len() - 9], &entry(&text)).unwrap());
        assert!(!is_copy_of(b"".as_slice(), &entry(b"other")).unwrap());
        assert_eq!(compress(&compressed).unwrap(), None, "what is compressed does not become smaller");
    }

    #[test]
    fn names_lead_to_files_and_back() {
        assert_eq!(source(&name("a/b.html")), Some("a/b.html"));
        assert_eq!((source("a/b.html"), source(".gz"), source("a/.gz")), (None, None, None));
        assert_eq!(folders_named_so("a.gz/b/c.html.gz/d.gz").collect::<Vec<_>>(), ["a.gz", "a.gz/b/c.html.gz"]);
    }
}
