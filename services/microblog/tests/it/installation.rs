//! The commands that work on an installation: posts in and out, people, tokens, releases.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use microblog_domain::Fingerprint;
use microblog_release::{Checks, Options, Page, ReleaseStore};
use microblog_testkit::free_port;

use crate::{folder, microblog, stderr};

pub(crate) const SITE: [(&str, &str); 4] = [
    ("site/content/posts/hello.md", "---\ntitle: Hello\ndate: 2024-01-31\ntags: [rust]\nlayout: wide\n---\n\nText.\n"),
    ("site/content/about.md", "# About\n\nMe.\n"),
    ("site/content/posts/plan.md", "---\ntitle: Plan\ndraft: true\n---\n"),
    ("site/content/_data/config.yaml", "title: Field notes\n"),
];

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command that is to succeed.
pub(crate) fn succeed(folder: &Path, words: &[&str]) -> Output {
    let output = microblog(folder, words);
    assert!(output.status.success(), "{words:?}: {}", stderr(&output));
    output
}

fn add_user(folder: &Path, name: &str, password: &str) -> Output {
    tell(folder, &["user", "add", name, "--role", "owner", "--password-stdin"], password)
}

/// Runs a command that reads a password.
pub(crate) fn tell(folder: &Path, words: &[&str], password: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_microblog"));
    command.args(words).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn what_was_imported_is_exported_again() {
    let root = folder(&SITE);
    let output = succeed(root.path(), &["import", "site"]);
    assert!(stderr(&output).contains("3 posts imported, 0 were there already"), "{}", stderr(&output));
    succeed(root.path(), &["export", "copy"]);
    let read = |path: &str| fs::read_to_string(root.path().join("copy/content").join(path)).unwrap();
    assert!(read("posts/2024/01/hello.md").contains("layout: wide\n---\n\nText.\n"));
    assert!(read("about.md").starts_with("---\ntitle: About\n"));
    assert!(read("drafts/plan.md").contains("draft: true\n"));
    assert!(read("_data/config.yaml").contains("title: Field notes\n"));

    let words = ["import", "copy", "--json", "--set", "data.dir=other"];
    let again: serde_json::Value = serde_json::from_slice(&succeed(root.path(), &words).stdout).unwrap();
    assert_eq!((&again["imported"], &again["settings_imported"]), (&3.into(), &true.into()));
}

#[test]
fn old_addresses_of_imported_posts_are_found_and_exported() {
    let files = [
        ("site/content/release/one.md", "---\ntitle: One\ndate: 2024-01-31\n---\n\n[Two](/blog/release/two/)\n"),
        ("site/content/release/two.md", "---\ntitle: Two\ndate: 2024-02-01\n---\n"),
    ];
    let root = folder(&files);
    let notice = "Old addresses under /blog/release/ lead to the posts.";
    let output = succeed(root.path(), &["import", "site"]);
    assert!(stderr(&output).contains(notice), "{}", stderr(&output));
    fs::write(root.path().join("site/content/release/three.md"), "---\ntitle: Three\ndate: 2024-02-02\n---\n").unwrap();
    let output = succeed(root.path(), &["import", "site"]);
    assert!(stderr(&output).contains("1 posts imported, 2 were there already"), "{}", stderr(&output));
    succeed(root.path(), &["export", "copy"]);
    for (file, alias) in [("01/one", "one"), ("02/two", "two"), ("02/three", "three")] {
        let text = fs::read_to_string(root.path().join(format!("copy/content/posts/2024/{file}.md"))).unwrap();
        assert!(text.contains(&format!("/blog/release/{alias}/")), "{text}");
    }
}

#[test]
fn importing_twice_adds_nothing() {
    let root = folder(&SITE);
    succeed(root.path(), &["import", "site"]);
    let output = succeed(root.path(), &["import", "site"]);
    assert!(stderr(&output).contains("0 posts imported, 3 were there already"), "{}", stderr(&output));
}

#[test]
fn an_import_names_what_it_could_not_use() {
    let root = folder(&SITE);
    fs::write(root.path().join("site/content/posts/broken.md"), "---\ndate: soon\n---\n").unwrap();
    let output = microblog(root.path(), &["import", "site"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("content/posts/broken.md:2: date: \"soon\""), "{}", stderr(&output));
    assert!(stderr(&output).contains("3 posts imported"), "{}", stderr(&output));
}

#[test]
fn an_export_never_writes_over_anything() {
    let root = folder(&SITE);
    let output = microblog(root.path(), &["export", "site"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("site is not empty"), "{}", stderr(&output));
}

#[test]
fn people_are_added_and_listed() {
    let root = folder(&[]);
    let output = add_user(root.path(), "Jane", "correct horse battery\n");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&succeed(root.path(), &["user", "list"])), "Jane (owner)\n");
    for (name, password, reason) in [
        ("jane", "correct horse battery", "somebody has this name already"),
        ("John", "short", "the password must have at least"),
    ] {
        let output = add_user(root.path(), name, password);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

#[test]
fn a_forgotten_password_is_replaced() {
    let root = folder(&[]);
    add_user(root.path(), "Jane", "correct horse battery\n");
    let words = ["user", "password", "jane", "--password-stdin"];
    let output = tell(root.path(), &words, "another one to forget\n");
    assert!(output.status.success() && stderr(&output).contains("Jane has a new password"), "{}", stderr(&output));
    let output = tell(root.path(), &["user", "password", "John", "--password-stdin"], "another one to forget\n");
    assert!(stderr(&output).contains("nobody is called \"John\""), "{}", stderr(&output));
}

#[test]
fn looking_into_the_wrong_folder_makes_no_installation_there() {
    let root = folder(&[]);
    for words in [&["export", "copy"][..], &["user", "list"], &["token", "create", "--user", "Jane"]] {
        let output = microblog(root.path(), words);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("there is no database at"), "{}", stderr(&output));
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_token_is_printed_alone() {
    let root = folder(&[]);
    assert!(add_user(root.path(), "Jane", "correct horse battery").status.success());
    let token = stdout(&succeed(root.path(), &["token", "create", "--user", "Jane", "--scope", "read"]));
    assert!(token.starts_with("mb_") && token.lines().count() == 1, "{token}");
    let output = microblog(root.path(), &["token", "create", "--user", "Nobody"]);
    assert!(stderr(&output).contains("nobody is called \"Nobody\""), "{}", stderr(&output));
}

#[test]
fn a_new_installation_is_in_order() {
    let root = folder(&[]);
    assert!(stderr(&succeed(root.path(), &["migrate"])).contains("The database has schema"));
    let said = stderr(&succeed(root.path(), &["check"]));
    assert!(said.contains("queue: in the database") && said.contains("releases: none yet"), "{said}");
    let output = microblog(root.path(), &["releases", "list"]);
    assert!(stderr(&output).contains("there are no releases yet"), "{}", stderr(&output));
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_none() {
    let root = folder(&[("data/microblog.db", "this is a text, and longer than any header of a database would be")]);
    let output = microblog(root.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is not a SQLite database"), "{}", stderr(&output));
}

#[test]
fn a_broker_that_can_not_be_used_is_told_with_what_to_do() {
    let root = folder(&[]);
    let queue = format!("queue.url=amqp://blog:hunter2@127.0.0.1:{}/blog", free_port());
    let output = microblog(root.path(), &["check", "--set", &queue]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("queue: the broker can not be reached; check that it runs"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn wrong_settings_are_misuse() {
    let root = folder(&[]);
    let output = microblog(root.path(), &["check", "--set", "release.keep=none", "--set", "relase.keep=1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("2 mistakes in the settings"), "{}", stderr(&output));
}

/// Makes a release whose front page says this.
pub(crate) fn release(root: &Path, text: &str) {
    let mut store = ReleaseStore::open(&root.join("build"), Options::default()).unwrap();
    let draft = store.draft(Checks::new("https://example.org".parse().unwrap())).unwrap();
    let page = Page { bytes: text.as_bytes(), fingerprint: Fingerprint::of(text.as_bytes()), author_links: &[] };
    draft.put(&"index.html".parse().unwrap(), page).unwrap();
    draft.verify().unwrap().commit().unwrap();
}

#[test]
fn an_earlier_release_is_shown_again() {
    let root = folder(&[]);
    let page = |text: &str| format!("<!doctype html><html lang=\"en\"><title>{text}</title><p>{text}</html>");
    release(root.path(), &page("old"));
    release(root.path(), &page("new"));
    let live = || fs::read_to_string(root.path().join("build/current/index.html")).unwrap();
    assert_eq!(live(), page("new"));
    succeed(root.path(), &["releases", "activate", "1"]);
    assert_eq!(live(), page("old"));
    let list = stdout(&succeed(root.path(), &["releases", "list"]));
    assert!(list.lines().next().unwrap().ends_with("live") && list.lines().count() == 3, "{list}");
    let output = microblog(root.path(), &["releases", "activate", "9"]);
    assert!(stderr(&output).contains("release 9 is not kept"), "{}", stderr(&output));
    assert!(stderr(&succeed(root.path(), &["releases", "verify"])).contains(" 0 flaws"));
    succeed(root.path(), &["releases", "prune", "--keep", "1"]);
    assert_eq!(stdout(&succeed(root.path(), &["releases", "list"])).lines().count(), 1);
}

#[test]
fn two_installations_do_not_replace_each_others_site() {
    let root = folder(&[]);
    for data in ["ours", "theirs"] {
        succeed(root.path(), &["migrate", "--set", &format!("data.dir={data}")]);
    }
    release(root.path(), "<!doctype html><html lang=\"en\"><title>Ours</title><p>Ours</html>");
    succeed(root.path(), &["releases", "adopt", "--set", "data.dir=ours"]);
    let up =
        ["up", "--set", "data.dir=theirs", "--set", "server.listen=127.0.0.1:0", "--set", "site.listen=127.0.0.1:0"];
    for words in
        [&up[..], &["check", "--set", "data.dir=theirs"], &["releases", "activate", "1", "--set", "data.dir=theirs"]]
    {
        let output = microblog(root.path(), words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let said = stderr(&output);
        assert!(said.contains("build holds the releases of another installation"), "{said}");
        assert!(said.contains("`microblog releases adopt`"), "{said}");
    }
    assert!(fs::read_to_string(root.path().join("build/current/index.html")).unwrap().contains("Ours"));
    succeed(root.path(), &["check", "--set", "data.dir=ours"]);

    // Whose database is lost goes on with a new one.
    succeed(root.path(), &["releases", "adopt", "--set", "data.dir=theirs"]);
    succeed(root.path(), &["releases", "activate", "1", "--set", "data.dir=theirs"]);
    assert_eq!(microblog(root.path(), &["check", "--set", "data.dir=ours"]).status.code(), Some(1));
    let output = microblog(root.path(), &["releases", "adopt", "--set", "data.dir=nowhere"]);
    assert!(stderr(&output).contains("there is no database at"), "{}", stderr(&output));
}
