//! Opening files: new, broken, in places where nothing can be opened.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use microblog_domain::DatabaseUrl;
use microblog_store::{PoolUse, Store, StoreError, migrate, newest_change, publishing};
use microblog_testkit::{DatabaseKind, TestDatabase, a_post};
use tempfile::TempDir;

use crate::scenario::Scenario;

fn folder() -> TempDir {
    TempDir::with_prefix("microblog-opening-").unwrap()
}

async fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(&DatabaseUrl::Sqlite(path.to_owned())).await
}

async fn message(path: &Path) -> String {
    open(path).await.unwrap_err().to_string()
}

#[tokio::test]
async fn what_is_missing_is_made_and_is_private() {
    let folder = folder();
    let path = folder.path().join("a b/50% #1?/microblog.db");
    let store = open(&path).await.unwrap();
    store.examine().await.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(migrate::schema(&mut tx).await.unwrap(), migrate::newest_schema());
}

/// Once where there is nothing yet, once where a schema is to be brought up to date.
#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_may_start_at_once() {
    let folder = folder();
    let path = folder.path().join("microblog.db");
    for _ in 0..2 {
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let path = path.clone();
            starts.spawn(async move {
                open(&path).await.unwrap().examine().await.unwrap();
            });
        }
        assert_eq!(starts.join_all().await.len(), 10);
        let mut tx = open(&path).await.unwrap().begin().await.unwrap();
        migrate::down(&mut tx, 1).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_something_else_is_named_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("microblog.db");
    let text = "Dear diary, ".repeat(1_000);
    std::fs::write(&path, &text).unwrap();
    let error = message(&path).await;
    assert!(error.contains("microblog.db is not a SQLite database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_that_was_overwritten_in_places_is_said_to_be_damaged() {
    let scenario = Scenario::on(DatabaseKind::Sqlite).await;
    let post = scenario.create(a_post().saying(&"text ".repeat(100_000)).published()).await.post.post;
    scenario.db.store().close().await;
    let mut bytes = std::fs::read(scenario.db.path()).unwrap();
    let second_page = 4_096;
    bytes[second_page..].fill(0xff);
    std::fs::write(scenario.db.path(), bytes).unwrap();
    let read = async {
        let store = Store::open(&scenario.db.url()).await?;
        microblog_store::posts::get(&mut *store.read().await?, post.id).await
    };
    let error = read.await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

#[tokio::test]
async fn a_place_where_nothing_can_be_opened_is_named_with_the_reason() {
    let folder = folder();
    let occupied = folder.path().join("occupied");
    std::fs::create_dir(&occupied).unwrap();
    assert!(message(&occupied).await.contains("occupied can not be opened: Is a directory"));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(message(&file.join("microblog.db")).await.contains("microblog.db can not be opened: "));
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_there_stays() {
    let scenario = Scenario::on(DatabaseKind::Sqlite).await;
    let kept = scenario.create(a_post().published()).await.post.post;
    let store = scenario.db.store();
    let mut tx = store.begin().await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *tx).await.unwrap();
    let big = a_post().saying(&"text ".repeat(1_000_000)).build();
    let full = publishing::create(&mut tx, big, &scenario.origin()).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1000000").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(scenario.read(kept.id).await.post, kept);
    scenario.create(a_post().titled("Room again").published()).await;
}

/// A statement that changes one row has nothing to go back to but the beginning of its transaction.
#[tokio::test]
async fn a_transaction_that_a_full_disk_has_undone_keeps_nobody_from_writing() {
    let db = TestDatabase::new().await;
    let mut tx = db.store().begin().await.unwrap();
    sqlx::query("CREATE TABLE ballast (bytes BLOB)").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.store().begin().await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *tx).await.unwrap();
    let full = sqlx::query("INSERT INTO ballast VALUES (zeroblob(1000000))").execute(&mut *tx).await;
    assert!(matches!(full.map_err(StoreError::from), Err(StoreError::DiskFull)));
    drop(tx);
    db.store().begin().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn connections_are_counted_and_closing_leaves_one_file() {
    let db = TestDatabase::new().await;
    let store = db.store();
    let reader = store.read().await.unwrap();
    let in_use: Vec<_> = store.pools_in_use().map(|PoolUse { pool, used, max, .. }| (pool, used, max)).collect();
    assert_eq!(in_use, [("write", 0, 1), ("read", 1, 4)]);
    assert_eq!(newest_change(&mut store.read().await.unwrap()).await.unwrap().0, 0);
    drop(reader);
    store.close().await;
    assert!(matches!(store.read().await, Err(StoreError::Unavailable(_))));
    let files: Vec<_> = std::fs::read_dir(db.path().parent().unwrap()).unwrap().collect();
    assert_eq!(files.len(), 1, "the log is folded into the database");
}
