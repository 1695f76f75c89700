//! Variants of uploaded pictures: claimed, kept, given back, set aside.

use std::time::Duration;

use microblog_domain::media::ImageVariant;
use microblog_domain::{BuildState, ChangeSeq, ContentHash};
use microblog_store::images::{self, ClaimedImage, MAX_ATTEMPTS, MadeVariants};
use microblog_store::media::{self, Media, MediaFile};
use microblog_store::{audit, builds};

use crate::scenario::{Scenario, in_transaction, reading};

const LEASE: Duration = Duration::from_secs(60);

async fn upload(scenario: &Scenario, name: &str, content_type: &str) -> Media {
    let file = MediaFile {
        hash: ContentHash::of(b"pixels"),
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        size: 6,
        dimensions: Some((640, 480)),
    };
    in_transaction!(scenario, |tx| media::add(tx, &file, &scenario.origin())).unwrap()
}

async fn claim(scenario: &Scenario, worker: &str) -> Option<ClaimedImage> {
    in_transaction!(scenario, |tx| images::claim(tx, worker, LEASE, &scenario.origin())).unwrap()
}

fn made() -> MadeVariants {
    let variant = |width| ImageVariant { width, height: 3, hash: ContentHash::of(&[1]), size: 9 };
    MadeVariants { dimensions: (480, 640), variants: vec![variant(960), variant(480)] }
}

#[tokio::test]
async fn a_picture_is_worked_on_once_whatever_its_names_and_builds_hear_of_each() {
    let scenario = Scenario::new().await;
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

#[tokio::test]
async fn an_upload_of_a_known_picture_is_measured_as_it_is_shown_and_one_that_was_deleted_is_made_again() {
    let scenario = Scenario::new().await;
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

#[tokio::test]
async fn what_gives_no_variants_changes_nothing_for_readers() {
    let scenario = Scenario::new().await;
    let file = upload(&scenario, "a.png", "image/png").await;
    let claimed = claim(&scenario, "one").await.unwrap();
    let nothing = MadeVariants { dimensions: (640, 480), variants: Vec::new() };
    assert_eq!(in_transaction!(scenario, |tx| images::keep(tx, &claimed, &nothing, &scenario.origin())).unwrap(), None);
    assert_eq!(reading!(scenario, |conn| media::changed_since(conn, ChangeSeq(0), 10)), [file]);
}

#[tokio::test]
async fn a_picture_that_ends_its_workers_is_set_aside_and_the_audit_trail_says_so() {
    let scenario = Scenario::new().await;
    upload(&scenario, "a.png", "image/png").await;
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(claim(&scenario, "one").await.map(|claimed| claimed.attempt), Some(attempt));
        assert_eq!(claim(&scenario, "two").await, None);
        scenario.later(61);
    }
    assert_eq!(claim(&scenario, "one").await, None);
    let told = reading!(scenario, |conn| audit::list(conn, None, 1)).remove(0);
    assert_eq!(told.action, "media.no_variants");
    assert!(told.detail["reason"].as_str().unwrap().contains("ended 5 times"), "{}", told.detail);
}

#[tokio::test]
async fn what_is_given_back_was_no_attempt_and_what_was_lost_is_not_kept() {
    let scenario = Scenario::new().await;
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

#[tokio::test]
async fn only_pictures_that_are_still_there_and_have_pixels_are_worked_on() {
    let scenario = Scenario::new().await;
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

#[tokio::test]
async fn uploads_from_before_there_were_variants_get_them_too() {
    let scenario = Scenario::new().await;
    upload(&scenario, "a.png", "image/png").await;
    let mut tx = scenario.db.store().begin().await.unwrap();
    microblog_store::migrate::down(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    let store = scenario.db.open_again().await;
    assert!(images::is_any_due(&mut store.read().await.unwrap(), scenario.now()).await.unwrap());
}
