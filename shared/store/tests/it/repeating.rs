//! Transactions that the server has undone, and that are done again as a whole.

use std::sync::atomic::{AtomicU32, Ordering};

use microblog_domain::DatabaseUrl;
use microblog_store::{Store, StoreError, Transaction, repeat};
use microblog_testkit::{PostgresServer, TestDatabase};
use tokio::sync::Barrier;

async fn add(tx: &mut Transaction, counter: &'static str) -> Result<(), StoreError> {
    sqlx::query("UPDATE counters SET value = value + 1 WHERE name = $1").bind(counter).execute(&mut **tx).await?;
    Ok(())
}

async fn counted(store: &Store, counter: &'static str) -> i64 {
    let mut conn = store.read().await.unwrap();
    let row = sqlx::query("SELECT value FROM counters WHERE name = $1").bind(counter).fetch_one(&mut *conn).await;
    sqlx::Row::get(&row.unwrap(), "value")
}

/// Adds to the one, waits until the other transaction has added to the other one, and goes on with that.
async fn add_crosswise(store: &Store, first: &'static str, second: &'static str, meet: &Barrier, tries: &AtomicU32) {
    let add_both = async || {
        let mut tx = store.begin().await?;
        add(&mut tx, first).await?;
        if tries.fetch_add(1, Ordering::Relaxed) < 2 {
            meet.wait().await;
        }
        add(&mut tx, second).await?;
        tx.commit().await
    };
    repeat(add_both, StoreError::is_undone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_wait_for_each_other_both_get_through() {
    let db = TestDatabase::postgres().await;
    let (meet, tries) = (Barrier::new(2), AtomicU32::new(0));
    tokio::join!(
        add_crosswise(db.store(), "audit", "outbox", &meet, &tries),
        add_crosswise(db.store(), "outbox", "audit", &meet, &tries),
    );
    assert_eq!(tries.load(Ordering::Relaxed), 3, "one of them was undone");
    assert_eq!((counted(db.store(), "audit").await, counted(db.store(), "outbox").await), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_the_connection_in_the_middle_gets_through_and_before_the_end_is_told_that_nobody_knows() {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    let store = Store::open(&DatabaseUrl::Postgres(server.url())).await.unwrap();
    let end_all = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                   WHERE application_name = 'microblog' AND pid <> pg_backend_pid()";
    let tries = AtomicU32::new(0);
    let add_twice = async || {
        let mut tx = store.begin().await?;
        add(&mut tx, "audit").await?;
        if tries.fetch_add(1, Ordering::Relaxed) == 0 {
            server.administer(end_all).await;
        }
        add(&mut tx, "outbox").await?;
        tx.commit().await
    };
    repeat(add_twice, StoreError::is_undone).await.unwrap();
    assert_eq!((counted(&store, "audit").await, counted(&store, "outbox").await), (1, 1));

    let add_once = async || {
        let mut tx = store.begin().await?;
        add(&mut tx, "audit").await?;
        tries.fetch_add(1, Ordering::Relaxed);
        server.administer(end_all).await;
        tx.commit().await
    };
    let error = repeat(add_once, StoreError::is_undone).await.unwrap_err();
    assert!(matches!(error, StoreError::Unsettled(_)), "{error:?}");
    assert_eq!(tries.load(Ordering::Relaxed), 3, "what may have been kept is not done again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_another_reason_or_too_often_fails() {
    let db = TestDatabase::new().await;
    let tries = AtomicU32::new(0);
    let fail = |may_repeat: bool| {
        let tries = &tries;
        repeat(move || async move { Err::<(), _>(tries.fetch_add(1, Ordering::Relaxed)) }, move |_| may_repeat)
    };
    assert_eq!(fail(false).await, Err(0));
    assert_eq!(fail(true).await, Err(4), "after a few attempts");
    db.store().close().await;
    let closed = repeat(async || db.store().begin().await.map(drop), StoreError::is_undone).await;
    assert!(closed.is_err_and(|error| !error.is_undone()));
}
