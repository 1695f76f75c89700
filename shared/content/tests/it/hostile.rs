//! Broken and malicious folders: each fault is named, and the other files go on.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use microblog_content::{ContentFolder, MAX_FILE_BYTES, OpenError};
use tempfile::TempDir;

use crate::{open, read};

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn good() -> (&'static str, &'static [u8]) {
    ("good.md", b"---\ndate: 2024-01-31\n---\nGood.\n")
}

/// All problems of a folder in which `good.md` must still be read.
fn problems(path: &Path) -> Vec<String> {
    let folder = open(path);
    let mut problems: Vec<String> = folder.problems().iter().map(ToString::to_string).collect();
    let posts = read(&folder);
    assert!(posts.iter().flatten().any(|post| post.content.markdown == "Good."));
    problems.extend(posts.into_iter().filter_map(Result::err).map(|problem| problem.to_string()));
    problems
}

#[test]
fn broken_files_are_named_and_the_others_go_on() {
    let folder = folder(&[
        good(),
        ("bytes.md", b"---\ntitle: x\n---\n\xff\xfe"),
        ("date.md", b"---\ntitle: x\ndate: yesterday\n---\n"),
        ("open.md", b"---\ntitle: x\n\nText"),
        ("yaml.md", b"---\ntitle: [\n---\n"),
    ]);
    let found = problems(folder.path());
    for (problem, expected) in found.iter().zip([
        "bytes.md: is not UTF-8: the byte at offset 17 is no part of a character. Save the file as UTF-8",
        "date.md:3: date: \"yesterday\" is not a date",
        "open.md:1: the front matter has no end",
        "yaml.md:2: the front matter is not valid YAML",
    ]) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_huge_file_is_refused_without_reading_it() {
    let folder = folder(&[good()]);
    let huge = fs::File::create(folder.path().join("huge.md")).unwrap();
    huge.set_len(50 * 1024 * 1024).unwrap();
    let expected = format!("huge.md: has 52428800 bytes; a post may have {MAX_FILE_BYTES}.");
    assert!(problems(folder.path())[0].starts_with(&expected));
}

#[test]
fn links_neither_loop_nor_lead_outside() {
    let secret = folder(&[("secret.md", b"---\ndate: 2024-01-31\n---\nSecret.\n"), ("key.png", b"key")]);
    let folder = folder(&[good(), ("deep/er/x.md", b"---\ndate: 2024-01-31\n---\n")]);
    symlink("../..", folder.path().join("deep/er/loop")).unwrap();
    symlink(secret.path(), folder.path().join("outside")).unwrap();
    symlink(secret.path().join("key.png"), folder.path().join("key.png")).unwrap();
    symlink("nowhere.md", folder.path().join("broken.md")).unwrap();
    symlink("deep/er", folder.path().join("inside")).unwrap();
    let found = problems(folder.path()).join("\n");
    for expected in [
        "broken.md: can not be read: No such file",
        "deep/er/loop: is a link that leads back to",
        "key.png: is a link that leads out of the content folder",
        "outside: is a link that leads out of the content folder",
    ] {
        assert!(found.contains(expected), "{expected} in {found}");
    }
    let paths: Vec<_> = read(&open(folder.path())).into_iter().flatten().map(|post| post.path).collect();
    assert_eq!(paths, ["deep/er/x.md", "good.md", "inside/x.md"].map(Into::<std::path::PathBuf>::into));
    assert!(open(folder.path()).static_files().is_empty());
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = folder(&[good()]);
    let _socket = UnixListener::bind(folder.path().join("socket.md")).unwrap();
    assert_eq!(problems(folder.path()), ["socket.md: is not a regular file"]);
}

#[test]
fn names_that_can_not_be_addresses_are_named() {
    let folder = folder(&[good(), ("static/a\\b.png", b""), ("images/new\nline.png", b"")]);
    let found = problems(folder.path());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|problem| problem.contains("can not be published under this name")), "{found:?}");
}

#[test]
fn two_files_for_one_place_are_named_both() {
    let folder = folder(&[good(), ("content/images/a.png", b"1"), ("static/images/a.png", b"2")]);
    fs::rename(folder.path().join("good.md"), folder.path().join("content/good.md")).unwrap();
    let found = problems(folder.path());
    assert_eq!(
        found,
        ["content/images/a.png: has the same place in the site as static/images/a.png; rename one of them"]
    );
}

#[test]
fn hidden_files_and_built_sites_are_never_published() {
    let folder = folder(&[
        good(),
        ("static/.env", b"PASSWORD=x"),
        ("static/.git/config", b"x"),
        ("static/.well-known/a", b"x"),
        (".obsidian/note.md", b"x"),
        (".hidden.png", b"x"),
        ("public/.microblog-site", b"a site that was built here"),
        ("public/photo.png", b"x"),
    ]);
    let folder = open(folder.path());
    let files: Vec<_> = folder.static_files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!((files, folder.post_count()), (vec![".well-known/a"], 1));
}

#[test]
fn a_text_that_changed_meanwhile_is_not_used() {
    let folder = folder(&[good()]);
    let opened = open(folder.path());
    let post = read(&opened).remove(0).unwrap();
    let again = || opened.read_text(&post.path, &post.text);
    assert_eq!(again().unwrap(), post.content.markdown);
    let file = folder.path().join("good.md");
    let same_length = fs::read_to_string(&file).unwrap().replace('e', "a");
    fs::write(&file, same_length).unwrap();
    assert!(again().unwrap_err().to_string().contains("was changed while it was being used"));
    fs::write(&file, "é").unwrap();
    assert!(again().is_err());
}

#[test]
fn a_missing_folder_says_what_to_check() {
    let error = ContentFolder::open(Path::new("/nonexistent/site")).unwrap_err().to_string();
    assert!(error.starts_with("the content folder /nonexistent/site can not be opened: No such file"), "{error}");
    let folder = folder(&[good()]);
    assert!(matches!(ContentFolder::open(&folder.path().join("good.md")), Err(OpenError::Folder { .. })));
}

#[test]
fn mistakes_in_our_own_settings_are_named() {
    for (text, expected) in [
        ("titel: x\n", "unknown field `titel`"),
        ("title: x\nbase_url: example.org\n", "is not the address of a site"),
        ("posts_per_page: 0\nlanguage: ???\n", "posts_per_page: a number from 1 to 100; language: "),
        ("title: [\n", ""),
    ] {
        let folder = folder(&[good(), ("_data/config.yaml", text.as_bytes())]);
        let error = ContentFolder::open(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with("_data/config.yaml:") && error.contains(expected), "{error}");
    }
    let empty = folder(&[good(), ("_data/config.yaml", b"# nothing yet\n")]);
    assert_eq!(open(empty.path()).settings(), Some(&microblog_domain::SiteSettings::default()));
}
