//! Errors that happen again and again, and people who take note.

use std::time::Duration;

use microblog_domain::Role;
use microblog_store::errors::{self, ErrorGroup, Occurrences};
use microblog_store::{Origin, TimeCursor};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    the_same_error_is_one_group_that_counts,
    what_another_process_stores_later_and_met_before_changes_only_the_beginning_and_the_count,
    an_error_is_acknowledged_by_somebody_and_opened_again_by_the_next_occurrence,
    what_happened_before_somebody_took_note_does_not_open_it_again,
    errors_are_read_in_pages_the_latest_first,
    errors_that_ended_are_forgotten,
];

impl Scenario {
    fn happened(&self, code: &str, place: &str, count: u64) -> Occurrences {
        Occurrences {
            code: code.to_owned(),
            place: place.to_owned(),
            message: format!("{count} times"),
            count,
            first_at: self.now(),
            last_at: self.now(),
            request_id: Some(format!("request-{count}")),
        }
    }

    async fn record(&self, happened: Vec<Occurrences>) {
        in_transaction!(self, |tx| errors::record(tx, happened)).unwrap();
    }

    async fn errors(&self) -> Vec<ErrorGroup> {
        reading!(self, |conn| errors::list(conn, None, None, 10))
    }

    async fn open_errors(&self) -> u64 {
        reading!(self, |conn| errors::count_open(conn))
    }
}

async fn the_same_error_is_one_group_that_counts(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = scenario.now();
    scenario.record(vec![scenario.happened("internal", "GET /a", 2), scenario.happened("internal", "GET /b", 1)]).await;
    scenario.later(60);
    let silent = Occurrences { request_id: None, ..scenario.happened("internal", "GET /a", 3) };
    scenario.record(vec![silent]).await;
    let errors = scenario.errors().await;
    let told: Vec<_> = errors.iter().map(|error| (error.place.as_str(), error.count)).collect();
    assert_eq!(told, [("GET /a", 5), ("GET /b", 1)]);
    let one = &errors[0];
    assert_eq!((one.first_seen_at, one.last_seen_at, one.message.as_str()), (first, scenario.now(), "3 times"));
    assert_eq!(one.request_id.as_deref(), Some("request-2"), "the last request that is known");
}

async fn what_another_process_stores_later_and_met_before_changes_only_the_beginning_and_the_count(
    database: DatabaseKind,
) {
    let scenario = Scenario::on(database).await;
    let (early, first) = (scenario.happened("internal", "GET /a", 1), scenario.now());
    scenario.later(60);
    scenario.record(vec![scenario.happened("internal", "GET /a", 2)]).await;
    scenario.record(vec![early]).await;
    let error = scenario.errors().await.remove(0);
    assert_eq!((error.count, error.first_seen_at, error.last_seen_at), (3, first, scenario.now()));
    assert_eq!((error.message.as_str(), error.request_id.as_deref()), ("2 times", Some("request-2")));
}

async fn an_error_is_acknowledged_by_somebody_and_opened_again_by_the_next_occurrence(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let ada = scenario.db.user("ada", Role::Owner).await.id;
    scenario.record(vec![scenario.happened("internal", "GET /a", 1)]).await;
    let id = scenario.errors().await[0].id;
    scenario.later(5);
    let origin = Origin { user: Some(ada), ..scenario.origin() };
    let group = in_transaction!(scenario, |tx| errors::acknowledge(tx, id, &origin)).unwrap();
    let taken = group.acknowledged.clone().unwrap();
    assert_eq!((taken.at, taken.by, taken.name.as_deref()), (scenario.now(), Some(ada), Some("ada")));
    assert_eq!(scenario.open_errors().await, 0);
    scenario.later(5);
    let again = in_transaction!(scenario, |tx| errors::acknowledge(tx, id, &scenario.origin())).unwrap();
    assert_eq!(again, group, "whoever was first stays");
    assert!(reading!(scenario, |conn| errors::list(conn, Some(true), None, 10)).is_empty());

    scenario.record(vec![scenario.happened("internal", "GET /a", 1)]).await;
    let open = reading!(scenario, |conn| errors::list(conn, Some(true), None, 10));
    assert_eq!((open.len(), open[0].count, open[0].acknowledged.clone()), (1, 2, None));
    let trail = reading!(scenario, |conn| microblog_store::audit::list(conn, None, 10));
    assert_eq!(trail.iter().filter(|entry| entry.action == "error.acknowledge").count(), 1);
}

async fn what_happened_before_somebody_took_note_does_not_open_it_again(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.record(vec![scenario.happened("internal", "GET /a", 1)]).await;
    let late = scenario.happened("internal", "GET /a", 1);
    scenario.later(1);
    let id = scenario.errors().await[0].id;
    in_transaction!(scenario, |tx| errors::acknowledge(tx, id, &scenario.origin())).unwrap();
    scenario.record(vec![late]).await;
    let group = scenario.errors().await.remove(0);
    assert!(group.acknowledged.is_some() && group.count == 2);
}

async fn errors_are_read_in_pages_the_latest_first(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    for place in ["a", "b", "c", "d", "e"] {
        scenario.record(vec![scenario.happened("internal", place, 1)]).await;
        if place != "c" {
            scenario.later(1);
        }
    }
    let (mut places, mut after) = (Vec::new(), None);
    loop {
        let page = reading!(scenario, |conn| errors::list(conn, None, after, 2));
        let Some(last) = page.last() else { break };
        after = Some(TimeCursor { at: last.last_seen_at, id: last.id });
        places.extend(page.into_iter().map(|error| error.place));
    }
    assert_eq!((places.len(), places[0].as_str(), places[4].as_str()), (5, "e", "a"));
    places.sort();
    assert_eq!(places, ["a", "b", "c", "d", "e"]);
}

async fn errors_that_ended_are_forgotten(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.record(vec![scenario.happened("internal", "old", 1)]).await;
    scenario.later(60);
    scenario.record(vec![scenario.happened("internal", "new", 1)]).await;
    let before = scenario.now() - Duration::from_secs(1);
    in_transaction!(scenario, |tx| errors::forget_older(tx, before)).unwrap();
    assert_eq!(scenario.errors().await.into_iter().map(|error| error.place).collect::<Vec<_>>(), ["new"]);
}
