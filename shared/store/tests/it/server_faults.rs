//! A server that goes away and comes back, and a network between that loses connections: what callers notice of it.

use microblog_domain::{Clock as _, DatabaseUrl, PostgresUrl, SystemClock};
use microblog_store::{Origin, ServerOptions, Store, StoreError, Transaction, in_time, newest_change, publishing};
use microblog_testkit::{PostgresServer, Proxy, a_post};
use tokio::task::JoinSet;

/// So many read and so many write; one counts.
const EACH: u32 = 3;
const CONNECTIONS: u32 = 2 * EACH + 1;

async fn open(url: PostgresUrl) -> Store {
    let options = ServerOptions { max_connections: CONNECTIONS, ..ServerOptions::default() };
    Store::open_with(&DatabaseUrl::Postgres(url), options).await.unwrap()
}

/// A server, with a network between it and the store that can be broken.
async fn behind_a_proxy() -> (PostgresServer, Proxy, Store) {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    let proxy = Proxy::to(server.port()).await;
    let store = open(server.url_through(proxy.port())).await;
    (server, proxy, store)
}

async fn save(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    publishing::create(&mut tx, a_post().published().build(), &Origin::system(SystemClock.now())).await?;
    tx.commit().await
}

async fn read(store: &Store) -> Result<i64, StoreError> {
    Ok(i64::try_from(newest_change(&mut *store.read().await?).await?.0).unwrap())
}

/// Opens as many connections as there may be, and leaves them idle.
async fn fill_pools(store: &Store) {
    let (mut readers, mut writers) = (Vec::new(), Vec::new());
    for _ in 0..EACH {
        readers.push(store.read().await.unwrap());
        writers.push(store.begin().await.unwrap());
    }
    drop((readers, writers));
    let idle = || store.pools_in_use().map(|pool| pool.idle).sum::<u32>();
    microblog_testkit::eventually("all are idle", async || idle() == 2 * EACH).await;
}

/// Many callers at once, each of whom reads and saves.
async fn everybody_is_served(store: &Store) {
    let before = read(store).await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        let store = store.clone();
        callers.spawn(async move {
            read(&store).await.unwrap();
            save(&store).await.unwrap();
        });
    }
    assert_eq!(callers.join_all().await.len(), 10);
    assert_eq!(read(store).await.unwrap(), before + 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_killed_and_started_again_costs_nobody_an_error() {
    let server = PostgresServer::start();
    server.wait_until_ready().await;
    let store = open(server.url()).await;
    fill_pools(&store).await;
    server.process().kill();
    assert!(matches!(store.examine().await, Err(StoreError::Unreachable { .. })));
    server.start_again();
    server.wait_until_ready().await;
    everybody_is_served(&store).await;
    store.examine().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_cut_while_they_were_idle_cost_nobody_an_error() {
    let (_server, proxy, store) = behind_a_proxy().await;
    fill_pools(&store).await;
    proxy.cut();
    everybody_is_served(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_network_forgot_while_they_were_idle_cost_nobody_an_error() {
    let (_server, proxy, store) = behind_a_proxy().await;
    fill_pools(&store).await;
    proxy.forget();
    everybody_is_served(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_network_forgot_while_they_were_used_take_no_place() {
    let (_server, proxy, store) = behind_a_proxy().await;
    let mut used: Vec<Transaction> = Vec::new();
    for _ in 0..EACH {
        used.push(store.begin().await.unwrap());
    }
    proxy.forget();
    let forgotten = used.pop().unwrap();
    assert!(matches!(in_time(forgotten.commit()).await, Err(StoreError::Unavailable(_))));
    drop(used);
    everybody_is_served(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_network_is_an_error_rather_than_a_wait_and_ends_by_itself() {
    let (_server, proxy, store) = behind_a_proxy().await;
    fill_pools(&store).await;
    proxy.freeze();
    for result in [store.examine().await.map(drop), save(&store).await, read(&store).await.map(drop)] {
        assert!(matches!(&result, Err(StoreError::Unavailable(_) | StoreError::Unreachable { .. })), "{result:?}");
        assert!(result.is_err_and(|error| error.may_pass()));
    }
    proxy.mend();
    everybody_is_served(&store).await;
}
