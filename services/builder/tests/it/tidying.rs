//! What the worker does for a release when nobody waits any more.

use std::time::{Duration, Instant, SystemTime};

use microblog_queue::{Hint, Queue};
use microblog_testkit::a_post;
use tokio::sync::watch;

use crate::workshop::Workshop;

/// Publishes a post whose page is worth compressing.
async fn a_long_post(shop: &Workshop) -> microblog_domain::BuildId {
    let text = "A sentence that is said again. ".repeat(100);
    shop.create(a_post().titled("Hello").saying(&text).published().build()).await.build.unwrap()
}

fn compressed(shop: &Workshop) -> bool {
    shop.folder.path().join("build/current/2026/03/hello/index.html.gz").exists()
}

/// When the store was last marked as being changed.
fn changed(shop: &Workshop) -> SystemTime {
    std::fs::metadata(shop.folder.path().join("build/st")).unwrap().modified().unwrap()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_hint_of_what_is_done_already_keeps_nothing_from_being_compressed() {
    let shop = Workshop::new().await;
    let build = a_long_post(&shop).await;
    let (sender, hints) = Queue::Embedded.both_ends();
    let hint = Hint { build, request_id: None, trace: None };
    let sent = sender.send(sender.permit().unwrap(), &[hint.clone(), hint]).await;
    assert!(sent.iter().all(Result::is_ok));
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(shop.worker.clone().run(hints, stopped));
    until("the page is compressed", || compressed(&shop)).await;
    stop.send(true).unwrap();
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_could_not_be_compressed_while_somebody_read_the_tree_is_compressed_later() {
    let shop = Workshop::new().await;
    a_long_post(&shop).await;
    shop.work().await;
    let lease = shop.worker_desk().lock().unwrap().releases_mut().lease().unwrap();
    let before = changed(&shop);
    let (_sender, hints) = Queue::Embedded.both_ends();
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(shop.worker.clone().run(hints, stopped));
    // Each change of the store is marked in this folder, and made with the desk locked.
    until("the worker tidies", || changed(&shop) != before).await;
    drop(shop.worker_desk().lock().unwrap());
    assert!(!compressed(&shop), "somebody reads the tree");
    drop(lease);
    until("the page is compressed", || compressed(&shop)).await;
    stop.send(true).unwrap();
    worker.await.unwrap().unwrap();
}
