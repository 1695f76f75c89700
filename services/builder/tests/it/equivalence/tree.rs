//! What readers can get, and where it is not what it should be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

/// Every file with its bytes.
pub(super) type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// What `current` of a build folder leads to.
pub(super) fn tree_of(build: &Path) -> Tree {
    let mut files = Tree::new();
    let root = build.join("current");
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let item = item.unwrap();
            if item.file_type().unwrap().is_dir() {
                open.push(item.path());
            } else {
                let path = item.path();
                files.insert(path.strip_prefix(&root).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Says where two trees differ.
pub(super) fn same(wanted: &Tree, found: &Tree, when: &str) -> Result<(), TestCaseError> {
    let files = wanted.keys().chain(found.keys());
    let Some(file) = files.filter(|file| wanted.get(*file) != found.get(*file)).min() else { return Ok(()) };
    let text = |tree: &Tree| tree.get(file).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (wanted, found) = (text(wanted), text(found));
    Err(TestCaseError::fail(format!("{}, {when}:\nfound: {found:#?}\nwanted: {wanted:#?}", file.display())))
}
