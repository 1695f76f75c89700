//! Many at once, and processes that die.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use microblog_domain::{BuildMode, Clock as _, DatabaseUrl, PostId, SystemClock, Version};
use microblog_store::builds::{self, BuildRequest, Claim};
use microblog_store::posts::list::{PostFilter, list};
use microblog_store::publishing::{self, Intent};
use microblog_store::{
    Origin, ServerClock, Store, StoreError, Transaction, newest_change, outbox, posts, shared_clock,
};
use microblog_testkit::{DatabaseKind, a_post};
use tokio::task::JoinSet;

use crate::scenario::{Scenario, on_every_database, reading};

on_every_database![
    fifty_tasks_save_at_once_through_two_processes_and_all_is_kept_in_order,
    of_many_edits_of_one_version_exactly_one_is_taken,
    of_many_workers_one_gets_the_build,
    readers_do_not_wait_for_the_writer_and_see_nothing_half_done,
    a_request_that_is_dropped_halfway_leaves_nothing_and_blocks_nobody,
    a_process_that_is_killed_loses_nothing_that_it_acknowledged,
];

async fn fifty_tasks_save_at_once_through_two_processes_and_all_is_kept_in_order(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let other_process = scenario.db.open_again().await;
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let store = if number % 2 == 0 { scenario.db.store().clone() } else { other_process.clone() };
        let origin = scenario.origin();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let post = a_post().titled(&format!("Post {number}")).published().build();
            let saved = publishing::create(&mut tx, post, &origin).await.unwrap();
            tx.commit().await.unwrap();
            saved.build.unwrap()
        });
    }
    let asked: HashSet<_> = tasks.join_all().await.into_iter().collect();
    assert_eq!(asked.len(), 1, "fifty wishes, one build");
    let changed = reading!(scenario, |conn| posts::changes::changed_since(conn, Default::default(), 100));
    assert_eq!(changed.iter().map(|change| change.seq.0).collect::<Vec<_>>(), (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_what_may_be_forgotten_is_not_waited_for() {
    let scenario = Scenario::on(DatabaseKind::Postgres).await;
    let store = scenario.db.store();
    let waits = async |tx: &mut Transaction| {
        sqlx::query_scalar::<_, String>("SHOW synchronous_commit").fetch_one(&mut **tx).await.unwrap()
    };
    // More than there are connections, so that each serves both.
    for _ in 0..10 {
        let mut forgettable = store.begin_forgettable().await.unwrap();
        assert_eq!(waits(&mut forgettable).await, "off");
        forgettable.commit().await.unwrap();
    }
    for _ in 0..10 {
        let mut kept = store.begin().await.unwrap();
        assert_eq!(waits(&mut kept).await, "on");
        kept.commit().await.unwrap();
    }
}

async fn of_many_edits_of_one_version_exactly_one_is_taken(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let post = scenario.create(a_post().published()).await.post.post;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let (store, origin) = (scenario.db.store().clone(), scenario.origin());
        let content = a_post().saying(&format!("edit {number}")).content();
        tasks.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            publishing::edit(&mut tx, post.id, Version(1), content, Intent::Keep, &origin).await?;
            tx.commit().await
        });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|error| matches!(error, StoreError::Stale { .. })));
}

#[tokio::test]
async fn a_relay_never_claims_more_than_it_may_whatever_the_plan() {
    let scenario = Scenario::on(DatabaseKind::Postgres).await;
    let mut tx = scenario.db.store().begin().await.unwrap();
    for earlier in 0..50 {
        let run_after = scenario.now().checked_sub(Duration::from_micros(earlier)).unwrap();
        let request = BuildRequest { mode: BuildMode::Incremental, run_after };
        builds::ask(&mut tx, &request, &scenario.origin()).await.unwrap();
    }
    tx.commit().await.unwrap();
    // For each message the database looks for those that are free, and finds the next ones when it has taken some.
    let mut tx = scenario.db.store().begin().await.unwrap();
    for way in ["hashjoin", "mergejoin", "hashagg", "sort", "incremental_sort", "material"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("SET LOCAL enable_{way} = off"))).execute(&mut *tx).await.unwrap();
    }
    sqlx::query("UPDATE outbox SET available_at = id").execute(&mut *tx).await.unwrap();
    let claimed = outbox::claim(&mut tx, scenario.now(), Duration::from_secs(10), 3).await.unwrap();
    assert_eq!(claimed.len(), 3);
}

#[tokio::test]
async fn all_who_use_a_server_go_by_its_clock_and_those_who_use_a_file_by_their_own() {
    let asked = Scenario::on(DatabaseKind::Postgres).await;
    let hour = Duration::from_secs(3_600);
    for wrong in [SystemClock.now() + hour, SystemClock.now() - hour] {
        let clock = ServerClock::showing(wrong);
        assert!(clock.set_by(asked.db.store()).await.unwrap());
        let off = clock.now().duration_since(SystemClock.now()).abs();
        assert!(off < SignedDuration::from_mins(10), "test servers run on this machine: {off}");
    }
    let file = Scenario::on(DatabaseKind::Sqlite).await;
    let own = shared_clock(file.db.store(), Arc::new(file.clock.clone())).await.unwrap();
    file.later(7_200);
    assert_eq!(own.now(), file.now());
}

async fn of_many_workers_one_gets_the_build(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.create(a_post().published()).await;
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let (store, now) = (scenario.db.open_again().await, scenario.now());
        tasks.spawn(async move {
            let claim = Claim { worker: format!("worker {number}"), lease_for: Duration::from_secs(60) };
            let mut tx = store.begin().await.unwrap();
            let claimed = builds::claim(&mut tx, &claim, now).await.unwrap();
            tx.commit().await.unwrap();
            claimed.is_some()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
}

async fn readers_do_not_wait_for_the_writer_and_see_nothing_half_done(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let mut tx = scenario.db.store().begin().await.unwrap();
    publishing::create(&mut tx, a_post().published().build(), &scenario.origin()).await.unwrap();
    assert_eq!(reading!(scenario, |conn| newest_change(conn)).0, 0);
    let filter = PostFilter { limit: 10, ..PostFilter::default() };
    assert!(reading!(scenario, |conn| list(conn, &filter)).posts.is_empty());
    tx.commit().await.unwrap();
    assert_eq!(reading!(scenario, |conn| list(conn, &filter)).posts.len(), 1);
}

async fn a_request_that_is_dropped_halfway_leaves_nothing_and_blocks_nobody(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    for _ in 0..20 {
        let store = scenario.db.store().clone();
        let origin = scenario.origin();
        let request = tokio::spawn(async move {
            let mut tx = store.begin().await.unwrap();
            publishing::create(&mut tx, a_post().published().build(), &origin).await.unwrap();
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        request.abort();
    }
    let kept = scenario.create(a_post().titled("Kept").published()).await;
    let filter = PostFilter { limit: 100, ..PostFilter::default() };
    let found = reading!(scenario, |conn| list(conn, &filter)).posts;
    assert_eq!(found, [kept.post]);
}

/// The child of the test below: saves posts in the database that it is told, and says so after each commit.
#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn child_that_saves_until_it_is_killed() {
    let url: DatabaseUrl = std::env::var_os(CHILDS_DATABASE).unwrap().to_str().unwrap().parse().unwrap();
    let store = Store::open(&url).await.unwrap();
    for number in 0.. {
        let mut tx = store.begin().await.unwrap();
        let post = a_post().titled(&format!("Post {number}")).saying(&"text ".repeat(2_000)).published().build();
        let saved = publishing::create(&mut tx, post, &Origin::system(SystemClock.now())).await.unwrap();
        tx.commit().await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "saved {}", saved.post.post.id).unwrap();
        out.flush().unwrap();
    }
}

const CHILDS_DATABASE: &str = "MICROBLOG_TEST_CHILDS_DATABASE";

async fn a_process_that_is_killed_loses_nothing_that_it_acknowledged(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let url = match scenario.db.url() {
        DatabaseUrl::Postgres(url) => url.reveal().to_string(),
        url @ DatabaseUrl::Sqlite(_) => url.to_string(),
    };
    let mut acknowledged: Vec<PostId> = Vec::new();
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["concurrency::child_that_saves_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
            .env(CHILDS_DATABASE, &url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut saved = lines.filter_map(|line| line.split_once("saved ").map(|(_, id)| id.parse::<PostId>().unwrap()));
        acknowledged.extend(saved.by_ref().take(round * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(saved);
    }
    assert!(acknowledged.len() >= 45);
    let mut conn = scenario.db.store().read().await.unwrap();
    for id in &acknowledged {
        let post = posts::get(&mut conn, *id).await.unwrap();
        assert_eq!(post.post.content.markdown.len(), 10_000);
    }
    assert_eq!(builds::counts(&mut conn).await.unwrap().waiting, 1, "their build is not forgotten");
    assert!(outbox::backlog(&mut conn, SystemClock.now()).await.unwrap().pending >= 1);
    if database == DatabaseKind::Sqlite {
        let check = sqlx::query("PRAGMA integrity_check").fetch_one(&mut *conn).await.unwrap();
        assert_eq!(sqlx::Row::get::<String, _>(&check, 0), "ok");
    }
}
