//! Lists of posts: order, pages, filters, search, slugs and counts.

use microblog_domain::{PostId, PostStatus};
use microblog_store::posts::list::{PostCursor, PostFilter, PostOrder, PostPage, list};
use microblog_store::posts::{count_by_status, free_slug, with_slug};
use microblog_store::publishing::{self, Intent};
use microblog_testkit::{DatabaseKind, a_post};

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    pages_of_a_list_meet_without_gap_or_overlap_even_when_times_are_equal,
    lists_are_filtered_by_status_tag_owner_and_words_together,
    the_trash_is_listed_only_when_it_is_asked_for,
    search_follows_every_edit_and_finds_beginnings_accents_and_any_script,
    common_words_are_found_as_exactly_as_rare_ones,
    a_post_that_lost_a_tag_is_no_longer_listed_under_it,
    a_taken_slug_is_numbered_and_the_trash_takes_none,
    every_status_is_counted_even_if_there_is_none_of_it,
];

async fn page(scenario: &Scenario, filter: PostFilter) -> PostPage {
    reading!(scenario, |conn| list(conn, &PostFilter { limit: filter.limit.max(1), ..filter }))
}

async fn titles(scenario: &Scenario, filter: PostFilter) -> Vec<String> {
    let page = page(scenario, PostFilter { limit: 100, ..filter }).await;
    page.posts.into_iter().map(|post| post.post.content.title.unwrap_or_default()).collect()
}

async fn pages_of_a_list_meet_without_gap_or_overlap_even_when_times_are_equal(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    for number in 0..25 {
        if number % 4 == 0 {
            scenario.later(1);
        }
        scenario.create(a_post().titled(&format!("Post {number}")).tagged("all").published()).await;
    }
    for order in [PostOrder::RecentlyUpdated, PostOrder::RecentlyPublished] {
        for tag in [None, Some("all".parse().unwrap())] {
            let mut found: Vec<PostId> = Vec::new();
            let mut after: Option<PostCursor> = None;
            loop {
                let filter = PostFilter { order, tag: tag.clone(), after, limit: 4, ..PostFilter::default() };
                let page = page(&scenario, filter).await;
                found.extend(page.posts.iter().map(|post| post.post.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let whole = page(&scenario, PostFilter { order, limit: 100, ..PostFilter::default() }).await;
            assert_eq!(found, whole.posts.iter().map(|post| post.post.id).collect::<Vec<_>>(), "{order:?} {tag:?}");
            assert_eq!(found.len(), 25);
        }
    }
}

async fn lists_are_filtered_by_status_tag_owner_and_words_together(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let ada = scenario.db.user("ada", microblog_domain::Role::Author).await.id;
    scenario.create(a_post().titled("Both").tagged("Rust").saying("about crabs").owned_by(ada).published()).await;
    scenario.create(a_post().titled("Draft").tagged("Rust").saying("about crabs")).await;
    scenario.create(a_post().titled("Other tag").tagged("Go").saying("about crabs").published()).await;
    scenario.create(a_post().titled("Other words").tagged("Rust").saying("about fish").published()).await;
    let rust = Some("rust".parse().unwrap());
    let published = Some(PostStatus::Published);
    let words = Some("crab".to_owned());
    let all = PostFilter { status: published, tag: rust.clone(), words: words.clone(), ..PostFilter::default() };
    assert_eq!(titles(&scenario, all).await, ["Both"]);
    let owned = PostFilter { owner: Some(ada), ..PostFilter::default() };
    assert_eq!(titles(&scenario, owned).await, ["Both"]);
    let mut by_tag = titles(&scenario, PostFilter { tag: rust, ..PostFilter::default() }).await;
    by_tag.sort();
    assert_eq!(by_tag, ["Both", "Draft", "Other words"]);
    let dated = PostFilter { words, order: PostOrder::RecentlyPublished, ..PostFilter::default() };
    let mut dated = titles(&scenario, dated).await;
    dated.sort();
    assert_eq!(dated, ["Both", "Other tag"]);
}

async fn the_trash_is_listed_only_when_it_is_asked_for(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().titled("Gone")).await.post.post.id;
    in_transaction!(scenario, |tx| publishing::trash(tx, id, None, &scenario.origin())).unwrap();
    assert!(titles(&scenario, PostFilter::default()).await.is_empty());
    let trashed = PostFilter { status: Some(PostStatus::Trashed), ..PostFilter::default() };
    assert_eq!(titles(&scenario, trashed).await, ["Gone"]);
}

async fn search_follows_every_edit_and_finds_beginnings_accents_and_any_script(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().titled("Größe").saying("the naïve crab 日本語の記事")).await.post.post.id;
    let found = async |words: &str| {
        !titles(&scenario, PostFilter { words: Some(words.to_owned()), ..PostFilter::default() }).await.is_empty()
    };
    for words in ["crab", "CRA", "naive", "grosse", "größe", "größ crab", "日本"] {
        let expected = words != "grosse";
        assert_eq!(found(words).await, expected, "{words}");
    }
    for words in ["rab", "crab fish", "!!!", "\"", "crab OR fish", "title:crab", ""] {
        assert!(!found(words).await, "{words}");
    }
    scenario.edit(id, Intent::Keep, |c| c.markdown = "a lobster".to_owned()).await.unwrap();
    assert!(found("lobster").await);
    assert!(!found("crab").await);
    scenario.edit(id, Intent::Keep, |c| c.title = None).await.unwrap();
    assert!(!found("größe").await);
}

async fn common_words_are_found_as_exactly_as_rare_ones(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let mut tx = scenario.db.store().begin().await.unwrap();
    for number in 0..1_100 {
        let text = if number % 100 == 0 { "common rare" } else { "common" };
        let tag = if number % 200 == 0 { "few" } else { "many" };
        let post = a_post().titled(&format!("Post {number}")).tagged(tag).saying(text).build();
        publishing::create(&mut tx, post, &scenario.origin()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let few = Some("few".parse().unwrap());
    for (words, tag, expected) in [
        ("common", None, 100),
        ("rare", None, 11),
        ("common rare", None, 11),
        ("common", few.clone(), 6),
        ("rare", few, 6),
    ] {
        let found = titles(&scenario, PostFilter { words: Some(words.to_owned()), tag, ..PostFilter::default() }).await;
        assert_eq!(found.len(), expected, "{words}");
    }
}

async fn a_post_that_lost_a_tag_is_no_longer_listed_under_it(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().tagged("old").published()).await.post.post.id;
    scenario.edit(id, Intent::Keep, |c| c.tags.clear()).await.unwrap();
    let filter = PostFilter { tag: Some("old".parse().unwrap()), ..PostFilter::default() };
    assert!(titles(&scenario, filter).await.is_empty());
}

async fn a_taken_slug_is_numbered_and_the_trash_takes_none(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let wanted = "a-post".parse().unwrap();
    let free = async || reading!(scenario, |conn| free_slug(conn, &wanted)).to_string();
    assert_eq!(free().await, "a-post");
    let first = scenario.create(a_post()).await.post.post.id;
    assert_eq!(free().await, "a-post-2");
    scenario.create(a_post().slugged("a-post-2")).await;
    assert_eq!(free().await, "a-post-3");
    assert_eq!(reading!(scenario, |conn| with_slug(conn, &wanted)).len(), 1);
    in_transaction!(scenario, |tx| publishing::trash(tx, first, None, &scenario.origin())).unwrap();
    assert_eq!(free().await, "a-post");
}

async fn every_status_is_counted_even_if_there_is_none_of_it(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.create(a_post()).await;
    scenario.create(a_post().published()).await;
    scenario.create(a_post().published()).await;
    let counts = reading!(scenario, |conn| count_by_status(conn));
    assert_eq!(
        counts,
        [
            (PostStatus::Draft, 1),
            (PostStatus::Scheduled, 0),
            (PostStatus::Published, 2),
            (PostStatus::Trashed, 0),
            (PostStatus::Unpublishable, 0),
        ]
    );
}
