//! Users, the first owner, sessions, tokens.

use std::time::Duration;

use microblog_domain::{ContentHash, Role, Scope, UserId};
use microblog_store::sessions::{self, Session};
use microblog_store::tokens::{self, NewToken};
use microblog_store::users::{self, NewUser};
use microblog_store::{Refusal, StoreError, setup};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    names_are_found_in_any_case_and_taken_in_any_case,
    somebody_can_always_administer_the_site,
    the_set_up_link_works_once,
    a_session_lasts_until_its_end_and_can_be_prolonged,
    sessions_end_with_the_log_out_a_new_password_and_being_locked_out,
    a_token_works_until_it_expires_is_revoked_or_its_owner_is_locked_out,
    the_use_of_a_token_is_noted,
];

const HOUR: Duration = Duration::from_secs(3_600);

fn secret(text: &str) -> ContentHash {
    ContentHash::of(text.as_bytes())
}

impl Scenario {
    async fn begin_session(&self, name: &str, token: &ContentHash) {
        let known = reading!(self, |conn| users::find_by_name(conn, name)).unwrap();
        let now = self.now();
        let session = Session {
            token: *token,
            user: known.user.id,
            csrf_secret: "csrf".to_owned(),
            created_at: now,
            last_seen_at: now,
            expires_at: now + HOUR,
        };
        in_transaction!(self, |tx| sessions::begin(tx, &known, &session)).unwrap();
    }

    async fn has_session(&self, token: &ContentHash) -> bool {
        reading!(self, |conn| sessions::find(conn, token, self.now())).is_some()
    }

    async fn token(&self, user: UserId, text: &str) -> tokens::Token {
        let new = NewToken {
            hash: secret(text),
            user,
            name: "deploy".to_owned(),
            scopes: vec![Scope::Read, Scope::Write],
            expires_at: Some(self.now() + HOUR),
        };
        in_transaction!(self, |tx| tokens::create(tx, &new, self.now())).unwrap()
    }

    async fn token_works(&self, text: &str) -> bool {
        reading!(self, |conn| tokens::find(conn, &secret(text), self.now())).is_some()
    }
}

async fn names_are_found_in_any_case_and_taken_in_any_case(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let ada = scenario.db.user("Ada Lovelace", Role::Editor).await;
    let found = reading!(scenario, |conn| users::find_by_name(conn, "ada LOVELACE")).unwrap();
    assert_eq!((found.user, found.password_hash.as_str()), (ada.clone(), "!"));
    let same = NewUser { name: "ADA lovelace".to_owned(), password_hash: String::new(), role: Role::Author };
    let taken = in_transaction!(scenario, |tx| users::create(tx, &same, scenario.now()));
    assert!(matches!(taken, Err(StoreError::Taken { field: "name" })));
    assert_eq!(reading!(scenario, |conn| users::list(conn)), [ada]);
}

async fn somebody_can_always_administer_the_site(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let owner = scenario.db.user("owner", Role::Owner).await.id;
    let demote = in_transaction!(scenario, |tx| users::set_role(tx, owner, Role::Author));
    assert!(matches!(demote, Err(StoreError::Refused(Refusal::LastOwner))));
    let disable = in_transaction!(scenario, |tx| users::set_disabled(tx, owner, true));
    assert!(matches!(disable, Err(StoreError::Refused(Refusal::LastOwner))));
    assert_eq!(reading!(scenario, |conn| users::get(conn, owner)).role, Role::Owner);

    let second = scenario.db.user("second", Role::Author).await.id;
    in_transaction!(scenario, |tx| users::set_role(tx, second, Role::Owner)).unwrap();
    assert!(in_transaction!(scenario, |tx| users::set_disabled(tx, owner, true)).unwrap().disabled);
}

async fn the_set_up_link_works_once(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let (old, new) = (secret("old link"), secret("new link"));
    in_transaction!(scenario, |tx| setup::offer(tx, &old)).unwrap();
    in_transaction!(scenario, |tx| setup::offer(tx, &new)).unwrap();
    assert!(!reading!(scenario, |conn| setup::is_open(conn, &old)), "a new link replaces the old one");
    assert!(reading!(scenario, |conn| setup::is_open(conn, &new)));
    let finish = async |token: &ContentHash, name: &str| {
        in_transaction!(scenario, |tx| setup::finish(tx, token, name, "hash", scenario.now()))
    };
    assert!(matches!(finish(&old, "eve").await, Err(StoreError::Refused(Refusal::SetupIsOver))));
    assert_eq!(finish(&new, "ada").await.unwrap().role, Role::Owner);
    assert!(matches!(finish(&new, "eve").await, Err(StoreError::Refused(Refusal::SetupIsOver))));
    let offer = in_transaction!(scenario, |tx| setup::offer(tx, &new));
    assert!(matches!(offer, Err(StoreError::Refused(Refusal::SetupIsOver))));
}

async fn a_session_lasts_until_its_end_and_can_be_prolonged(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let user = scenario.db.user("ada", Role::Author).await;
    let token = secret("cookie");
    scenario.begin_session("ada", &token).await;
    let (session, owner) = reading!(scenario, |conn| sessions::find(conn, &token, scenario.now())).unwrap();
    assert_eq!((session.csrf_secret.as_str(), owner), ("csrf", user));
    assert!(!scenario.has_session(&secret("another")).await);

    let now = scenario.later(3_599);
    in_transaction!(scenario, |tx| sessions::prolong(tx, &token, now, now + HOUR)).unwrap();
    scenario.later(3_599);
    assert!(scenario.has_session(&token).await);
    scenario.later(1);
    assert!(!scenario.has_session(&token).await);
    assert_eq!(in_transaction!(scenario, |tx| sessions::forget_ended(tx, scenario.now())).unwrap(), 1);
}

async fn sessions_end_with_the_log_out_a_new_password_and_being_locked_out(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.db.user("owner", Role::Owner).await;
    let user = scenario.db.user("ada", Role::Author).await.id;
    let token = secret("cookie");
    scenario.begin_session("ada", &token).await;
    in_transaction!(scenario, |tx| sessions::end(tx, &token)).unwrap();
    assert!(!scenario.has_session(&token).await);
    scenario.begin_session("ada", &token).await;
    in_transaction!(scenario, |tx| users::set_password(tx, user, "new")).unwrap();
    assert!(!scenario.has_session(&token).await);
    scenario.begin_session("ada", &token).await;
    in_transaction!(scenario, |tx| users::set_disabled(tx, user, true)).unwrap();
    assert!(!scenario.has_session(&token).await);
    let nobody = UserId::generate(scenario.now());
    let missing = in_transaction!(scenario, |tx| users::set_password(tx, nobody, "new"));
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

async fn a_token_works_until_it_expires_is_revoked_or_its_owner_is_locked_out(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.db.user("owner", Role::Owner).await;
    let user = scenario.db.user("ada", Role::Author).await.id;
    let revoked = scenario.token(user, "revoked").await;
    scenario.token(user, "good").await;
    assert_eq!(revoked.scopes, [Scope::Read, Scope::Write]);
    assert!(scenario.token_works("revoked").await);
    in_transaction!(scenario, |tx| tokens::revoke(tx, revoked.id, scenario.now())).unwrap();
    assert!(!scenario.token_works("revoked").await);
    assert!(scenario.token_works("good").await);
    in_transaction!(scenario, |tx| users::set_disabled(tx, user, true)).unwrap();
    assert!(!scenario.token_works("good").await);
    in_transaction!(scenario, |tx| users::set_disabled(tx, user, false)).unwrap();
    scenario.later(3_600);
    assert!(!scenario.token_works("good").await);
    assert_eq!(reading!(scenario, |conn| tokens::list(conn, Some(user))).len(), 2);
    assert_eq!(reading!(scenario, |conn| tokens::list(conn, None)).len(), 2);
}

async fn the_use_of_a_token_is_noted(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let user = scenario.db.user("ada", Role::Author).await.id;
    let id = scenario.token(user, "secret").await.id;
    let now = scenario.later(60);
    in_transaction!(scenario, |tx| tokens::touch(tx, id, now)).unwrap();
    assert_eq!(reading!(scenario, |conn| tokens::get(conn, id)).last_used_at, Some(now));
}
