//! Posts: saving, publishing, throwing away; lists and search; what builds read.

use microblog_domain::Clock as _;
use microblog_domain::{PostStatus, Version};
use microblog_store::{Origin, posts, publishing};
use microblog_testkit::{TestClock, TestDatabase, a_post};

#[tokio::test]
async fn a_post_comes_back_as_it_was_saved() {
    let db = TestDatabase::new().await;
    let origin = Origin::system(TestClock::new().now());
    let new = a_post().titled("Hello, World").tagged("Rust").dated("2025-12-24T18:00:00.123456Z").published().build();
    let mut tx = db.store().begin().await.unwrap();
    let saved = publishing::create(&mut tx, new.clone(), &origin).await.unwrap();
    tx.commit().await.unwrap();
    let read = posts::get(&mut db.store().read().await.unwrap(), saved.post.post.id).await.unwrap();
    assert_eq!(read, saved.post);
    assert_eq!(read.post.content, new.content);
    assert_eq!((read.post.status, read.post.version), (PostStatus::Published, Version(1)));
    assert!(saved.build.is_some());
}
