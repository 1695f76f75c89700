//! Several processes that bring one schema up to date, of which one does not get on.

use microblog_domain::DatabaseUrl;
use microblog_store::{Store, StoreError, migrate};
use microblog_testkit::{PostgresServer, Proxy, eventually};

/// Whoever is the first to make an index on this server falls asleep for a moment.
const DROWSY: [&str; 3] = [
    "CREATE SEQUENCE naps",
    "CREATE FUNCTION doze() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF nextval('naps') = 1 THEN PERFORM pg_sleep(3); END IF; END $$",
    "CREATE EVENT TRIGGER drowsy ON ddl_command_start WHEN tag IN ('CREATE INDEX') EXECUTE FUNCTION doze()",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_frozen_while_it_changes_the_schema_holds_others_up_for_moments_and_they_say_why() {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    for sql in DROWSY {
        server.administer(sql).await;
    }
    let proxy = Proxy::to(server.port()).await;
    let frozen = DatabaseUrl::Postgres(server.url_through(proxy.port()));
    let frozen = tokio::spawn(async move { Store::open(&frozen).await });
    eventually("the schema is being changed", async || {
        server.finds("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").await
    })
    .await;
    proxy.freeze();

    let url = DatabaseUrl::Postgres(server.url());
    let error = Store::open(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::SchemaBusy), "{error:?}");
    assert!(error.to_string().contains("another process changes the schema"), "{error}");
    assert!(error.passes_by_itself());
    let mut opened = None;
    eventually("the server cuts the frozen one off", async || {
        opened = Store::open(&url).await.ok();
        opened.is_some()
    })
    .await;
    assert_eq!(opened.unwrap().examine().await.unwrap(), migrate::newest_schema());
    frozen.abort();
}
