//! Opening a database on a server: what is wrong is said, with what to do, and without the password.

use std::time::Duration;

use microblog_domain::{DatabaseUrl, PostgresUrl};
use microblog_store::{ServerOptions, Store, StoreError};
use microblog_testkit::{PostgresServer, Proxy, free_port};

async fn open(url: &str) -> Result<Store, StoreError> {
    let url: PostgresUrl = url.parse().unwrap();
    let options = ServerOptions { connect_timeout: Duration::from_secs(2), ..ServerOptions::default() };
    Store::open_with(&DatabaseUrl::Postgres(url), options).await
}

/// The server knows "guarded", whose password is "right", and "guest", who may make nothing.
async fn server() -> PostgresServer {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    for sql in [
        "CREATE USER guarded PASSWORD 'right'",
        "CREATE USER guest",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0",
    ] {
        server.administer(sql).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_keeps_a_server_from_being_used_is_said_with_what_to_do() {
    let server = server().await;
    let silent = Proxy::to(server.port()).await;
    silent.freeze();
    let (port, silent, closed) = (server.port(), silent.port(), free_port());
    for (url, reason, what_to_do) in [
        (format!("guarded:hunter2@127.0.0.1:{port}/postgres"), "refuses the log-in", "check user and password"),
        (format!("nobody:hunter2@127.0.0.1:{port}/postgres"), "refuses the log-in", "check user and password"),
        (format!("microblog:hunter2@127.0.0.1:{port}/none"), "database \"none\" does not exist", "CREATE DATABASE"),
        (format!("microblog:hunter2@127.0.0.1:{port}/latin"), "encoding LATIN1", "ENCODING 'UTF8'"),
        (format!("guest:hunter2@127.0.0.1:{port}/postgres"), "does not allow it", "the owner of the database"),
        (format!("a:hunter2@nowhere.invalid:{port}/b"), "nowhere.invalid", "check that it runs, and database.url"),
        (format!("a:hunter2@127.0.0.1:{closed}/b"), "refused", "check that it runs, and database.url"),
        (format!("a:hunter2@127.0.0.1:{silent}/b"), "no answer for 2s", "check that it runs, and database.url"),
        (format!("microblog:hunter2@127.0.0.1:{port}/postgres?sslmode=require"), "encrypted", "check sslmode"),
    ] {
        let error = open(&format!("postgres://{url}")).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(reason) && said.contains(what_to_do), "{url}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(error.may_pass() != matches!(error, StoreError::WrongEncoding { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_is_said_to_be_one() {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    let url = DatabaseUrl::Postgres(server.url());
    Store::open(&url).await.unwrap().close().await;
    server.process().terminate();
    server.become_standby();
    server.start_again();
    server.wait_until_ready().await;
    let error = Store::open(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly), "{error:?}");
    assert!(error.to_string().contains("names the primary and not a standby"), "{error}");
}
