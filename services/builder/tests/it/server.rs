//! The worker on a database server: what it does there is what it does on a file, and what only a server can do to it.

use std::time::Duration;

use microblog_domain::{BuildMode, BuildState};
use microblog_testkit::{TestDatabase, a_post};

use crate::workshop::Workshop;

async fn shop() -> Workshop {
    Workshop::with(TestDatabase::postgres().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_go_live_and_give_what_a_build_from_nothing_gives() {
    let mut shop = shop().await;
    let mut posts = Vec::new();
    for day in 10..18 {
        let dated = format!("2026-02-{day}T08:00:00Z");
        let post = a_post().titled(&format!("Day {day}")).dated(&dated).tagged("diary").published();
        posts.push(shop.create(post.build()).await);
    }
    shop.work().await;
    assert!(shop.read("2026/02/day-10/index.html").is_some());
    let edited = shop.edit(&posts[3], |content| content.markdown = "Something else.".to_owned()).await;
    shop.trash(&posts[5]).await;
    shop.work().await;
    let build = shop.build(edited.build.unwrap()).await;
    assert_eq!(build.state, BuildState::Succeeded);
    assert!(build.pages.reused > build.pages.rendered / 2, "{:?}", build.pages);
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
    shop.restart();
    shop.edit(&posts[2], |content| content.title = Some("Renamed".to_owned())).await;
    shop.work().await;
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_restored_under_the_worker_is_what_readers_get_next() {
    let shop = shop().await;
    let post = shop.create(a_post().titled("Hello").saying("old text").published().build()).await;
    shop.work().await;
    let backup = shop.database.back_up().await;
    shop.edit(&post, |content| content.markdown = "new text".to_owned()).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("new text"));
    shop.database.restore(&backup).await;
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("old text"));
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_is_noticed_even_when_more_was_changed_since_than_was_lost() {
    let shop = shop().await;
    let post = shop.create(a_post().titled("Hello").saying("old text").published().build()).await;
    let other = shop.create(a_post().titled("Other").published().build()).await;
    let backup = shop.database.back_up().await;
    shop.edit(&post, |content| content.markdown = "new text".to_owned()).await;
    shop.work().await;
    shop.database.restore(&backup).await;
    shop.clock.advance(Duration::from_secs(60));
    let mut other = other;
    for text in ["one", "two", "three"] {
        other = shop.edit(&other, |content| content.markdown = text.to_owned()).await;
    }
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("old text"));
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}
