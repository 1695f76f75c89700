//! A server that fails while it is used: whoever probes is told why, also where a pool only waits.

use microblog_domain::{DatabaseUrl, PostgresUrl};
use microblog_store::{ServerOptions, Store, StoreError, migrate};
use microblog_testkit::{PostgresServer, eventually};

const SEND_ALL_AWAY: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded' AND pid <> pg_backend_pid()";

/// The server knows "guarded", whose password is "hunter2" and who owns "secretbase".
async fn server() -> PostgresServer {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    server.administer("CREATE USER guarded PASSWORD 'hunter2'").await;
    server.administer("CREATE DATABASE secretbase OWNER guarded").await;
    server
}

async fn open(server: &PostgresServer) -> Result<Store, StoreError> {
    let url: PostgresUrl =
        format!("postgres://guarded:hunter2@127.0.0.1:{}/secretbase", server.port()).parse().unwrap();
    let options = ServerOptions { max_connections: 4, ..ServerOptions::default() };
    Store::open_with(&DatabaseUrl::Postgres(url), options).await
}

/// Waits until the reason is this one; gives it.
async fn reason(store: &Store, is_it: impl Fn(&StoreError) -> bool) -> StoreError {
    let mut reason = None;
    eventually("the reason", async || {
        reason = store.examine().await.err().filter(|error| is_it(error));
        reason.is_some()
    })
    .await;
    reason.unwrap()
}

/// The whole reason is for the log; what is shown names nobody and no place.
fn assert_told(error: &StoreError, told: &str) {
    assert!(error.to_string().contains(told), "{error}");
    let shown = error.shown();
    for secret in ["hunter2", "guarded", "secretbase", "127.0.0.1"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_a_server_is_told_and_mended_without_opening_it_again() {
    let server = server().await;
    let store = open(&server).await.unwrap();
    assert_eq!(store.examine().await.unwrap(), migrate::newest_schema());
    for (fault, told, cure) in [
        ("ALTER USER guarded PASSWORD 'another'", "refuses the log-in", "ALTER USER guarded PASSWORD 'hunter2'"),
        ("ALTER USER guarded CONNECTION LIMIT 0", "too many connections", "ALTER USER guarded CONNECTION LIMIT -1"),
        ("ALTER USER guarded NOLOGIN", "not permitted to log in", "ALTER USER guarded LOGIN"),
        ("ALTER DATABASE secretbase RENAME TO moved", "does not exist", "ALTER DATABASE moved RENAME TO secretbase"),
    ] {
        // A database that somebody uses can not be renamed; who was sent away may be back before.
        eventually("the fault", async || {
            server.administer(SEND_ALL_AWAY).await;
            server.try_to_administer(fault).await
        })
        .await;
        server.administer(SEND_ALL_AWAY).await;
        assert_told(&reason(&store, |error| error.to_string().contains(told)).await, told);
        server.administer(cure).await;
        eventually("it answers", async || store.examine().await.is_ok()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_or_comes_back_as_a_standby_is_told_from_one_that_is_slow() {
    let server = server().await;
    let store = open(&server).await.unwrap();
    server.process().terminate();
    let away = reason(&store, |error| matches!(error, StoreError::Unreachable { .. })).await;
    assert_told(&away, "check that it runs");
    server.become_standby();
    server.start_again();
    assert_told(&reason(&store, |error| matches!(error, StoreError::ReadOnly)).await, "not a standby");
}

/// A server that says that it is of another version, in the way that the program asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_too_old_is_said_to_be() {
    let server = server().await;
    open(&server).await.unwrap().close().await;
    for sql in [
        "CREATE SCHEMA old AUTHORIZATION guarded",
        "CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS $$ SELECT CASE name \
         WHEN 'server_version_num' THEN '130011' WHEN 'server_version' THEN '13.11 (Debian 13.11-1)' \
         ELSE pg_catalog.current_setting(name) END $$",
    ] {
        server.administer_in("secretbase", sql).await;
    }
    server.administer("ALTER USER guarded SET search_path = old, pg_catalog, public").await;
    let error = open(&server).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::ServerTooOld { found, needed: 14 } if found.starts_with("13.11")),
        "{error:?}"
    );
    assert!(error.to_string().contains("needs version 14 or newer"), "{error}");
    assert_told(&error, "is PostgreSQL 13.11");
}
