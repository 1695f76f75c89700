//! `microblog build`: a folder in, a site out.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::{folder, microblog, stderr};

const HELLO: (&str, &str) = ("content/posts/2024-01-31-hello.md", "---\ntitle: Hello\ntags: [rust]\n---\n\nText.\n");
const BROKEN: (&str, &str) = ("content/posts/broken.md", "---\ntitle: x\ndate: soon\n---\n");
const DRAFT: (&str, &str) = ("content/posts/draft.md", "---\ntitle: Secret plan\ndraft: true\n---\n");

const BUILD: [&str; 5] = ["build", "--content", ".", "--output", "public"];

/// All files of a built site, but for the one by which builds recognise it.
fn site(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".microblog-site") {
                files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn page(root: &Path, path: &str) -> String {
    let path = root.join("public").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_folder_becomes_a_site() {
    let root = folder(&[
        HELLO,
        DRAFT,
        ("content/trip/index.md", "---\ntitle: Trip\ndate: 2024-02-01\n---\n\n![Photo](photo.png)\n"),
        ("content/trip/photo.png", "picture"),
        ("content/images/logo.png", "logo"),
        ("static/robots.txt", "User-agent: *\nDisallow: /\n"),
        ("content/_data/config.yaml", "title: Field notes\nbase_url: https://notes.example\n"),
    ]);
    let output = microblog(root.path(), &BUILD);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    assert!(page(root.path(), "2024/01/hello/index.html").contains("Text."));
    assert!(page(root.path(), "index.html").contains("Field notes"));
    assert!(page(root.path(), "feed.xml").contains("https://notes.example/2024/01/hello/"));
    assert_eq!(page(root.path(), "2024/02/trip/photo.png"), "picture");
    assert_eq!(page(root.path(), "images/logo.png"), "logo");
    assert_eq!(page(root.path(), "robots.txt"), "User-agent: *\nDisallow: /\n");
    assert!(!page(root.path(), "index.html").contains("Secret plan"));
    assert!(stderr(&output).contains("from 2 posts and 3 other files"), "{}", stderr(&output));
}

#[test]
fn texts_get_compressed_copies_when_asked_for() {
    let own = "User-agent: *\n".repeat(200);
    let root = folder(&[
        HELLO,
        ("static/robots.txt", &own),
        ("static/data.json", &format!("[{}1]", "1, ".repeat(900))),
        ("static/data.json.gz", "made by hand"),
    ]);
    let output = microblog(root.path(), &[&BUILD[..], &["--compress", "--json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let site = site(&root.path().join("public"));
    let compressed: Vec<&PathBuf> =
        site.keys().filter(|path| path.extension().is_some_and(|end| end == "gz")).collect();
    for copy in &compressed {
        let source = &site[&copy.with_extension("")];
        if copy.ends_with("data.json.gz") {
            assert_eq!(site[*copy], b"made by hand");
            continue;
        }
        let mut unfolded = Vec::new();
        flate2::read::GzDecoder::new(site[*copy].as_slice()).read_to_end(&mut unfolded).unwrap();
        assert!(&unfolded == source && source.len() >= 1_024, "{}", copy.display());
    }
    for expected in ["index.html.gz", "2024/01/hello/index.html.gz", "robots.txt.gz"] {
        assert!(compressed.iter().any(|copy| copy.ends_with(expected)), "{expected}");
    }
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["compressed"], compressed.len() - 1);
    assert!(microblog(root.path(), &BUILD).status.success());
    assert!(!root.path().join("public/index.html.gz").exists(), "only when asked for");
}

#[test]
fn drafts_are_shown_when_asked_for() {
    let root = folder(&[HELLO, DRAFT]);
    let output = microblog(root.path(), &[&BUILD[..], &["--drafts"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(page(root.path(), "index.html").contains("Secret plan"));
}

#[test]
fn posts_answer_where_they_call_each_other() {
    let root = folder(&[
        ("content/release/2024-01-31-one.md", "---\ntitle: One\n---\n\n[Two](/blog/release/two) came next.\n"),
        ("content/release/two.md", "---\ntitle: Two\ndate: 2024-02-01\naliases: [/second/]\n---\n"),
        ("content/about.md", "# About\n"),
    ]);
    let output = microblog(root.path(), &BUILD);
    assert!(stderr(&output).starts_with("Old addresses under /blog/ lead to the posts."), "{}", stderr(&output));
    for (old, new) in [
        ("blog/release/one", "/2024/01/one/"),
        ("blog/release/two", "/2024/02/two/"),
        ("second", "/2024/02/two/"),
        ("blog/about", "/about/"),
    ] {
        assert!(page(root.path(), &format!("{old}/index.html")).contains(new), "{old}");
    }
}

#[test]
fn the_sitemap_says_nothing_of_changes_that_nobody_knows() {
    let root = folder(&[HELLO, ("content/about.md", "# About\n")]);
    assert!(microblog(root.path(), &BUILD).status.success());
    let sitemap = page(root.path(), "sitemaps/pages.xml");
    assert!(sitemap.contains("/about/</loc></url>"), "{sitemap}");
    assert!(!page(root.path(), "about/index.html").contains("1970"));
}

#[test]
fn the_same_folder_gives_the_same_bytes_on_one_thread_and_many() {
    let root = folder(&[HELLO, ("content/posts/2024-02-01-note.md", "A note.\n")]);
    for (jobs, output) in [("1", "one"), ("8", "many")] {
        let words = ["build", "--content", "content", "--output", output, "--jobs", jobs];
        assert!(microblog(root.path(), &words).status.success());
    }
    assert_eq!(site(&root.path().join("one")), site(&root.path().join("many")));
}

#[test]
fn a_broken_file_is_named_and_the_others_go_on() {
    let root = folder(&[HELLO, BROKEN]);
    let output = microblog(root.path(), &BUILD);
    assert!(output.status.success());
    let expected = "content/posts/broken.md:3: date: \"soon\" is not a date";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    assert!(page(root.path(), "index.html").contains("Hello"));
}

#[test]
fn a_strict_build_with_problems_fails_and_changes_nothing() {
    let root = folder(&[HELLO]);
    assert!(microblog(root.path(), &BUILD).status.success());
    let before = site(&root.path().join("public"));
    fs::write(root.path().join(BROKEN.0), BROKEN.1).unwrap();
    let output = microblog(root.path(), &[&BUILD[..], &["--strict"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("public is left as it was"), "{}", stderr(&output));
    assert_eq!(site(&root.path().join("public")), before);
}

#[test]
fn two_posts_with_one_address_are_named_both() {
    let root = folder(&[HELLO, ("content/posts/2024-01-30-again.md", "---\ntitle: Again\nslug: hello\n---\n")]);
    let output = microblog(root.path(), &BUILD);
    let problems = stderr(&output);
    assert!(
        problems.contains("2024-01-31-hello.md: can not") && problems.contains("2024-01-30-again.md has it"),
        "{problems}"
    );
}

#[test]
fn a_second_build_replaces_the_first_as_a_whole() {
    let root = folder(&[HELLO, ("content/posts/2024-02-01-gone.md", "---\ntitle: Gone\n---\n")]);
    assert!(microblog(root.path(), &BUILD).status.success());
    let first = fs::metadata(root.path().join("public")).unwrap();
    fs::remove_file(root.path().join("content/posts/2024-02-01-gone.md")).unwrap();
    let output = microblog(root.path(), &BUILD);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!root.path().join("public/2024/02").exists());
    assert_ne!(fs::metadata(root.path().join("public")).unwrap().ino(), first.ino());
    let mut left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["content", "public"]);
}

#[test]
fn nobodys_files_are_thrown_away() {
    let root = folder(&[HELLO, ("public/thesis.txt", "years of work")]);
    for output in ["public", ".", "content"] {
        let result = microblog(root.path(), &["build", "--content", ".", "--output", output]);
        assert_eq!(result.status.code(), Some(1));
        assert!(stderr(&result).contains("holds files that neither a build nor a copy made"), "{}", stderr(&result));
    }
    assert_eq!(page(root.path(), "thesis.txt"), "years of work");
    assert!(root.path().join(HELLO.0).exists());
}

#[test]
fn an_output_that_is_a_link_to_nothing_is_refused_at_once() {
    let root = folder(&[HELLO]);
    std::os::unix::fs::symlink("gone", root.path().join("public")).unwrap();
    let result = microblog(root.path(), &BUILD);
    assert_eq!(result.status.code(), Some(1));
    assert!(stderr(&result).contains("public: it is a link that leads to nothing; remove it"), "{}", stderr(&result));
    fs::create_dir(root.path().join("gone")).unwrap();
    assert!(microblog(root.path(), &BUILD).status.success());
}

#[test]
fn a_content_folder_that_is_missing_is_named_with_the_reason_once() {
    let root = folder(&[]);
    let result = microblog(root.path(), &["build", "--content", "nowhere", "--output", "public"]);
    assert_eq!(result.status.code(), Some(1));
    assert_eq!(stderr(&result).matches("No such file").count(), 1, "{}", stderr(&result));
}

#[test]
fn what_was_put_into_a_site_later_is_not_lost_with_it() {
    let root = folder(&[HELLO]);
    assert!(microblog(root.path(), &BUILD).status.success());
    fs::rename(root.path().join("content"), root.path().join("public/content")).unwrap();
    fs::create_dir_all(root.path().join("public/theme/templates")).unwrap();
    let swallowed = "lies in the output folder";
    let elsewhere = folder(&[HELLO]);
    let elsewhere = elsewhere.path().to_str().unwrap();
    for words in [["--content", "public/content", "--jobs", "1"], ["--content", elsewhere, "--theme", "public/theme"]] {
        let result = microblog(root.path(), &[&["build", "--output", "public"], &words[..]].concat());
        assert_eq!(result.status.code(), Some(1));
        assert!(stderr(&result).contains(swallowed), "{}", stderr(&result));
    }
    fs::create_dir(root.path().join("public/.git")).unwrap();
    let result = microblog(root.path(), &["build", "--content", elsewhere, "--output", "public"]);
    assert!(stderr(&result).contains("Git repository"), "{}", stderr(&result));
    assert!(root.path().join("public").join(HELLO.0).exists());
}

#[test]
fn a_failed_build_leaves_the_site_as_it_was() {
    let root = folder(&[HELLO]);
    assert!(microblog(root.path(), &BUILD).status.success());
    let before = site(&root.path().join("public"));
    let theme = folder(&[("templates/post.html", "line one\n{% if %}\n")]);
    let theme_path = theme.path().to_str().unwrap();
    let output = microblog(root.path(), &[&BUILD[..], &["--theme", theme_path]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("templates/post.html:2:"), "{}", stderr(&output));
    assert_eq!(site(&root.path().join("public")), before);
}

#[test]
fn what_is_missing_or_unknown_is_said() {
    let root = folder(&[HELLO, ("site/_data/config.yaml", "titel: x\n")]);
    for (content, expected) in [
        ("nowhere", "error: the content folder nowhere can not be opened"),
        ("site", "error: _data/config.yaml:1: unknown field `titel`"),
    ] {
        let output = microblog(root.path(), &["build", "--content", content, "--output", "public"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    }
    assert!(!root.path().join("public").exists());
}

#[test]
fn misuse_ends_with_2() {
    let root = folder(&[]);
    for words in [
        &["build"][..],
        &["bild"],
        &["build", "--content", ".", "--output", "x", "--base-url", "example.org"],
        &["build", "--content", ".", "--output", "x", "--jobs", "0"],
    ] {
        assert_eq!(microblog(root.path(), words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn scripts_get_json_and_nothing_else() {
    let root = folder(&[HELLO, BROKEN]);
    let output = microblog(root.path(), &[&BUILD[..], &["--json"]].concat());
    assert_eq!(stderr(&output), "");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["posts"], &summary["outcome"]), (&1.into(), &"built".into()));
    assert_eq!(summary["problems"][0]["path"], "content/posts/broken.md");
    assert_eq!(summary["problems"][0]["line"], 3);
}

/// Builds until a build has nothing to do. Files that were changed only just now are never taken for unchanged.
fn settle(root: &Path) {
    settle_with(root, &BUILD);
}

fn settle_with(root: &Path, words: &[&str]) {
    let is_settled = || stderr(&microblog(root, words)).contains("Nothing has changed");
    assert!((0..100).any(|_| is_settled()), "builds of the same files never come to rest: {words:?}");
}

/// Which folder the site is now: every build that does something makes a new one.
fn made(root: &Path) -> u64 {
    fs::metadata(root.join("public/index.html")).unwrap().ino()
}

#[test]
fn a_build_with_nothing_to_do_leaves_the_site_alone() {
    let root = folder(&[HELLO, ("content/static/a.txt", "a"), ("content/images/b.png", "b")]);
    let absolute = root.path().join("content");
    for content in [absolute.to_str().unwrap(), "content", "."] {
        settle_with(root.path(), &["build", "--content", content, "--output", "public"]);
    }
    let before = made(root.path());
    let output = microblog(root.path(), &[&BUILD[..], &["--json"]].concat());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["outcome"], &summary["posts"]), (&"unchanged".into(), &1.into()));
    assert_eq!(made(root.path()), before);
    let mut left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["content", "public"]);
}

#[test]
fn whatever_changed_is_built() {
    type Change = (&'static str, fn(&Path), &'static [&'static str]);
    let changes: [Change; 10] = [
        ("a post", |root| fs::write(root.join(HELLO.0), HELLO.1.replace("Text", "Word")).unwrap(), &[]),
        ("a new post", |root| fs::write(root.join("content/posts/2024-02-01-new.md"), "New.").unwrap(), &[]),
        ("a post that went", |root| fs::remove_file(root.join("content/posts/2024-02-01-new.md")).unwrap(), &[]),
        ("settings", |root| fs::write(root.join("content/_data/config.yaml"), "title: Other\n").unwrap(), &[]),
        ("a picture", |root| fs::write(root.join("content/images/a.png"), "other").unwrap(), &[]),
        ("the command line", |_| (), &["--base-url", "https://example.net"]),
        ("drafts", |_| (), &["--drafts"]),
        ("a page that somebody edited", |root| fs::write(root.join("public/index.html"), "mine").unwrap(), &[]),
        ("a page that somebody removed", |root| fs::remove_file(root.join("public/2024/01/index.html")).unwrap(), &[]),
        ("a file that somebody added", |root| fs::write(root.join("public/tags/mine.html"), "mine").unwrap(), &[]),
    ];
    let root = folder(&[HELLO, ("content/_data/config.yaml", "title: Mine\n"), ("content/images/a.png", "picture")]);
    for (what, change, arguments) in changes {
        fs::create_dir_all(root.path().join("public")).unwrap();
        settle(root.path());
        change(root.path());
        let output = microblog(root.path(), &[&BUILD[..], arguments].concat());
        assert!(output.status.success() && !stderr(&output).contains("Nothing"), "{what}: {}", stderr(&output));
        assert!(!page(root.path(), "index.html").contains("mine"), "{what}");
        assert!(!root.path().join("public/tags/mine.html").exists(), "{what}");
        assert!(root.path().join("public/2024/01/index.html").exists(), "{what}");
    }
}

#[test]
fn problems_are_told_at_every_build() {
    let root = folder(&[HELLO, BROKEN]);
    settle(root.path());
    let said = stderr(&microblog(root.path(), &BUILD));
    assert!(said.contains("broken.md:3: ") && said.contains("Nothing has changed"), "{said}");
    let strict = microblog(root.path(), &[&BUILD[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(1));
    let marker = fs::read_to_string(root.path().join("public/.microblog-site")).unwrap();
    assert!(!marker.contains("broken"), "readers could see it: {marker}");
}

#[test]
fn builds_with_other_pictures_or_without_a_place_for_notes_are_whole() {
    let root = folder(&[HELLO]);
    settle(root.path());
    let output = microblog(root.path(), &[&BUILD[..], &["--no-images"]].concat());
    assert!(!stderr(&output).contains("Nothing"), "{}", stderr(&output));
    settle(root.path());
    let output = microblog(root.path(), &[&BUILD[..], &["--cache", "elsewhere"]].concat());
    assert!(!stderr(&output).contains("Nothing"), "{}", stderr(&output));
}

#[test]
fn a_scheduled_post_ends_the_rest_of_unchanged_files() {
    let root = folder(&[HELLO, ("content/posts/later.md", "---\ntitle: Later\ndate: 2999-01-01\n---\n")]);
    settle_with(root.path(), &[&BUILD[..], &["--cache", "cache"]].concat());
    let records: Vec<_> = fs::read_dir(root.path().join("cache/builds-1")).unwrap().map(Result::unwrap).collect();
    let [record] = &records[..] else { panic!("{records:?}") };
    let text = fs::read_to_string(record.path()).unwrap();
    assert!(text.contains("\"until\":\"2999-01-01T00:00:00Z\""), "{text}");
    fs::write(record.path(), text.replace("2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z")).unwrap();
    let output = microblog(root.path(), &[&BUILD[..], &["--cache", "cache"]].concat());
    assert!(!stderr(&output).contains("Nothing"), "its time has come: {}", stderr(&output));
}
