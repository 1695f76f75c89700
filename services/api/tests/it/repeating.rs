//! Changes that the database has undone: who asked for them hears of it only if nobody knows whether they were kept.

use axum::http::StatusCode;
use microblog_api::offer_setup;
use microblog_domain::DatabaseUrl;
use microblog_testkit::{TestDatabase, eventually};
use serde_json::json;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::harness::{Client, TestApp};

const POSTS: &str = "/api/v1/posts";
/// Whoever waits for a lock in this database.
const WAITING: &str =
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";

/// Somebody else who uses the database.
async fn stranger(database: &TestDatabase) -> PgConnection {
    let DatabaseUrl::Postgres(url) = database.url() else { panic!("the database is on a server") };
    PgConnection::connect(url.reveal().as_str()).await.unwrap()
}

async fn does(stranger: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(stranger).await.unwrap();
}

async fn until_there_is_one(stranger: &mut PgConnection, sql: &'static str) {
    let found = tokio::sync::Mutex::new(stranger);
    let rows = async || sqlx::query(sql).fetch_all(&mut **found.lock().await).await.unwrap();
    eventually(sql, async || !Vec::<PgRow>::is_empty(&rows().await)).await;
}

async fn create(author: &Client<'_>) -> StatusCode {
    author.post(POSTS, json!({"title": "Crabs", "markdown": "x", "status": "published"})).await.status
}

async fn count(author: &Client<'_>) -> usize {
    author.get(POSTS).await.ok()["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_lost_its_connection_or_a_deadlock_is_made_once_and_nobody_hears_of_it() {
    let app = TestApp::postgres().await;
    let author = app.author().await;
    let (mut blocker, mut watcher) = (stranger(&app.database).await, stranger(&app.database).await);

    does(&mut blocker, "BEGIN; UPDATE counters SET value = value WHERE name = 'audit'").await;
    let ended = async {
        until_there_is_one(&mut watcher, WAITING).await;
        does(&mut watcher, &format!("SELECT pg_terminate_backend(pid, 5000) FROM ({WAITING}) w")).await;
        does(&mut blocker, "ROLLBACK").await;
    };
    assert_eq!(tokio::join!(create(&author), ended).0, StatusCode::CREATED);
    assert_eq!(count(&author).await, 1);

    // Who waits for longer finds the deadlock, and is undone.
    does(&mut blocker, "SET deadlock_timeout = '1min'").await;
    does(&mut blocker, "BEGIN; UPDATE counters SET value = value WHERE name = 'audit'").await;
    let crossed = async {
        until_there_is_one(&mut watcher, WAITING).await;
        does(&mut blocker, "UPDATE counters SET value = value WHERE name = 'change'; COMMIT").await;
    };
    assert_eq!(tokio::join!(create(&author), crossed).0, StatusCode::CREATED);
    assert_eq!(count(&author).await, 2);
}

/// The first commit that adds a post does not come to its end.
const SLEEP_AT_COMMIT: &str = "\
    CREATE SEQUENCE naps; \
    CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        IF nextval('naps') = 1 THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$; \
    CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON posts DEFERRABLE INITIALLY DEFERRED \
        FOR EACH ROW EXECUTE FUNCTION nap()";
const SLEEPING: &str = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_which_nobody_knows_the_end_is_made_again_only_under_a_key() {
    let app = TestApp::postgres().await;
    let author = app.author().await;
    let mut watcher = stranger(&app.database).await;
    does(&mut watcher, SLEEP_AT_COMMIT).await;
    for (client, expected) in [
        (author.clone(), StatusCode::SERVICE_UNAVAILABLE),
        (author.with("idempotency-key", "once"), StatusCode::CREATED),
    ] {
        let ended = async {
            until_there_is_one(&mut watcher, SLEEPING).await;
            does(&mut watcher, &format!("SELECT pg_terminate_backend(pid, 5000) FROM ({SLEEPING}) s")).await;
        };
        assert_eq!(tokio::join!(create(&client), ended).0, expected);
        does(&mut watcher, "ALTER SEQUENCE naps RESTART").await;
    }
    let answer = author.with("idempotency-key", "once");
    assert_eq!(create(&answer).await, StatusCode::CREATED, "the answer was kept");
    assert_eq!(count(&author).await, 1);
}

/// The first log-in that begins is undone.
const UNDO_ONE_LOG_IN: &str = "\
    CREATE SEQUENCE falls; \
    CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        IF nextval('falls') = 1 THEN RAISE EXCEPTION 'undone' USING ERRCODE = 'serialization_failure'; END IF; \
        RETURN NEW; END $$; \
    CREATE TRIGGER fall BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION fall()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_whose_first_log_in_was_undone_is_made_with_it_the_second_time() {
    let app = TestApp::postgres().await;
    does(&mut stranger(&app.database).await, UNDO_ONE_LOG_IN).await;
    let link = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let setup = json!({"token": link.reveal(), "name": "olga", "password": "correct horse"});
    assert_eq!(app.anonymous().post("/api/v1/setup", setup).await.status, StatusCode::CREATED);
}
