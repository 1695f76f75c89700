//! What happens to a post: saving, publishing, throwing away, and what each leaves behind.

use microblog_domain::{BuildState, ChangeSeq, PostStatus, RevisionNumber, Version};
use microblog_store::posts::changes;
use microblog_store::publishing::{self, Intent};
use microblog_store::{Refusal, StoreError, audit, builds, newest_change, outbox, revisions};
use microblog_testkit::{DatabaseKind, a_post};

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    a_post_comes_back_as_it_was_saved,
    publishing_keeps_the_post_its_revision_its_build_and_its_message_together,
    what_is_not_committed_never_happened,
    a_draft_asks_for_no_build_until_it_is_published_and_for_one_when_it_is_withdrawn,
    an_edit_of_an_older_version_is_refused_with_the_current_one,
    saving_the_same_again_leaves_no_trace,
    the_status_follows_the_intent_and_the_date,
    a_scheduled_post_must_keep_a_date,
    scheduled_posts_go_live_when_their_time_comes_and_only_once,
    a_scheduled_post_that_comes_late_has_been_waited_for_since_its_date,
    the_trash_gives_back_drafts_and_takes_no_edits,
    a_post_that_was_set_aside_says_why_until_an_edit_gives_it_another_chance,
    a_post_that_was_edited_meanwhile_is_not_set_aside_for_its_old_text,
    every_text_can_be_brought_back,
    a_text_that_lost_against_the_database_is_kept_and_marked,
    a_build_learns_what_came_went_and_changed_since_the_last_one,
    a_whole_site_is_read_in_small_pages,
];

async fn a_post_comes_back_as_it_was_saved(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let post = a_post().titled("Hello, World").tagged("Rust").tagged("C++").dated("2025-12-24T18:00:00.123456Z");
    let mut content = post.content();
    content.aliases = vec!["/old/".parse().unwrap()];
    content.permalink = Some("/hello/".parse().unwrap());
    content.authors = vec!["Ada".to_owned()];
    content.extra.insert("mood".to_owned(), serde_json::json!({"nested": [1, 2]}));
    let new = publishing::NewPost { content, ..a_post().published().build() };
    let saved = in_transaction!(scenario, |tx| publishing::create(tx, new.clone(), &scenario.origin())).unwrap();
    let read = scenario.read(saved.post.post.id).await;
    assert_eq!(read, saved.post);
    assert_eq!(read.post.content, new.content);
    assert_eq!((read.post.status, read.post.version), (PostStatus::Published, Version(1)));
}

async fn publishing_keeps_the_post_its_revision_its_build_and_its_message_together(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let saved = scenario.create(a_post().published()).await;
    let id = saved.post.post.id;
    let build = saved.build.unwrap();
    assert_eq!(saved.post.post.content.published_at, Some(scenario.now()));
    assert_eq!(reading!(scenario, |conn| revisions::list(conn, id, None, 10)).len(), 1);
    assert_eq!(reading!(scenario, |conn| builds::get(conn, build)).id, build);
    assert_eq!(reading!(scenario, |conn| outbox::backlog(conn, scenario.now())).pending, 1);
    assert_eq!(reading!(scenario, |conn| audit::list(conn, None, 10))[0].action, "post.create");
    assert_eq!(reading!(scenario, |conn| newest_change(conn)), ChangeSeq(1));
}

async fn what_is_not_committed_never_happened(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let mut tx = scenario.db.store().begin().await.unwrap();
    let id = publishing::create(&mut tx, a_post().published().build(), &scenario.origin()).await.unwrap().post.post.id;
    drop(tx);
    let mut conn = scenario.db.store().read().await.unwrap();
    assert!(matches!(microblog_store::posts::get(&mut conn, id).await, Err(StoreError::NotFound)));
    assert_eq!(builds::counts(&mut conn).await.unwrap().waiting, 0);
    assert_eq!(outbox::backlog(&mut conn, scenario.now()).await.unwrap().pending, 0);
    assert_eq!(newest_change(&mut conn).await.unwrap(), ChangeSeq(0));
}

async fn a_draft_asks_for_no_build_until_it_is_published_and_for_one_when_it_is_withdrawn(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let draft = scenario.create(a_post()).await;
    let id = draft.post.post.id;
    assert_eq!(draft.build, None);
    assert_eq!(scenario.edit(id, Intent::Keep, |c| c.markdown.push('!')).await.unwrap().build, None);
    let published = in_transaction!(scenario, |tx| publishing::publish(tx, id, None, &scenario.origin())).unwrap();
    assert!(published.build.is_some());
    let withdrawn = in_transaction!(scenario, |tx| publishing::unpublish(tx, id, None, &scenario.origin())).unwrap();
    assert!(withdrawn.build.is_some());
    assert_eq!(withdrawn.post.post.status, PostStatus::Draft);
    assert_eq!(withdrawn.post.post.content.published_at, Some(scenario.now()), "the date stays for the next time");
}

async fn an_edit_of_an_older_version_is_refused_with_the_current_one(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = scenario.create(a_post().published()).await.post.post;
    scenario.edit(first.id, Intent::Keep, |c| c.markdown = "second".to_owned()).await.unwrap();
    let stale = in_transaction!(scenario, |tx| publishing::edit(
        tx,
        first.id,
        first.version,
        first.content.clone(),
        Intent::Keep,
        &scenario.origin()
    ));
    assert!(matches!(stale, Err(StoreError::Stale { current: Version(2) })));
    assert_eq!(scenario.read(first.id).await.post.content.markdown, "second");
}

async fn saving_the_same_again_leaves_no_trace(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().published()).await.post.post.id;
    scenario.later(60);
    let again = scenario.edit(id, Intent::Keep, |_| ()).await.unwrap();
    assert_eq!((again.post.post.version, again.build), (Version(1), None));
    assert_eq!(reading!(scenario, |conn| revisions::list(conn, id, None, 10)).len(), 1);
    assert_eq!(reading!(scenario, |conn| newest_change(conn)), ChangeSeq(1));
}

async fn the_status_follows_the_intent_and_the_date(database: DatabaseKind) {
    use Intent::{Keep, Publish, Withdraw};
    use PostStatus::{Draft, Published, Scheduled};
    let (past, future) = (Some("2025-01-01T00:00:00Z"), Some("2027-01-01T00:00:00Z"));
    for (published, from, intent, to, status) in [
        (false, None, Keep, None, Draft),
        (false, None, Publish, None, Published),
        (false, None, Publish, past, Published),
        (false, None, Publish, future, Scheduled),
        (true, past, Keep, future, Scheduled),
        (true, past, Withdraw, past, Draft),
        (true, future, Keep, future, Scheduled),
        (true, future, Keep, past, Published),
        (true, future, Withdraw, future, Draft),
    ] {
        let scenario = Scenario::on(database).await;
        let mut post = a_post();
        post = if let Some(date) = from { post.dated(date) } else { post };
        post = if published { post.published() } else { post };
        let id = scenario.create(post).await.post.post.id;
        let date = to.map(|date| date.parse().unwrap());
        let saved = scenario.edit(id, intent, |c| c.published_at = date).await.unwrap();
        assert_eq!(saved.post.post.status, status, "{published} {from:?} {intent:?} {to:?}");
    }
}

async fn a_scheduled_post_must_keep_a_date(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().dated("2027-01-01T00:00:00Z").published()).await.post.post.id;
    let error = scenario.edit(id, Intent::Keep, |c| c.published_at = None).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(Refusal::NoPublicationTime)));
}

async fn scheduled_posts_go_live_when_their_time_comes_and_only_once(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().dated("2026-01-01T00:01:00Z").published()).await.post.post.id;
    let publish_due =
        async || in_transaction!(scenario, |tx| publishing::publish_due(tx, 10, &scenario.origin())).unwrap();
    scenario.later(59);
    assert_eq!(publish_due().await, 0);
    assert_eq!(scenario.read(id).await.post.status, PostStatus::Scheduled);
    scenario.later(1);
    assert_eq!(publish_due().await, 1);
    assert_eq!(scenario.read(id).await.post.status, PostStatus::Published);
    assert_eq!(publish_due().await, 0);
}

async fn a_scheduled_post_that_comes_late_has_been_waited_for_since_its_date(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().dated("2026-01-01T00:01:00Z").published()).await.post.post.id;
    scenario.later(90);
    in_transaction!(scenario, |tx| publishing::publish_due(tx, 10, &scenario.origin())).unwrap();
    let mut conn = scenario.db.store().read().await.unwrap();
    let build = builds::newest_in(&mut conn, BuildState::Waiting).await.unwrap().unwrap();
    assert_eq!(build.requested_at, "2026-01-01T00:01:00Z".parse().unwrap());
    assert_eq!(build.run_after, build.requested_at);
    let post = scenario.read(id).await.post;
    assert_eq!(post.content.published_at, Some(build.requested_at));
}

async fn the_trash_gives_back_drafts_and_takes_no_edits(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().published()).await.post.post.id;
    let trashed = in_transaction!(scenario, |tx| publishing::trash(tx, id, None, &scenario.origin())).unwrap();
    assert!(trashed.build.is_some());
    let edit = scenario.edit(id, Intent::Keep, |c| c.markdown.clear()).await;
    assert!(matches!(edit, Err(StoreError::Refused(Refusal::PostIsTrashed))));
    let publish = in_transaction!(scenario, |tx| publishing::publish(tx, id, None, &scenario.origin()));
    assert!(matches!(publish, Err(StoreError::Refused(Refusal::PostIsTrashed))));
    let restored = in_transaction!(scenario, |tx| publishing::restore(tx, id, None, &scenario.origin())).unwrap();
    assert_eq!(restored.post.post.status, PostStatus::Draft);
    let again = in_transaction!(scenario, |tx| publishing::restore(tx, id, None, &scenario.origin()));
    assert!(matches!(again, Err(StoreError::Refused(Refusal::PostIsNotTrashed))));
}

async fn a_post_that_was_set_aside_says_why_until_an_edit_gives_it_another_chance(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let post = scenario.create(a_post().published()).await.post.post;
    let set_aside = in_transaction!(scenario, |tx| publishing::set_aside(
        tx,
        post.id,
        post.version,
        "nested too deeply",
        &scenario.origin()
    ))
    .unwrap();
    assert_eq!(set_aside.post.post.status, PostStatus::Unpublishable);
    assert_eq!(set_aside.post.set_aside_reason.as_deref(), Some("nested too deeply"));
    let edited = scenario.edit(post.id, Intent::Keep, |c| c.markdown = "flat".to_owned()).await.unwrap();
    assert_eq!((edited.post.post.status, edited.post.set_aside_reason), (PostStatus::Published, None));
}

async fn a_post_that_was_edited_meanwhile_is_not_set_aside_for_its_old_text(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let post = scenario.create(a_post().published()).await.post.post;
    scenario.edit(post.id, Intent::Keep, |c| c.markdown = "mended".to_owned()).await.unwrap();
    let late =
        in_transaction!(scenario, |tx| publishing::set_aside(tx, post.id, post.version, "bad", &scenario.origin()));
    assert!(matches!(late, Err(StoreError::Stale { .. })));
}

async fn every_text_can_be_brought_back(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.create(a_post().saying("one").published()).await.post.post.id;
    scenario.edit(id, Intent::Keep, |c| c.markdown = "two".to_owned()).await.unwrap();
    let restored = in_transaction!(scenario, |tx| publishing::restore_revision(
        tx,
        id,
        RevisionNumber(1),
        Some(Version(2)),
        &scenario.origin()
    ))
    .unwrap();
    assert_eq!(restored.post.post.content.markdown, "one");
    assert_eq!(restored.post.post.status, PostStatus::Published);
    assert!(restored.build.is_some());
    let texts: Vec<_> = reading!(scenario, |conn| revisions::list(conn, id, None, 10))
        .into_iter()
        .map(|revision| (revision.number.0, revision.content.markdown))
        .collect();
    assert_eq!(texts, [(3, "one".to_owned()), (2, "two".to_owned()), (1, "one".to_owned())]);
    let missing = in_transaction!(scenario, |tx| publishing::restore_revision(
        tx,
        id,
        RevisionNumber(9),
        None,
        &scenario.origin()
    ));
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

async fn a_text_that_lost_against_the_database_is_kept_and_marked(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let post = scenario.create(a_post().published()).await.post.post;
    let lost = a_post().saying("from the file").content();
    in_transaction!(scenario, |tx| revisions::keep_conflict(tx, post.id, &lost, &scenario.origin())).unwrap();
    let newest = reading!(scenario, |conn| revisions::list(conn, post.id, None, 1)).remove(0);
    assert_eq!((newest.is_conflict, newest.content), (true, lost));
    assert_eq!(scenario.read(post.id).await.post, post);
}

async fn a_build_learns_what_came_went_and_changed_since_the_last_one(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let stays = scenario.create(a_post().titled("Stays").published()).await.post.post.id;
    let goes = scenario.create(a_post().titled("Goes").published()).await.post.post.id;
    scenario.create(a_post().titled("Never seen")).await;
    let seen = reading!(scenario, |conn| newest_change(conn));
    assert!(reading!(scenario, |conn| changes::changed_since(conn, seen, 10)).is_empty());
    in_transaction!(scenario, |tx| publishing::trash(tx, goes, None, &scenario.origin())).unwrap();
    scenario.edit(stays, Intent::Keep, |c| c.markdown = "new".to_owned()).await.unwrap();
    let comes = scenario.create(a_post().titled("Comes").published()).await.post.post.id;
    let changed = reading!(scenario, |conn| changes::changed_since(conn, seen, 10));
    let summary: Vec<_> = changed.iter().map(|change| (change.id, change.published.is_some())).collect();
    assert_eq!(summary, [(goes, false), (stays, true), (comes, true)]);
    assert!(changed.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(changed[2].seq, reading!(scenario, |conn| newest_change(conn)));
}

async fn a_whole_site_is_read_in_small_pages(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let mut expected = Vec::new();
    for number in 0..7 {
        scenario.later(1);
        expected.push(scenario.create(a_post().titled(&format!("Post {number}")).published()).await.post.post.id);
        scenario.create(a_post().titled(&format!("Draft {number}"))).await;
    }
    let mut snapshot = scenario.db.store().snapshot().await.unwrap();
    let mut found: Vec<microblog_domain::PostId> = Vec::new();
    loop {
        let page = changes::published_page(&mut snapshot, found.last().copied(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        found.extend(page.iter().map(|post| post.id));
        scenario.create(a_post().titled("Too late for the snapshot").published()).await;
    }
    assert_eq!(found, expected);
}
