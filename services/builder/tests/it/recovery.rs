//! What is left when something goes wrong in the middle.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use microblog_builder::build_site::{Control, Order, build_site};
use microblog_builder::{BuildError, Hindrance, Identity, Workplace};
use microblog_domain::{BuildMode, BuildState, ReleaseId};
use microblog_process::ErrorReports;
use microblog_queue::{BuildEvents, Waker};
use microblog_release::{Checks, Options, ReleaseStore};
use microblog_store::builds::{self, Claim, Lease, leases};
use microblog_store::releases;
use microblog_testkit::a_post;

use crate::workshop::Workshop;

#[tokio::test]
async fn a_theme_with_an_error_fails_the_build_with_file_and_line_and_readers_keep_the_site() {
    let shop = Workshop::new().await;
    let post = shop.create(a_post().titled("Hello").saying("old text").published().build()).await;
    shop.work().await;
    let templates = shop.folder.path().join("theme/templates");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("post.html"), "fine\n{{ nonsense }}\n").unwrap();
    let saved = shop.edit(&post, |content| content.markdown = "new text".to_owned()).await;
    shop.work().await;
    let build = shop.build(saved.build.unwrap()).await;
    assert_eq!(build.state, BuildState::Failed);
    assert!(build.error.unwrap().contains("theme/templates/post.html:2: "));
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("old text"));

    std::fs::remove_file(templates.join("post.html")).unwrap();
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("new text"));
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test]
async fn a_worker_that_begins_anew_renders_nothing_that_the_live_release_has() {
    let mut shop = Workshop::new().await;
    let post = shop.create(a_post().titled("Hello").published().build()).await;
    shop.create(a_post().titled("Other").published().build()).await;
    shop.work().await;
    shop.restart();
    let saved = shop.edit(&post, |content| content.markdown = "new text".to_owned()).await;
    shop.work().await;
    let build = shop.build(saved.build.unwrap()).await;
    assert!(build.pages.rendered < build.pages.total / 2, "{:?}", build.pages);
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test]
async fn a_build_whose_worker_was_killed_is_taken_up_when_its_lease_is_over() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").published().build()).await;
    claim(&shop, "killed").await;
    shop.clock.advance(Duration::from_secs(3_600));
    shop.work().await;
    assert_eq!(shop.read("2026/03/hello/index.html"), None, "nobody knows the other's clock");
    while !shop.worker.work_once().await.unwrap() {
        tokio::task::yield_now().await;
    }
    let build = shop.build(saved.build.unwrap()).await;
    assert_eq!((build.state, build.attempt), (BuildState::Succeeded, 2));
    assert!(shop.read("2026/03/hello/index.html").is_some());
}

#[tokio::test]
async fn a_build_whose_lease_was_lost_while_it_was_paused_does_not_go_live() {
    let shop = Workshop::new().await;
    shop.create(a_post().titled("Hello").published().build()).await;
    let late = claim(&shop, "late").await;
    bury(&shop, "late").await;
    let heir = claim(&shop, "heir").await;
    for (lease, is_live) in [(late, false), (heir, true)] {
        let desk = shop.worker_desk();
        let built = tokio::task::spawn_blocking(move || {
            let order = Order { mode: BuildMode::Incremental, lease: Some(lease) };
            build_site(&mut desk.lock().unwrap(), order, &Control::default())
        });
        let built = built.await.unwrap();
        assert_eq!(built.is_ok(), is_live);
        assert!(is_live || matches!(built, Err(BuildError::LeaseLost)), "{built:?}");
        assert_eq!(shop.read("2026/03/hello/index.html").is_some(), is_live);
    }
}

async fn bury(shop: &Workshop, worker: &str) {
    let mut tx = shop.database.store().begin().await.unwrap();
    leases::bury(&mut tx, worker).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(shop: &Workshop, worker: &str) -> Lease {
    let mut tx = shop.database.store().begin().await.unwrap();
    let claim = Claim { worker: worker.to_owned(), lease_for: Duration::from_secs(30) };
    let claimed = builds::claim(&mut tx, &claim, microblog_domain::Clock::now(&shop.clock)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    claimed.lease
}

#[tokio::test]
async fn a_theme_file_that_was_replaced_by_one_of_its_size_and_age_is_noticed() {
    let shop = Workshop::new().await;
    let template = shop.folder.path().join("theme/templates/404.html");
    std::fs::create_dir_all(template.parent().unwrap()).unwrap();
    for text in ["one", "two"] {
        std::fs::write(&template, text).unwrap();
        std::fs::File::open(&template).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        shop.ask(BuildMode::Incremental).await;
        shop.work().await;
        assert_eq!(shop.read("404.html").as_deref(), Some(text));
    }
}

#[tokio::test]
async fn a_release_whose_report_was_lost_is_recorded_by_the_next_build() {
    let mut shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").published().build()).await;
    claim(&shop, "killed").await;
    // The killed worker came as far as the activation.
    let desk = shop.worker_desk();
    tokio::task::spawn_blocking(move || {
        let order = Order { mode: BuildMode::Incremental, lease: None };
        build_site(&mut desk.lock().unwrap(), order, &Control::default()).unwrap()
    })
    .await
    .unwrap();
    shop.restart();
    bury(&shop, "killed").await;
    shop.work().await;
    assert_eq!(shop.build(saved.build.unwrap()).await.state, BuildState::Succeeded);
    let recorded = releases::list(&mut shop.database.store().read().await.unwrap(), None, 10).await.unwrap();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].build, saved.build);
}

#[tokio::test]
async fn every_release_whose_report_was_lost_is_recorded_even_after_a_newer_one() {
    let shop = Workshop::new().await;
    shop.create(a_post().titled("Hello").published().build()).await;
    shop.work().await;
    let desk = shop.worker_desk();
    for title in ["More", "Again"] {
        shop.create(a_post().titled(title).published().build()).await;
        let desk = Arc::clone(&desk);
        tokio::task::spawn_blocking(move || {
            let order = Order { mode: BuildMode::Incremental, lease: None };
            build_site(&mut desk.lock().unwrap(), order, &Control::default()).unwrap()
        })
        .await
        .unwrap();
    }
    let last = shop.create(a_post().titled("Last").published().build()).await;
    shop.work().await;
    let recorded = releases::list(&mut shop.database.store().read().await.unwrap(), None, 10).await.unwrap();
    let numbers: Vec<_> = recorded.iter().map(|release| release.id.0).collect();
    assert_eq!((numbers, recorded[0].build), (vec![4, 3, 2, 1], last.build));
}

#[tokio::test]
async fn a_release_that_another_process_went_back_to_is_noticed_by_the_next_build() {
    let shop = Workshop::new().await;
    let post = shop.create(a_post().titled("Hello").saying("old text").published().build()).await;
    shop.work().await;
    shop.edit(&post, |content| content.markdown = "new text".to_owned()).await;
    shop.work().await;
    let options = Options { grace: Duration::ZERO, ..Options::default() };
    let mut elsewhere = ReleaseStore::open(&shop.folder.path().join("build"), options).unwrap();
    elsewhere.roll_back(ReleaseId(1)).unwrap();
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("old text"));
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("new text"));
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test]
async fn a_cancelled_build_changes_nothing_and_the_next_one_brings_its_changes() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").published().build()).await;
    let mut tx = shop.database.store().begin().await.unwrap();
    builds::cancel(&mut tx, saved.build.unwrap(), &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
    shop.work().await;
    assert_eq!(shop.build(saved.build.unwrap()).await.state, BuildState::Cancelled);
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").is_some());
}

#[tokio::test]
async fn while_another_process_changes_the_releases_a_build_waits_and_leaves_no_trace() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").published().build()).await;
    let mut other = ReleaseStore::open(&shop.folder.path().join("build"), Options::default()).unwrap();
    let draft = other.draft(Checks::new("https://example.org".parse().unwrap())).unwrap();
    let newest_event = async || builds::events::newest(&mut shop.database.store().read().await.unwrap()).await.unwrap();
    let before = newest_event().await;
    for _ in 0..3 {
        assert!(matches!(shop.worker.work_once().await, Err(Hindrance::ReleasesInUse)));
    }
    let build = shop.build(saved.build.unwrap()).await;
    assert_eq!((build.state, build.attempt, newest_event().await), (BuildState::Waiting, 0, before));
    drop(draft);
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").is_some());
}

#[tokio::test]
async fn a_build_waits_for_another_process_that_is_done_with_the_releases_in_a_moment() {
    let shop = Workshop::new().await;
    shop.create(a_post().titled("Hello").published().build()).await;
    let mut other = ReleaseStore::open(&shop.folder.path().join("build"), Options::default()).unwrap();
    let draft = other.draft(Checks::new("https://example.org".parse().unwrap())).unwrap();
    let mut work = pin!(shop.worker.work_once());
    let early = tokio::time::timeout(Duration::from_millis(50), &mut work).await;
    assert!(early.is_err(), "{early:?}");
    drop(draft);
    assert!(work.await.unwrap());
    assert!(shop.read("2026/03/hello/index.html").is_some());
}

#[tokio::test]
async fn a_builder_takes_up_at_once_what_its_dead_predecessor_had_and_never_what_a_living_one_has() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").published().build()).await;
    let started = |folder: &str| Workplace {
        identity: Identity::take(&shop.folder.path().join(folder), "one name for all"),
        store: shop.database.store().clone(),
        clock: Arc::new(shop.clock.clone()),
        events: BuildEvents::default(),
        relay: Waker::default(),
        errors: ErrorReports::default(),
    };
    let first = started("here");
    claim(&shop, first.identity.name()).await;
    let is_held = async || shop.build(saved.build.unwrap()).await.lease_until.is_some();
    for folder in ["here", "elsewhere"] {
        started(folder).prepare().await.unwrap();
        assert!(is_held().await, "{folder}");
    }
    drop(first);
    started("elsewhere").prepare().await.unwrap();
    assert!(is_held().await);
    started("here").prepare().await.unwrap();
    assert!(!is_held().await);
}
