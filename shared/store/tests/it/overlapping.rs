//! Two transactions that overlap, on PostgreSQL, where they do: whatever is decided by what was read must hold when both
//! are kept. Nothing here is left to chance: the second begins when the first has done its part, and the first is kept
//! once the second has gone as far as it can.

use std::cell::Cell;
use std::time::Duration;

use microblog_domain::media::ImageVariant;
use microblog_domain::{ContentHash, PostStatus, RevisionNumber, Role, SiteSettings, UserId, Version};
use microblog_store::idempotency::{self, RecordedAnswer};
use microblog_store::images::{self, ImageWorker, MadeVariants};
use microblog_store::media::{self, Media, MediaFile};
use microblog_store::posts::{self, free_slug};
use microblog_store::publishing::{self, Intent};
use microblog_store::sessions::{self, Session};
use microblog_store::users::{self, Credentials};
use microblog_store::{Refusal, Store, StoreError, Transaction, outbox, revisions, settings, setup};
use microblog_testkit::{DatabaseKind, a_post, eventually};
use tokio::join;

use crate::scenario::{Scenario, in_transaction, reading};

/// Does both. What became of the second, and what the first gave.
async fn overlap<A, B>(
    scenario: &Scenario,
    first: impl AsyncFnOnce(&mut Transaction) -> Result<A, StoreError>,
    second: impl AsyncFnOnce(&mut Transaction) -> Result<B, StoreError>,
) -> (A, Result<B, StoreError>) {
    let store = scenario.db.store();
    let mut earlier = store.begin().await.unwrap();
    let done = first(&mut earlier).await.unwrap();
    let is_ended = Cell::new(false);
    let keep_earlier = async {
        eventually("the second has gone as far as it can", async || is_ended.get() || somebody_waits(store).await)
            .await;
        earlier.commit().await.unwrap();
    };
    let later = async {
        let mut later = store.begin().await.unwrap();
        let result = second(&mut later).await;
        is_ended.set(true);
        match &result {
            Ok(_) => later.commit().await.unwrap(),
            Err(_) => later.roll_back().await.unwrap(),
        }
        result
    };
    let ((), result) = join!(keep_earlier, later);
    (done, result)
}

/// Whether a transaction waits for what another one holds.
async fn somebody_waits(store: &Store) -> bool {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut reader = store.read().await.unwrap();
    sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *reader).await.unwrap() > 0
}

async fn on_a_server() -> Scenario {
    Scenario::on(DatabaseKind::Postgres).await
}

/// How an owner stops being one.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Demoted,
    LockedOut,
}

async fn lose(tx: &mut Transaction, owner: UserId, how: Loss) -> Result<(), StoreError> {
    match how {
        Loss::Demoted => users::set_role(tx, owner, Role::Editor).await.map(drop),
        Loss::LockedOut => users::set_disabled(tx, owner, true).await.map(drop),
    }
}

#[tokio::test]
async fn of_two_owners_who_send_each_other_away_one_stays() {
    for (one, other) in [
        (Loss::Demoted, Loss::Demoted),
        (Loss::Demoted, Loss::LockedOut),
        (Loss::LockedOut, Loss::Demoted),
        (Loss::LockedOut, Loss::LockedOut),
    ] {
        let scenario = on_a_server().await;
        let (olga, eve) =
            (scenario.db.user("olga", Role::Owner).await.id, scenario.db.user("eve", Role::Owner).await.id);
        let ((), refused) =
            overlap(&scenario, async |tx| lose(tx, olga, one).await, async |tx| lose(tx, eve, other).await).await;
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::LastOwner))), "{one:?}, {other:?}: {refused:?}");
        let left = reading!(scenario, |conn| users::get(conn, eve));
        assert!(left.role == Role::Owner && !left.disabled, "{left:?}");
    }
}

/// Somebody's log-in, by the password that they were known by.
async fn log_in(tx: &mut Transaction, scenario: &Scenario, known: &Credentials) -> Result<(), StoreError> {
    let now = scenario.now();
    let session = Session {
        token: ContentHash::of(b"cookie"),
        user: known.user.id,
        csrf_secret: "csrf".to_owned(),
        created_at: now,
        last_seen_at: now,
        expires_at: now + Duration::from_secs(60),
    };
    sessions::begin(tx, known, &session).await
}

/// Anna, and how she is known.
async fn known_user(scenario: &Scenario) -> Credentials {
    scenario.db.user("olga", Role::Owner).await;
    scenario.db.user("anna", Role::Author).await;
    reading!(scenario, |conn| users::find_by_name(conn, "anna")).unwrap()
}

async fn has_session(scenario: &Scenario) -> bool {
    reading!(scenario, |conn| sessions::find(conn, &ContentHash::of(b"cookie"), scenario.now())).is_some()
}

#[tokio::test]
async fn a_log_in_that_overlaps_with_a_change_of_the_password_does_not_survive_it() {
    let scenario = on_a_server().await;
    let anna = known_user(&scenario).await;
    let ((), refused) = overlap(
        &scenario,
        async |tx| users::set_password(tx, anna.user.id, "new").await,
        async |tx| log_in(tx, &scenario, &anna).await,
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::CredentialsChanged))), "{refused:?}");
    let anna = reading!(scenario, |conn| users::find_by_name(conn, "anna")).unwrap();
    let ((), changed) = overlap(
        &scenario,
        async |tx| log_in(tx, &scenario, &anna).await,
        async |tx| users::set_password(tx, anna.user.id, "newest").await,
    )
    .await;
    assert!(changed.is_ok() && !has_session(&scenario).await, "{changed:?}");
}

#[tokio::test]
async fn nobody_is_let_in_again_with_a_log_in_from_the_moment_they_were_locked_out() {
    let scenario = on_a_server().await;
    let anna = known_user(&scenario).await;
    let (_, refused) = overlap(
        &scenario,
        async |tx| users::set_disabled(tx, anna.user.id, true).await,
        async |tx| log_in(tx, &scenario, &anna).await,
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::CredentialsChanged))), "{refused:?}");
    in_transaction!(scenario, |tx| users::set_disabled(tx, anna.user.id, false)).unwrap();
    assert!(!has_session(&scenario).await);
}

#[tokio::test]
async fn of_two_changes_of_one_password_at_once_the_second_is_refused() {
    let scenario = on_a_server().await;
    let anna = known_user(&scenario).await;
    let ((), refused) = overlap(
        &scenario,
        async |tx| users::replace_password(tx, &anna, "hers").await,
        async |tx| users::replace_password(tx, &anna, "of whoever knew the old one").await,
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::CredentialsChanged))), "{refused:?}");
    assert_eq!(reading!(scenario, |conn| users::find_by_name(conn, "anna")).unwrap().password_hash, "hers");
}

#[tokio::test]
async fn a_site_that_two_set_up_at_once_has_one_owner_and_no_link_left() {
    let scenario = on_a_server().await;
    let (token, now) = (ContentHash::of(b"link"), scenario.now());
    in_transaction!(scenario, |tx| setup::offer(tx, &token)).unwrap();
    let (owner, refused) = overlap(
        &scenario,
        async |tx| setup::finish(tx, &token, "olga", "hash", now).await,
        async |tx| setup::finish(tx, &token, "eve", "hash", now).await,
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::SetupIsOver))), "{refused:?}");
    assert_eq!(reading!(scenario, |conn| users::list(conn)), [owner]);
}

#[tokio::test]
async fn a_link_is_not_offered_while_somebody_uses_the_one_before() {
    let scenario = on_a_server().await;
    let (old, new, now) = (ContentHash::of(b"old"), ContentHash::of(b"new"), scenario.now());
    in_transaction!(scenario, |tx| setup::offer(tx, &old)).unwrap();
    let (_, refused) = overlap(
        &scenario,
        async |tx| setup::finish(tx, &old, "olga", "hash", now).await,
        async |tx| setup::offer(tx, &new).await,
    )
    .await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::SetupIsOver))), "{refused:?}");
}

fn picture(name: &str) -> MediaFile {
    MediaFile {
        hash: ContentHash::of(b"pixels"),
        name: name.to_owned(),
        content_type: "image/png".to_owned(),
        size: 6,
        dimensions: Some((640, 480)),
    }
}

async fn uploads(scenario: &Scenario) -> Vec<Media> {
    reading!(scenario, |conn| media::list(conn, None, 10))
}

#[tokio::test]
async fn the_same_file_uploaded_twice_at_once_is_one_file() {
    let scenario = on_a_server().await;
    let (file, origin) = (picture("a.png"), scenario.origin());
    let (first, second) = overlap(
        &scenario,
        async |tx| media::add(tx, &file, &origin).await,
        async |tx| media::add(tx, &file, &origin).await,
    )
    .await;
    assert_eq!(second.unwrap().id, first.id);
    assert_eq!(uploads(&scenario).await, [first]);
}

#[tokio::test]
async fn a_file_that_is_uploaded_while_somebody_deletes_it_is_there() {
    let scenario = on_a_server().await;
    let (file, origin) = (picture("a.png"), scenario.origin());
    let before = in_transaction!(scenario, |tx| media::add(tx, &file, &origin)).unwrap();
    let (_, uploaded) = overlap(
        &scenario,
        async |tx| media::delete(tx, before.id, &origin).await,
        async |tx| media::add(tx, &file, &origin).await,
    )
    .await;
    assert_eq!(uploads(&scenario).await, [uploaded.unwrap()]);
}

#[tokio::test]
async fn a_picture_that_is_uploaded_while_its_variants_are_kept_is_measured_as_it_is_shown() {
    let scenario = on_a_server().await;
    let (origin, worker) = (scenario.origin(), ImageWorker { name: "one", edition: 1 });
    in_transaction!(scenario, |tx| media::add(tx, &picture("a.png"), &origin)).unwrap();
    let claimed =
        in_transaction!(scenario, |tx| images::claim(tx, worker, Duration::from_secs(60), &origin)).unwrap().unwrap();
    let variant = ImageVariant { width: 480, height: 640, hash: ContentHash::of(&[1]), size: 9 };
    let made = MadeVariants { dimensions: (480, 640), variants: vec![variant] };
    let (_, uploaded) = overlap(
        &scenario,
        async |tx| images::keep(tx, &claimed, &made, &origin).await,
        async |tx| media::add(tx, &picture("b.png"), &origin).await,
    )
    .await;
    uploaded.unwrap();
    let measured: Vec<_> = uploads(&scenario).await.into_iter().map(|media| media.file.dimensions).collect();
    assert_eq!(measured, [Some((480, 640)); 2]);
}

#[tokio::test]
async fn two_makers_never_claim_one_picture() {
    let scenario = on_a_server().await;
    let origin = scenario.origin();
    in_transaction!(scenario, |tx| media::add(tx, &picture("a.png"), &origin)).unwrap();
    let claim = async |tx: &mut Transaction, name: &str| {
        images::claim(tx, ImageWorker { name, edition: 1 }, Duration::from_secs(60), &origin).await
    };
    let (first, second) =
        overlap(&scenario, async |tx| claim(tx, "one").await, async |tx| claim(tx, "two").await).await;
    assert_eq!((first.is_some(), second.unwrap()), (true, None));
}

#[tokio::test]
async fn two_posts_that_want_one_slug_at_once_get_two() {
    let scenario = on_a_server().await;
    let origin = scenario.origin();
    let create = async |tx: &mut Transaction| {
        posts::hold_addresses(tx).await?;
        let mut post = a_post().slugged("crabs").published().build();
        post.content.slug = free_slug(tx, &post.content.slug).await?;
        publishing::create(tx, post, &origin).await
    };
    let (first, second) = overlap(&scenario, async |tx| create(tx).await, async |tx| create(tx).await).await;
    let slugs = [first, second.unwrap()].map(|saved| saved.post.post.content.slug.to_string());
    assert_eq!(slugs, ["crabs", "crabs-2"]);
}

#[tokio::test]
async fn texts_of_one_post_that_are_kept_at_once_have_numbers_of_their_own() {
    let scenario = on_a_server().await;
    let (post, origin) = (scenario.create(a_post().saying("one")).await.post.post, scenario.origin());
    let (edit, conflict, other) =
        (a_post().saying("two").content(), a_post().saying("three").content(), a_post().saying("four").content());
    let (_, number) = overlap(
        &scenario,
        async |tx| publishing::edit(tx, post.id, Version(1), edit, Intent::Keep, &origin).await,
        async |tx| revisions::keep_conflict(tx, post.id, &conflict, &origin).await,
    )
    .await;
    assert_eq!(number.unwrap(), RevisionNumber(3));
    let (number, next) = overlap(
        &scenario,
        async |tx| revisions::keep_conflict(tx, post.id, &other, &origin).await,
        async |tx| publishing::restore_revision(tx, post.id, RevisionNumber(1), None, &origin).await,
    )
    .await;
    assert_eq!((number, next.unwrap().post.post.version), (RevisionNumber(4), Version(3)));
    let texts = reading!(scenario, |conn| revisions::list(conn, post.id, None, 10)).into_iter().rev();
    let texts: Vec<_> = texts.map(|revision| (revision.number.0, revision.content.markdown)).collect();
    let expected = [(1, "one"), (2, "two"), (3, "three"), (4, "four"), (5, "one")];
    assert_eq!(texts, expected.map(|(number, text)| (number, text.to_owned())));
}

#[tokio::test]
async fn whoever_changes_a_post_whatever_its_version_changes_what_the_one_before_left() {
    let scenario = on_a_server().await;
    let (post, origin) = (scenario.create(a_post()).await.post.post, scenario.origin());
    let (_, trashed) = overlap(
        &scenario,
        async |tx| publishing::publish(tx, post.id, None, &origin).await,
        async |tx| publishing::trash(tx, post.id, None, &origin).await,
    )
    .await;
    let trashed = trashed.unwrap();
    assert_eq!((trashed.post.post.status, trashed.post.post.version), (PostStatus::Trashed, Version(3)));
    assert!(trashed.build.is_some(), "readers may have seen it");
}

#[tokio::test]
async fn what_is_scheduled_is_published_by_one_of_two() {
    let scenario = on_a_server().await;
    let post = scenario.create(a_post().dated("2026-01-01T01:00:00Z").published()).await.post.post;
    scenario.later(3_600);
    let origin = scenario.origin();
    let publish = async |tx: &mut Transaction| publishing::publish_due(tx, 10, &origin).await;
    let (first, second) = overlap(&scenario, async |tx| publish(tx).await, async |tx| publish(tx).await).await;
    assert_eq!((first, second.unwrap()), (1, 0));
    assert_eq!(scenario.read(post.id).await.post.version, Version(2));
}

#[tokio::test]
async fn who_asks_again_under_a_key_waits_for_the_answer_to_the_first() {
    let scenario = on_a_server().await;
    let (user, now) = (scenario.db.user("anna", Role::Author).await.id, scenario.now());
    let answer = RecordedAnswer {
        request: ContentHash::of(b"request"),
        status: 201,
        headers: vec![("etag".to_owned(), "\"1\"".to_owned())],
        body: "{}".to_owned(),
    };
    let (first, second) = overlap(
        &scenario,
        async |tx| {
            let found = idempotency::claim(tx, user, "key").await?;
            idempotency::record(tx, user, "key", &answer, now).await.map(|()| found)
        },
        async |tx| idempotency::claim(tx, user, "key").await,
    )
    .await;
    assert_eq!((first, second.unwrap()), (None, Some(answer)));
}

#[tokio::test]
async fn of_two_who_save_the_first_settings_at_once_the_second_is_told() {
    let scenario = on_a_server().await;
    let (new, origin) = (SiteSettings::default(), scenario.origin());
    let save = async |tx: &mut Transaction| settings::save(tx, Version(0), &new, &origin).await;
    let (_, refused) = overlap(&scenario, async |tx| save(tx).await, async |tx| save(tx).await).await;
    assert!(matches!(refused, Err(StoreError::Stale { current: Version(1) })), "{refused:?}");
}

#[tokio::test]
async fn two_relays_never_claim_one_message() {
    let scenario = on_a_server().await;
    scenario.create(a_post().published()).await;
    let now = scenario.now();
    let claim = async |tx: &mut Transaction| outbox::claim(tx, now, Duration::from_secs(10), 10).await;
    let (first, second) = overlap(&scenario, async |tx| claim(tx).await, async |tx| claim(tx).await).await;
    assert_eq!((first.len(), second.unwrap()), (1, vec![]));
}
