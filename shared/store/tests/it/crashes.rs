//! Tries of a build that ended without a word.

use std::time::Duration;

use microblog_domain::BuildMode;
use microblog_store::builds::{self, BuildRequest, leases};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database};

on_every_database![
    a_try_counts_as_a_crash_only_if_its_worker_said_nothing,
    crashes_stay_with_the_work_when_another_build_takes_it_over,
];

const MINUTE: Duration = Duration::from_secs(60);

async fn a_try_counts_as_a_crash_only_if_its_worker_said_nothing(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    ask(&scenario).await;
    let handed_back = scenario.claim("a").await.unwrap();
    let now = scenario.now();
    in_transaction!(scenario, |tx| leases::hand_back(tx, &handed_back.lease, now, now)).unwrap();
    let failed = scenario.claim("a").await.unwrap();
    in_transaction!(scenario, |tx| leases::retry(tx, &failed.lease, "no luck", now, now)).unwrap();
    assert_eq!(scenario.claim("killed").await.unwrap().build.crashes, 0);
    scenario.later(MINUTE.as_secs());
    assert_eq!(scenario.claim("killed, too").await.unwrap().build.crashes, 1);
    scenario.later(MINUTE.as_secs());
    assert_eq!(scenario.claim("b").await.unwrap().build.crashes, 2);
}

async fn crashes_stay_with_the_work_when_another_build_takes_it_over(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    ask(&scenario).await;
    let crashed = scenario.claim("a").await.unwrap();
    ask(&scenario).await;
    let now = scenario.now();
    in_transaction!(scenario, |tx| leases::retry_after_crash(tx, &crashed.lease, "broke", 2, now)).unwrap();
    ask(&scenario).await;
    let heir = scenario.claim("a").await.unwrap().build;
    assert_ne!(heir.id, crashed.build.id);
    assert_eq!((heir.crashes, heir.attempt), (2, 1));
}

async fn ask(scenario: &Scenario) {
    let origin = scenario.origin();
    in_transaction!(scenario, |tx| builds::ask(tx, &BuildRequest::now(BuildMode::Incremental, &origin), &origin))
        .unwrap();
}
