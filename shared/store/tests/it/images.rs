//! Variants of uploaded pictures: claimed, kept, given back, set aside.

use std::time::Duration;

use microblog_domain::media::ImageVariant;
use microblog_domain::{BuildState, ChangeSeq, ContentHash};
use microblog_store::images::{self, ClaimedImage, ImageWorker, MAX_ATTEMPTS, MadeVariants};
use microblog_store::media::{self, Media, MediaFile};
use microblog_store::{audit, builds};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    a_picture_is_worked_on_once_whatever_its_names_and_builds_hear_of_each,
    an_upload_of_a_known_picture_is_measured_as_it_is_shown_and_one_that_was_deleted_is_made_again,
    what_gives_no_variants_changes_nothing_for_readers,
    a_picture_that_ends_its_workers_is_set_aside_and_the_audit_trail_says_so,
    what_is_given_back_was_no_attempt_and_what_was_lost_is_not_kept,
    only_pictures_that_are_still_there_and_have_pixels_are_worked_on,
    what_was_set_aside_is_tried_again_when_it_is_uploaded_again,
    what_was_set_aside_is_tried_again_by_a_newer_maker_once,
    variants_that_were_lost_are_made_again_and_replace_those_before,
    the_last_of_several_pictures_is_shown_at_once_with_those_before,
    uploads_from_before_there_were_variants_get_them_too,
];

const LEASE: Duration = Duration::from_secs(60);

async fn upload(scenario: &Scenario, name: &str, content_type: &str) -> Media {
    upload_of(scenario, b"pixels", name, content_type).await
}

async fn upload_of(scenario: &Scenario, bytes: &[u8], name: &str, content_type: &str) -> Media {
    let file = MediaFile {
        hash: ContentHash::of(bytes),
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        size: 6,
        dimensions: Some((640, 480)),
    };
    in_transaction!(scenario, |tx| media::add(tx, &file, &scenario.origin())).unwrap()
}

async fn claim(scenario: &Scenario, worker: &str) -> Option<ClaimedImage> {
    let worker = ImageWorker { name: worker, edition: 1 };
    in_transaction!(scenario, |tx| images::claim(tx, worker, LEASE, &scenario.origin())).unwrap()
}

fn made() -> MadeVariants {
    let variant = |width| ImageVariant { width, height: 3, hash: ContentHash::of(&[1]), size: 9 };
    MadeVariants { dimensions: (480, 640), variants: vec![variant(960), variant(480)] }
}

async fn a_picture_is_worked_on_once_whatever_its_names_and_builds_hear_of_each(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = upload(&scenario, "a.png", "image/png").await;
    let second = upload(&scenario, "b.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    assert_eq!(claim(&scenario, "two").await, None);
    let build = in_transaction!(scenario, |tx| images::keep(tx, &claimed, &made(), &scenario.origin())).unwrap();
    assert_eq!(reading!(scenario, |conn| builds::get(conn, build.unwrap())).state, BuildState::Waiting);
    let changed = reading!(scenario, |conn| media::changed_since(conn, second.change, 10));
    assert_eq!(changed.iter().map(|media| media.id).collect::<Vec<_>>(), [first.id, second.id]);
    assert!(changed.iter().all(|media| media.file.dimensions == Some((480, 640))));
    let found = reading!(scenario, |conn| images::variants_of(conn, &[claimed.hash, ContentHash::of(b"other")]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[&claimed.hash].iter().map(|variant| variant.width).collect::<Vec<_>>(), [480, 960]);
    scenario.later(3_600);
    assert_eq!(claim(&scenario, "two").await, None);
}

async fn an_upload_of_a_known_picture_is_measured_as_it_is_shown_and_one_that_was_deleted_is_made_again(
    database: DatabaseKind,
) {
    let scenario = Scenario::on(database).await;
    let first = upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::keep(tx, &claimed, &made(), &scenario.origin())).unwrap();
    let second = upload(&scenario, "b.png", "image/png").await;
    assert_eq!(second.file.dimensions, Some((480, 640)));
    assert_eq!(claim(&scenario, "one").await, None);

    for id in [first.id, second.id] {
        in_transaction!(scenario, |tx| media::delete(tx, id, &scenario.origin())).unwrap();
    }
    upload(&scenario, "a.png", "image/png").await;
    let again = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::keep(tx, &again, &made(), &scenario.origin())).unwrap().unwrap();
    let found = reading!(scenario, |conn| images::variants_of(conn, &[again.hash]));
    assert_eq!(found[&again.hash].len(), 2);
}

async fn what_gives_no_variants_changes_nothing_for_readers(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let file = upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    let nothing = MadeVariants { dimensions: (640, 480), variants: Vec::new() };
    assert_eq!(in_transaction!(scenario, |tx| images::keep(tx, &claimed, &nothing, &scenario.origin())).unwrap(), None);
    assert_eq!(reading!(scenario, |conn| media::changed_since(conn, ChangeSeq(0), 10)), [file]);
}

async fn a_picture_that_ends_its_workers_is_set_aside_and_the_audit_trail_says_so(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    upload(&scenario, "a.png", "image/png").await;
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(claim(&scenario, "one").await.map(|claimed| claimed.attempt), Some(attempt));
        assert_eq!(claim(&scenario, "two").await, None);
        scenario.later(61);
    }
    assert_eq!(claim(&scenario, "one").await, None);
    let told = reading!(scenario, |conn| audit::list(conn, None, 1)).remove(0);
    assert_eq!(told.action, "media.no_variants");
    assert!(told.detail["reason"].as_str().unwrap().contains("none of 5 attempts"), "{}", told.detail);
}

async fn what_is_given_back_was_no_attempt_and_what_was_lost_is_not_kept(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::give_back(tx, &claimed, scenario.now())).unwrap();
    let lost = claim(&scenario, "one").await.unwrap();
    assert_eq!(lost.attempt, 1);
    in_transaction!(scenario, |tx| images::bury(tx, "one", scenario.now())).unwrap();
    let again = claim(&scenario, "two").await.unwrap();
    assert_eq!(again.attempt, 2);
    assert_eq!(in_transaction!(scenario, |tx| images::keep(tx, &lost, &made(), &scenario.origin())).unwrap(), None);
    in_transaction!(scenario, |tx| images::set_aside(tx, &lost, "late", &scenario.origin())).unwrap();
    assert!(in_transaction!(scenario, |tx| images::keep(tx, &again, &made(), &scenario.origin())).unwrap().is_some());
}

async fn only_pictures_that_are_still_there_and_have_pixels_are_worked_on(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    upload(&scenario, "a.gif", "image/gif").await;
    assert!(!reading!(scenario, |conn| images::is_any_due(conn, scenario.now())));
    let file = upload(&scenario, "a.png", "image/png").await;
    assert!(reading!(scenario, |conn| images::is_any_due(conn, scenario.now())));
    in_transaction!(scenario, |tx| media::delete(tx, file.id, &scenario.origin())).unwrap();
    let gif = reading!(scenario, |conn| media::list(conn, None, 10)).remove(0);
    in_transaction!(scenario, |tx| media::delete(tx, gif.id, &scenario.origin())).unwrap();
    assert_eq!(claim(&scenario, "one").await, None);
    upload(&scenario, "a.png", "image/png").await;
    assert!(claim(&scenario, "one").await.is_some(), "it was uploaded again");
}

async fn what_was_set_aside_is_tried_again_when_it_is_uploaded_again(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::set_aside(tx, &claimed, "broken", &scenario.origin())).unwrap();
    scenario.later(3_600);
    assert_eq!(claim(&scenario, "one").await, None);
    assert_eq!(upload(&scenario, "a.png", "image/png").await, first);
    let again = claim(&scenario, "one").await.unwrap();
    assert_eq!(again.attempt, 1);
    in_transaction!(scenario, |tx| images::keep(tx, &again, &made(), &scenario.origin())).unwrap();
    upload(&scenario, "a.png", "image/png").await;
    assert_eq!(claim(&scenario, "one").await, None, "what was made is not made again");
}

async fn what_was_set_aside_is_tried_again_by_a_newer_maker_once(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::set_aside(tx, &claimed, "broken", &scenario.origin())).unwrap();
    in_transaction!(scenario, |tx| images::reconsider(tx, 1)).unwrap();
    assert_eq!(claim(&scenario, "one").await, None, "this maker tried it");
    in_transaction!(scenario, |tx| images::reconsider(tx, 2)).unwrap();
    assert_eq!(claim(&scenario, "one").await.map(|claimed| claimed.attempt), Some(1));
}

async fn variants_that_were_lost_are_made_again_and_replace_those_before(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let media = upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::keep(tx, &claimed, &made(), &scenario.origin())).unwrap();
    in_transaction!(scenario, |tx| images::want_again(tx, &[media.file.hash])).unwrap();
    let again = claim(&scenario, "one").await.unwrap();
    in_transaction!(scenario, |tx| images::want_again(tx, &[media.file.hash])).unwrap();
    let one = MadeVariants { variants: made().variants[..1].to_vec(), ..made() };
    let build = in_transaction!(scenario, |tx| images::keep(tx, &again, &one, &scenario.origin())).unwrap();
    assert!(build.is_some(), "readers can notice");
    let found = reading!(scenario, |conn| images::variants_of(conn, &[media.file.hash]));
    assert_eq!(found[&media.file.hash], one.variants);
}

async fn the_last_of_several_pictures_is_shown_at_once_with_those_before(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    upload(&scenario, "a.png", "image/png").await;
    upload_of(&scenario, b"others", "b.png", "image/png").await;
    let (first, last) = (claim(&scenario, "one").await.unwrap(), claim(&scenario, "two").await.unwrap());
    let mut asked = Vec::new();
    for claimed in [first, last] {
        let build = in_transaction!(scenario, |tx| images::keep(tx, &claimed, &made(), &scenario.origin())).unwrap();
        asked.push(reading!(scenario, |conn| builds::get(conn, build.unwrap())));
    }
    assert_eq!(asked[0].id, asked[1].id);
    assert!(asked[0].run_after > scenario.now(), "the other maker is still at work");
    assert_eq!(asked[1].run_after, scenario.now());
}

async fn uploads_from_before_there_were_variants_get_them_too(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    upload(&scenario, "a.png", "image/png").await;
    let mut tx = scenario.db.store().begin().await.unwrap();
    microblog_store::migrate::down(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    let store = scenario.db.open_again().await;
    assert!(images::is_any_due(&mut store.read().await.unwrap(), scenario.now()).await.unwrap());
}
