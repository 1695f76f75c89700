//! The same commands on a database server: they do there what they do on a file, and make none.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use microblog_store::{Store, builds};
use microblog_testkit::{PostgresServer, free_port};

use crate::installation::{SITE, release, stdout, succeed, tell};
use crate::{folder, microblog, stderr};

/// It knows "guarded", whose password is "right".
static SERVER: LazyLock<PostgresServer> = LazyLock::new(|| {
    let server = PostgresServer::start();
    block_on(async {
        server.wait_until_ready().await;
        server.administer("CREATE USER guarded PASSWORD 'right'").await;
    });
    server
});
static DATABASES: AtomicU32 = AtomicU32::new(0);

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The setting that names a new, empty database.
fn empty_database() -> String {
    let name = format!("blog_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    block_on(SERVER.new_database(&name));
    format!("database.url={}", SERVER.url().with_database(&name).reveal())
}

/// The words of a command, on this database.
fn on<'a>(database: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    words.iter().copied().chain(["--set", database]).collect()
}

fn done(root: &Path, database: &str, words: &[&str]) -> Output {
    succeed(root, &on(database, words))
}

#[test]
fn a_database_is_brought_up_to_date_checked_filled_and_read_again() {
    let (root, database) = (folder(&SITE), empty_database());
    for _ in ["a check makes nothing", "so the next one finds nothing"] {
        assert!(stderr(&done(root.path(), &database, &["check"])).contains("database: empty"));
    }
    let schema = stderr(&done(root.path(), &database, &["migrate"]));
    assert!(schema.contains("The database has schema"), "{schema}");
    assert_eq!(stderr(&done(root.path(), &database, &["migrate"])), schema);
    assert!(stderr(&done(root.path(), &database, &["check"])).contains("database: schema"));

    let imported = stderr(&done(root.path(), &database, &["import", "site"]));
    assert!(imported.contains("3 posts imported, 0 were there already"), "{imported}");
    let again = stderr(&done(root.path(), &database, &["import", "site"]));
    assert!(again.contains("0 posts imported, 3 were there already"), "{again}");
    done(root.path(), &database, &["export", "copy"]);
    let read = |path: &str| fs::read_to_string(root.path().join("copy/content").join(path)).unwrap();
    assert!(read("posts/2024/01/hello.md").contains("layout: wide\n---\n\nText.\n"));
    assert!(read("_data/config.yaml").contains("title: Field notes\n"));
    assert!(!root.path().join("data/microblog.db").exists(), "a file was made beside the server");
}

#[test]
fn people_have_passwords_and_tokens() {
    let (root, database) = (folder(&[]), empty_database());
    let add = on(&database, &["user", "add", "Jane", "--role", "owner", "--password-stdin"]);
    let output = tell(root.path(), &add, "correct horse battery\n");
    assert!(output.status.success(), "{}", stderr(&output));
    let again = tell(root.path(), &add, "correct horse battery\n");
    assert!(stderr(&again).contains("somebody has this name already"), "{}", stderr(&again));
    assert_eq!(stdout(&done(root.path(), &database, &["user", "list"])), "Jane (owner)\n");
    let change = on(&database, &["user", "password", "jane", "--password-stdin"]);
    assert!(stderr(&tell(root.path(), &change, "another one to forget\n")).contains("Jane has a new password"));
    assert!(stdout(&done(root.path(), &database, &["token", "create", "--user", "Jane"])).starts_with("mb_"));
}

#[test]
fn an_earlier_release_is_shown_again() {
    let (root, database) = (folder(&[]), empty_database());
    let page = |text: &str| format!("<!doctype html><html lang=\"en\"><title>{text}</title><p>{text}</html>");
    release(root.path(), &page("old"));
    release(root.path(), &page("new"));
    done(root.path(), &database, &["releases", "activate", "1"]);
    assert_eq!(fs::read_to_string(root.path().join("build/current/index.html")).unwrap(), page("old"));
    assert_eq!(stdout(&done(root.path(), &database, &["releases", "list"])).lines().count(), 3);
    let elsewhere = empty_database();
    done(root.path(), &database, &["releases", "adopt"]);
    let refused = microblog(root.path(), &on(&elsewhere, &["releases", "activate", "2"]));
    assert!(stderr(&refused).contains("build holds the releases of another installation"), "{}", stderr(&refused));
    assert!(stderr(&done(root.path(), &database, &["check"])).contains("releases: 3 is live"));
}

/// The builder may be in the middle of a build that it began before the pin.
#[test]
fn a_builder_hears_that_the_site_is_held_at_an_earlier_release() {
    let (root, database) = (folder(&[]), empty_database());
    let page = |text: &str| format!("<!doctype html><html lang=\"en\"><title>{text}</title><p>{text}</html>");
    release(root.path(), &page("old"));
    release(root.path(), &page("new"));
    done(root.path(), &database, &["releases", "activate", "1"]);
    let url = database.strip_prefix("database.url=").unwrap().parse().unwrap();
    let counts = block_on(async {
        let store = Store::open(&url).await.unwrap();
        builds::counts(&mut store.read().await.unwrap()).await.unwrap()
    });
    assert_eq!(counts.waiting, 1);
}

#[test]
fn whatever_keeps_the_server_from_being_used_is_said_by_every_command_with_what_to_do() {
    let root = folder(&SITE);
    let (port, closed) = (SERVER.port(), free_port());
    for (address, reason, what_to_do) in [
        (format!("guarded:hunter2@127.0.0.1:{port}/postgres"), "refuses the log-in", "check user and password"),
        (format!("microblog:hunter2@127.0.0.1:{port}/none"), "database \"none\" does not exist", "CREATE DATABASE"),
        (format!("a:hunter2@127.0.0.1:{closed}/b"), "refused", "check that it runs, and database.url"),
    ] {
        let database = format!("database.url=postgres://{address}");
        for words in [
            &["migrate"][..],
            &["check"],
            &["import", "site"],
            &["export", "copy"],
            &["user", "list"],
            &["token", "create", "--user", "Jane"],
        ] {
            let output = microblog(root.path(), &on(&database, words));
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains(reason) && said.contains(what_to_do), "{words:?}: {said}");
            assert!(!said.contains("hunter2"), "{words:?}: {said}");
        }
    }
    assert!(!root.path().join("copy").exists() && !root.path().join("data").exists(), "something was made");
}

#[test]
fn an_address_that_is_none_is_misuse() {
    let root = folder(&[]);
    for url in ["postgres://", "mysql://127.0.0.1/blog", "postgres://127.0.0.1:port/blog"] {
        let output = microblog(root.path(), &["migrate", "--set", &format!("database.url={url}")]);
        assert_eq!(output.status.code(), Some(2), "{url}: {}", stderr(&output));
        assert!(stderr(&output).contains("database.url"), "{url}: {}", stderr(&output));
    }
}
