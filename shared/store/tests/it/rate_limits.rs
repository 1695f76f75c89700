//! Clients that ask too often, counted by the database for all who serve them.

use std::time::Duration;

use microblog_store::rate_limits::{self, Quota, Spent};
use microblog_testkit::TestDatabase;

/// Too slow to fill up again during the test.
const FIVE_AN_HOUR: Quota = Quota { full_after: Duration::from_secs(3_600), size: 5 };

#[tokio::test]
async fn a_database_in_a_file_does_not_count() {
    assert!(!rate_limits::are_counted(TestDatabase::new().await.store()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_several_services_at_once_gets_one_allowance() {
    let database = TestDatabase::postgres().await;
    let other = database.open_again().await;
    assert!(rate_limits::are_counted(&other));
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..40 {
        let store = if number % 2 == 0 { database.store().clone() } else { other.clone() };
        requests.spawn(async move { rate_limits::spend(&store, "login", "network 203.0.113.7", FIVE_AN_HOUR).await });
    }
    let mut let_in = 0;
    for spent in requests.join_all().await {
        match spent.unwrap() {
            Spent::Yes => let_in += 1,
            Spent::NotBefore(wait) => assert!(wait > Duration::ZERO && wait <= Duration::from_secs(720), "{wait:?}"),
        }
    }
    assert_eq!(let_in, 5);
    for (kind, client) in [("login", "network 203.0.113.8"), ("api", "network 203.0.113.7")] {
        assert_eq!(rate_limits::spend(&other, kind, client, FIVE_AN_HOUR).await.unwrap(), Spent::Yes);
    }
}

#[tokio::test]
async fn a_clock_that_is_put_back_locks_nobody_out() {
    let database = TestDatabase::postgres().await;
    let spend = async || rate_limits::spend(database.store(), "owner", "user 1", FIVE_AN_HOUR).await.unwrap();
    assert_eq!(spend().await, Spent::Yes);
    let mut tx = database.store().begin().await.unwrap();
    let three_hours = "UPDATE rate_limits SET full_at = full_at + 10800000000";
    sqlx::query(three_hours).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..FIVE_AN_HOUR.size {
        assert_eq!(spend().await, Spent::Yes);
    }
    let Spent::NotBefore(wait) = spend().await else { panic!("the allowance has no end") };
    assert!(wait <= Duration::from_secs(720), "{wait:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowance_fills_up_again_and_is_then_forgotten() {
    let database = TestDatabase::postgres().await;
    let quick = Quota { full_after: Duration::from_millis(40), size: 1 };
    let spend = async || rate_limits::spend(database.store(), "api", "user 1", quick).await.unwrap();
    assert_eq!(spend().await, Spent::Yes);
    microblog_testkit::eventually("the allowance", async || spend().await == Spent::Yes).await;
    microblog_testkit::eventually("the end of the row", async || {
        rate_limits::forget_idle(database.store()).await.unwrap();
        let mut conn = database.store().read().await.unwrap();
        let rows = sqlx::query("SELECT * FROM rate_limits").fetch_all(&mut *conn).await.unwrap();
        rows.is_empty()
    })
    .await;
}
