//! Real posts, if `MICROBLOG_TEST_CORPUS` names a folder with some: each is read, or refused with a reason.

use std::path::PathBuf;

use microblog_content::{parse, write_post};

use crate::{open, read, reading};

/// The folder to read: the fixtures unless the environment names a larger one.
#[expect(clippy::disallowed_methods, reason = "tests have no settings file")]
fn corpus() -> PathBuf {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hugo");
    std::env::var("MICROBLOG_TEST_CORPUS").unwrap_or_else(|_| fixtures.to_owned()).into()
}

#[test]
fn real_posts_are_read_and_survive_export() {
    let folder = open(&corpus());
    let posts = read(&folder);
    assert!(!posts.is_empty());
    for post in posts {
        let post = post.unwrap_or_else(|problem| panic!("{problem}"));
        let file = write_post(&post.clone().into_post());
        let again = parse(&file, &post.path, &reading()).unwrap_or_else(|problem| panic!("{problem}:\n{file}"));
        assert_eq!(again.content, post.content, "{}", post.path.display());
    }
}
