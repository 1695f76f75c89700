//! What readers see after what authors did.

use microblog_domain::media::{public_file, stored_file};
use microblog_domain::{BuildMode, BuildState, BuildStep, ContentHash};
use microblog_store::media::{self, MediaFile};
use microblog_store::{builds, releases};
use microblog_testkit::{a_post, eventually};

use crate::workshop::Workshop;

#[tokio::test]
async fn a_published_post_is_live_and_a_draft_is_not() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").saying("My first **words**.").published().build()).await;
    let draft = shop.create(a_post().titled("Secret").build()).await;
    assert_eq!(draft.build, None);
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("My first <strong>words</strong>."));
    assert!(shop.tree().iter().all(|(_, body)| !String::from_utf8_lossy(body).contains("Secret")));
    let build = shop.build(saved.build.unwrap()).await;
    assert_eq!((build.state, build.release.map(|id| id.0)), (BuildState::Succeeded, Some(1)));
    assert!(build.pages.rendered > 5 && build.pages.rendered == build.pages.total);
}

#[tokio::test]
async fn an_edit_renders_what_it_touches_and_gives_what_a_build_from_nothing_gives() {
    let shop = Workshop::new().await;
    let mut posts = Vec::new();
    for day in 10..22 {
        let dated = format!("2026-02-{day}T08:00:00Z");
        posts.push(
            shop.create(a_post().titled(&format!("Day {day}")).dated(&dated).tagged("diary").published().build()).await,
        );
    }
    shop.work().await;
    let edited = shop.edit(&posts[3], |content| content.markdown = "Something else.".to_owned()).await;
    shop.work().await;
    let build = shop.build(edited.build.unwrap()).await;
    assert!(build.pages.rendered < 12 && build.pages.reused > 20, "{:?}", build.pages);
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
    shop.trash(&posts[5]).await;
    shop.work().await;
    assert_eq!(shop.read("2026/02/day-15/index.html"), None);
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test]
async fn a_build_that_finds_nothing_to_do_makes_no_release() {
    let shop = Workshop::new().await;
    shop.create(a_post().published().build()).await;
    shop.work().await;
    let idle = shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    let build = shop.build(idle.id).await;
    assert_eq!((build.state, build.release, build.pages.rendered), (BuildState::Succeeded, None, 0));
    let full = shop.ask(BuildMode::Full).await;
    shop.work().await;
    let build = shop.build(full.id).await;
    assert_eq!((build.state, build.release), (BuildState::Succeeded, None));
    assert_eq!(build.pages.rendered, build.pages.total);
}

#[tokio::test]
async fn a_pinned_site_stays_as_it_is_until_it_is_unpinned() {
    let shop = Workshop::new().await;
    let post = shop.create(a_post().titled("Hello").saying("old text").published().build()).await;
    shop.work().await;
    let post = shop.edit(&post, |content| content.markdown = "new text".to_owned()).await;
    shop.work().await;
    let mut tx = shop.database.store().begin().await.unwrap();
    releases::pin(&mut tx, microblog_domain::ReleaseId(1), &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
    let back = shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert_eq!(shop.build(back.id).await.release, Some(microblog_domain::ReleaseId(3)));
    let recorded =
        releases::get(&mut shop.database.store().read().await.unwrap(), microblog_domain::ReleaseId(3)).await.unwrap();
    assert_eq!(recorded.rolled_back_to, Some(microblog_domain::ReleaseId(1)));
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("old text"));

    let held = shop.edit(&post, |content| content.markdown = "newest text".to_owned()).await;
    shop.work().await;
    assert_eq!(shop.build(held.build.unwrap()).await.state, BuildState::Succeeded);
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("old text"));

    let mut tx = shop.database.store().begin().await.unwrap();
    releases::unpin(&mut tx, &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").unwrap().contains("newest text"));
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_pinned_while_a_build_is_under_way_stays_as_it_is() {
    // On a machine that has better things to do, the pin may come after the build: then it says nothing.
    for _ in 0..10 {
        let shop = Workshop::new().await;
        shop.create(a_post().titled("Hello").published().build()).await;
        shop.work().await;
        let mut build = None;
        for number in 0..300 {
            let post = a_post().titled(&format!("Number {number}")).saying(&"Some words. ".repeat(200)).published();
            build = shop.create(post.build()).await.build;
        }
        let is_live = || shop.read("2026/03/number-7/index.html").is_some();
        let worker = shop.worker.clone();
        let working = tokio::spawn(async move { worker.work_once().await });
        eventually("the build begins", async || shop.build(build.unwrap()).await.state != BuildState::Waiting).await;
        let mut tx = shop.database.store().begin().await.unwrap();
        releases::pin(&mut tx, microblog_domain::ReleaseId(1), &shop.origin()).await.unwrap();
        tx.commit().await.unwrap();
        let came_too_late = is_live();
        assert!(working.await.unwrap().unwrap());
        if !came_too_late {
            assert_eq!((shop.build(build.unwrap()).await.release, is_live()), (None, false));
            return;
        }
    }
    panic!("no pin came while a build was under way");
}

#[tokio::test]
async fn two_posts_with_one_address_are_both_kept_and_the_build_says_so() {
    let shop = Workshop::new().await;
    shop.create(a_post().titled("Same").dated("2026-02-01T00:00:00Z").saying("first").published().build()).await;
    let second =
        shop.create(a_post().titled("Same").dated("2026-02-02T00:00:00Z").saying("second").published().build()).await;
    shop.work().await;
    assert!(shop.read("2026/02/same/index.html").unwrap().contains("first"));
    let events =
        builds::events::of_build(&mut shop.database.store().read().await.unwrap(), second.build.unwrap(), 0, 100)
            .await
            .unwrap();
    let warnings: Vec<_> = events.iter().filter(|event| matches!(event.step, BuildStep::Warning { .. })).collect();
    assert_eq!(warnings.len(), 1, "{events:?}");
}

#[tokio::test]
async fn a_broken_link_that_an_author_wrote_is_told_and_stops_nothing() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Hello").saying("[gone](/nowhere/)").published().build()).await;
    shop.create(a_post().note().slugged("note").saying("A note with [a gone link](/elsewhere/).").published().build())
        .await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").is_some());
    let events =
        builds::events::of_build(&mut shop.database.store().read().await.unwrap(), saved.build.unwrap(), 0, 100)
            .await
            .unwrap();
    let told = format!("{events:?}");
    assert!(told.contains("/nowhere/") && told.contains("/elsewhere/"), "{told}");
}

#[tokio::test]
async fn a_lost_upload_is_told_and_keeps_nothing_else_from_going_live() {
    let shop = Workshop::new().await;
    let file = MediaFile {
        hash: ContentHash::of(b"lost"),
        name: "lost.png".to_owned(),
        content_type: "image/png".to_owned(),
        size: 4,
        dimensions: None,
    };
    let mut tx = shop.database.store().begin().await.unwrap();
    media::add(&mut tx, &file, &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
    let saved = shop.create(a_post().titled("Hello").published().build()).await;
    shop.work().await;
    assert!(shop.read("2026/03/hello/index.html").is_some());
    let events =
        builds::events::of_build(&mut shop.database.store().read().await.unwrap(), saved.build.unwrap(), 0, 100)
            .await
            .unwrap();
    assert!(format!("{events:?}").contains("lost.png is left out"), "{events:?}");
}

#[tokio::test]
async fn an_upload_whose_bytes_come_back_is_shown_by_the_next_build() {
    let shop = Workshop::new().await;
    let hash = ContentHash::of(b"found again");
    let file = MediaFile {
        hash,
        name: "found.txt".to_owned(),
        content_type: "text/plain".to_owned(),
        size: 11,
        dimensions: None,
    };
    let mut tx = shop.database.store().begin().await.unwrap();
    media::add(&mut tx, &file, &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    let stored = shop.folder.path().join("media").join(stored_file(&hash));
    std::fs::create_dir_all(stored.parent().unwrap()).unwrap();
    std::fs::write(stored, "found again").unwrap();
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    let public = public_file(&hash, "found.txt").unwrap();
    assert_eq!(shop.read(public.as_str()).as_deref(), Some("found again"));
}

#[tokio::test]
async fn a_site_whose_folder_was_removed_is_published_anew() {
    let shop = Workshop::new().await;
    shop.create(a_post().titled("Hello").published().build()).await;
    shop.work().await;
    shop.create(a_post().titled("More").published().build()).await;
    shop.work().await;
    std::fs::remove_dir_all(shop.folder.path().join("build")).unwrap();
    let saved = shop.create(a_post().titled("Again").published().build()).await;
    shop.work().await;
    assert_eq!(shop.build(saved.build.unwrap()).await.state, BuildState::Succeeded);
    assert!(shop.read("2026/03/hello/index.html").is_some() && shop.read("2026/03/again/index.html").is_some());
    let known = releases::list(&mut shop.database.store().read().await.unwrap(), None, 10).await.unwrap();
    assert_eq!(known.iter().map(|release| release.id.0).collect::<Vec<_>>(), [1]);
}
