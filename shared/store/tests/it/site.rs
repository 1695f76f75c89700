//! Settings, media, releases, answers given under a key, the audit trail.

use microblog_domain::{BuildMode, ChangeSeq, ContentHash, ReleaseId, Role, SiteSettings, Version};
use microblog_store::idempotency::{self, RecordedAnswer};
use microblog_store::media::{self, MediaFile};
use microblog_store::releases::{self, ReleaseRecord};
use microblog_store::{Origin, StoreError, audit, builds, installation, settings};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    settings_start_as_the_defaults_and_a_change_builds_the_whole_site,
    the_same_file_is_added_once_and_can_be_added_again_after_it_was_deleted,
    a_deleted_file_that_comes_back_is_brought_to_the_posts_that_show_it,
    builds_learn_of_added_and_deleted_files,
    a_file_is_found_by_its_public_address_only,
    an_activation_is_noted_once_however_often_it_is_reported,
    a_pin_holds_until_it_is_taken_out,
    an_answer_is_given_again_under_its_key_and_to_its_user_only,
    the_audit_trail_says_who_did_what_from_where,
    an_installation_is_named_once,
];

async fn settings_start_as_the_defaults_and_a_change_builds_the_whole_site(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let fresh = reading!(scenario, |conn| settings::load(conn));
    assert_eq!((fresh.settings, fresh.version), (SiteSettings::default(), Version(0)));
    let wanted = SiteSettings { title: "Ada's notes".to_owned(), ..SiteSettings::default() };
    let (saved, build) =
        in_transaction!(scenario, |tx| settings::save(tx, Version(0), &wanted, &scenario.origin())).unwrap();
    assert_eq!((&saved.settings, saved.version, saved.change), (&wanted, Version(1), ChangeSeq(1)));
    assert_eq!(reading!(scenario, |conn| settings::load(conn)), saved);
    assert_eq!(reading!(scenario, |conn| builds::get(conn, build)).mode, BuildMode::Full);
    let stale = in_transaction!(scenario, |tx| settings::save(tx, Version(0), &wanted, &scenario.origin()));
    assert!(matches!(stale, Err(StoreError::Stale { current: Version(1) })));
}

fn an_image(name: &str) -> MediaFile {
    MediaFile {
        hash: ContentHash::of(b"pixels"),
        name: name.to_owned(),
        content_type: "image/png".to_owned(),
        size: 6,
        dimensions: Some((640, 480)),
    }
}

async fn the_same_file_is_added_once_and_can_be_added_again_after_it_was_deleted(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let add =
        async |name: &str| in_transaction!(scenario, |tx| media::add(tx, &an_image(name), &scenario.origin())).unwrap();
    let first = add("a.png").await;
    assert_eq!(first.file, an_image("a.png"));
    assert_eq!(add("a.png").await, first);
    let other = add("b.png").await;
    assert_ne!(other.id, first.id);
    in_transaction!(scenario, |tx| media::delete(tx, first.id, &scenario.origin())).unwrap();
    assert!(reading!(scenario, |conn| media::uses_bytes(conn, &other.file.hash)));
    assert_eq!(reading!(scenario, |conn| media::list(conn, None, 10)), std::slice::from_ref(&other));
    let again = in_transaction!(scenario, |tx| media::delete(tx, first.id, &scenario.origin()));
    assert!(matches!(again, Err(StoreError::NotFound)));
    assert_ne!(add("a.png").await.id, first.id);
}

async fn a_deleted_file_that_comes_back_is_brought_to_the_posts_that_show_it(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let add = async || in_transaction!(scenario, |tx| media::add(tx, &an_image("a.png"), &scenario.origin())).unwrap();
    let waiting = async || reading!(scenario, |conn| builds::list(conn, None, 10)).len();
    let file = add().await;
    assert_eq!(waiting().await, 0);
    in_transaction!(scenario, |tx| media::delete(tx, file.id, &scenario.origin())).unwrap();
    let build = reading!(scenario, |conn| builds::list(conn, None, 10)).remove(0).id;
    in_transaction!(scenario, |tx| builds::cancel(tx, build, &scenario.origin())).unwrap();
    add().await;
    assert_eq!(waiting().await, 2);
}

async fn builds_learn_of_added_and_deleted_files(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let file = in_transaction!(scenario, |tx| media::add(tx, &an_image("a.png"), &scenario.origin())).unwrap();
    let seen = reading!(scenario, |conn| media::changed_since(conn, ChangeSeq(0), 10));
    assert_eq!(seen, std::slice::from_ref(&file));
    in_transaction!(scenario, |tx| media::delete(tx, file.id, &scenario.origin())).unwrap();
    let changed = reading!(scenario, |conn| media::changed_since(conn, file.change, 10));
    assert_eq!((changed.len(), changed[0].deleted_at), (1, Some(scenario.now())));
}

async fn a_file_is_found_by_its_public_address_only(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let file = in_transaction!(scenario, |tx| media::add(tx, &an_image("a.png"), &scenario.origin())).unwrap();
    let digits = file.file.hash.short(16);
    assert_eq!(reading!(scenario, |conn| media::find_public(conn, &digits, "a.png")), Some(file));
    assert_eq!(reading!(scenario, |conn| media::find_public(conn, &digits, "b.png")), None);
    assert_eq!(reading!(scenario, |conn| media::find_public(conn, "0000000000000000", "a.png")), None);
}

async fn an_activation_is_noted_once_however_often_it_is_reported(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let release = ReleaseRecord {
        id: ReleaseId(7),
        build: None,
        activated_at: scenario.now(),
        pages: 12,
        rolled_back_to: Some(ReleaseId(5)),
    };
    in_transaction!(scenario, |tx| releases::record(tx, &release)).unwrap();
    let repeated = ReleaseRecord { pages: 99, ..release.clone() };
    in_transaction!(scenario, |tx| releases::record(tx, &repeated)).unwrap();
    assert_eq!(reading!(scenario, |conn| releases::list(conn, None, 10)), std::slice::from_ref(&release));
    assert_eq!(reading!(scenario, |conn| releases::get(conn, ReleaseId(7))), release);
    let of_a_new_store = ReleaseRecord { activated_at: scenario.later(60), pages: 3, ..release };
    in_transaction!(scenario, |tx| releases::record(tx, &of_a_new_store)).unwrap();
    assert_eq!(reading!(scenario, |conn| releases::get(conn, ReleaseId(7))), of_a_new_store);
}

async fn a_pin_holds_until_it_is_taken_out(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    assert_eq!(reading!(scenario, |conn| releases::pinned(conn)), None);
    in_transaction!(scenario, |tx| releases::pin(tx, ReleaseId(3), &scenario.origin())).unwrap();
    assert_eq!(reading!(scenario, |conn| releases::pinned(conn)), Some(ReleaseId(3)));
    in_transaction!(scenario, |tx| releases::unpin(tx, &scenario.origin())).unwrap();
    assert_eq!(reading!(scenario, |conn| releases::pinned(conn)), None);
}

async fn an_answer_is_given_again_under_its_key_and_to_its_user_only(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let ada = scenario.db.user("ada", Role::Author).await.id;
    let bob = scenario.db.user("bob", Role::Author).await.id;
    let answer = RecordedAnswer {
        request: ContentHash::of(b"request"),
        status: 201,
        headers: vec![("location".to_owned(), "/posts/1".to_owned())],
        body: "{}".to_owned(),
    };
    let now = scenario.now();
    in_transaction!(scenario, |tx| idempotency::record(tx, ada, "key", &answer, now)).unwrap();
    assert_eq!(in_transaction!(scenario, |tx| idempotency::claim(tx, ada, "key")).unwrap(), Some(answer.clone()));
    assert_eq!(in_transaction!(scenario, |tx| idempotency::claim(tx, bob, "key")).unwrap(), None);
    let second = in_transaction!(scenario, |tx| idempotency::record(tx, ada, "key", &answer, now));
    assert!(matches!(second, Err(StoreError::Taken { field: "idempotency key" })), "{second:?}");
    let later = scenario.later(1);
    assert_eq!(in_transaction!(scenario, |tx| idempotency::forget_older(tx, later)).unwrap(), 1);
}

async fn the_audit_trail_says_who_did_what_from_where(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let ada = scenario.db.user("ada", Role::Editor).await.id;
    let origin = Origin {
        ip: Some("192.0.2.7".to_owned()),
        request_id: Some("r-1".to_owned()),
        ..Origin::by(ada, scenario.now())
    };
    let detail = serde_json::json!({"role": "editor"});
    for action in ["user.add", "user.change", "user.lock"] {
        in_transaction!(scenario, |tx| audit::record(tx, &origin, action, "bob", &detail)).unwrap();
    }
    let newest = reading!(scenario, |conn| audit::list(conn, None, 1)).remove(0);
    assert_eq!((newest.action.as_str(), newest.subject.as_str()), ("user.lock", "bob"));
    assert_eq!(
        (newest.user, newest.ip, newest.request_id, newest.detail),
        (Some(ada), origin.ip, origin.request_id, detail)
    );
    let rest = reading!(scenario, |conn| audit::list(conn, Some(newest.id), 10));
    assert_eq!(rest.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["user.change", "user.add"]);
}

async fn an_installation_is_named_once(database: DatabaseKind) {
    let [one, other] = [Scenario::on(database).await, Scenario::on(database).await];
    let id = async |of: &Scenario| in_transaction!(of, |tx| installation::id(tx, of.now())).unwrap();
    let first = id(&one).await;
    assert_eq!(id(&one).await, first);
    assert_ne!(id(&other).await, first);
}
