//! Builds: asking and joining, leases, ends, and what watchers are told.

use std::time::Duration;

use microblog_domain::{BuildId, BuildMode, BuildState, BuildStep, PageCounts, ReleaseId};
use microblog_store::builds::leases::Renewal;
use microblog_store::builds::{self, Build, BuildCounts, BuildRequest, Claim, ClaimedBuild, Due, events, leases};
use microblog_store::{Origin, Refusal, StoreError, outbox};
use microblog_testkit::DatabaseKind;

use crate::scenario::{Scenario, in_transaction, on_every_database, reading};

on_every_database![
    asking_again_joins_the_build_that_waits,
    asking_while_one_runs_makes_one_more_that_waits_for_it,
    a_build_that_may_start_later_is_brought_forward_by_whoever_is_in_a_hurry,
    a_build_is_taken_over_when_its_worker_is_not_heard_of,
    a_build_and_its_message_that_a_wrong_clock_put_off_for_hours_are_not_waited_for,
    a_build_that_was_asked_for_by_a_clock_that_is_ahead_starts_at_once,
    a_renewed_lease_is_kept,
    a_build_keeps_its_whole_story,
    a_build_that_went_wrong_is_tried_again_after_its_delay_and_then_given_up,
    what_was_given_up_is_asked_for_again_after_its_rest_for_those_who_wait_since_then,
    what_was_given_up_and_then_built_called_off_or_asked_for_is_not_asked_for_again,
    a_wish_gives_a_failing_build_all_its_attempts_again_at_once,
    a_failing_build_leaves_its_work_to_the_one_that_waits,
    a_build_that_is_handed_back_is_taken_at_once_and_loses_no_attempt,
    a_waiting_build_is_cancelled_at_once_and_a_running_one_when_its_worker_hears_of_it,
    a_cancelled_build_whose_worker_died_does_not_start_again,
    builds_are_listed_from_the_newest_and_forgotten_when_they_are_old,
    messages_wait_for_their_time_and_leave_when_they_are_delivered,
    a_claim_that_nobody_settles_runs_out,
    a_build_whose_message_was_lost_is_announced_again_once,
];

const MINUTE: Duration = Duration::from_secs(60);

impl Scenario {
    async fn ask(&self, mode: BuildMode) -> Build {
        let origin = self.origin();
        in_transaction!(self, |tx| builds::ask(tx, &BuildRequest::now(mode, &origin), &origin)).unwrap()
    }

    async fn build(&self, id: BuildId) -> Build {
        reading!(self, |conn| builds::get(conn, id))
    }

    async fn steps(&self, id: BuildId) -> Vec<&'static str> {
        reading!(self, |conn| events::of_build(conn, id, 0, 100)).iter().map(|event| event.step.kind()).collect()
    }

    async fn succeed(&self, claimed: &ClaimedBuild) -> Result<(), StoreError> {
        let pages = PageCounts { rendered: 1, reused: 2, total: 3 };
        in_transaction!(self, |tx| leases::succeed(tx, &claimed.lease, Some(ReleaseId(1)), pages, self.now()))
    }
}

async fn asking_again_joins_the_build_that_waits(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = scenario.ask(BuildMode::Incremental).await;
    scenario.later(5);
    let second = scenario.ask(BuildMode::Full).await;
    let third = scenario.ask(BuildMode::Incremental).await;
    assert_eq!((second.id, third.id), (first.id, first.id));
    assert_eq!(third.mode, BuildMode::Full, "a wish for a full build is not forgotten");
    assert_eq!(third.requested_at, first.requested_at, "publish-to-live counts from the first wish");
    assert_eq!(scenario.steps(first.id).await, ["queued", "joined"]);
    assert_eq!(reading!(scenario, |conn| outbox::backlog(conn, scenario.now())).pending, 2);
}

async fn asking_while_one_runs_makes_one_more_that_waits_for_it(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = scenario.ask(BuildMode::Incremental).await;
    let claimed = scenario.claim("a").await.unwrap();
    let second = scenario.ask(BuildMode::Incremental).await;
    assert_ne!(second.id, first.id);
    assert_eq!(scenario.ask(BuildMode::Incremental).await.id, second.id);
    assert_eq!(reading!(scenario, |conn| builds::position(conn, &second)), Some(2));
    assert_eq!(scenario.claim("b").await, None, "one build of the site at a time");
    scenario.succeed(&claimed).await.unwrap();
    assert_eq!(reading!(scenario, |conn| builds::position(conn, &second)), Some(1));
    assert_eq!(scenario.claim("b").await.unwrap().build.id, second.id);
}

async fn a_build_that_may_start_later_is_brought_forward_by_whoever_is_in_a_hurry(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let origin = scenario.origin();
    let later = BuildRequest { mode: BuildMode::Incremental, run_after: origin.at + MINUTE };
    in_transaction!(scenario, |tx| builds::ask(tx, &later, &origin)).unwrap();
    assert_eq!(scenario.claim("a").await, None);
    assert_eq!(reading!(scenario, |conn| builds::next_due(conn)), Due::From(later.run_after));
    scenario.ask(BuildMode::Incremental).await;
    assert!(scenario.claim("a").await.is_some());
}

async fn a_build_is_taken_over_when_its_worker_is_not_heard_of(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.ask(BuildMode::Incremental).await;
    let late = scenario.claim("late").await.unwrap();
    let Due::Unless(before) = reading!(scenario, |conn| builds::next_due(conn)) else { panic!("somebody has it") };
    let now = scenario.later(59);
    let claim = Claim { worker: "other".to_owned(), lease_for: MINUTE };
    in_transaction!(scenario, |tx| leases::renew(tx, &late.lease, MINUTE, now)).unwrap();
    assert_eq!(in_transaction!(scenario, |tx| leases::take_over(tx, &claim, &before, now)).unwrap(), None);
    assert_eq!(in_transaction!(scenario, |tx| builds::claim(tx, &claim, now + 2 * MINUTE)).unwrap(), None);
    scenario.later(60);
    let other = scenario.claim("other").await.unwrap();
    assert_eq!((other.build.id, other.build.attempt), (late.build.id, 2));
    assert_eq!(other.build.worker.as_deref(), Some("other"));

    let lost = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::LeaseLost { .. })));
    let now = scenario.now();
    lost(in_transaction!(scenario, |tx| leases::renew(tx, &late.lease, MINUTE, now)).map(drop));
    lost(in_transaction!(scenario, |tx| leases::confirm(tx, &late.lease)));
    lost(in_transaction!(scenario, |tx| leases::report(
        tx,
        &late.lease,
        &BuildStep::Validating,
        PageCounts::default(),
        now
    )));
    lost(in_transaction!(scenario, |tx| leases::fail(tx, &late.lease, "late", now)));
    lost(in_transaction!(scenario, |tx| leases::retry(tx, &late.lease, "late", now, now)).map(drop));
    lost(in_transaction!(scenario, |tx| leases::stop(tx, &late.lease, now)));
    lost(in_transaction!(scenario, |tx| leases::hand_back(tx, &late.lease, now, now)).map(drop));
    lost(scenario.succeed(&late).await);
    assert_eq!(scenario.build(other.build.id).await, other.build, "the late worker changed nothing");
    scenario.succeed(&other).await.unwrap();
    lost(scenario.succeed(&other).await);
}

async fn a_build_and_its_message_that_a_wrong_clock_put_off_for_hours_are_not_waited_for(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let origin = scenario.origin();
    let later = BuildRequest { mode: BuildMode::Incremental, run_after: origin.at + 60 * MINUTE };
    in_transaction!(scenario, |tx| builds::ask(tx, &later, &origin)).unwrap();
    assert!(scenario.claim("a").await.is_some());
    let message = claim(&scenario, 10).await.remove(0);
    assert_eq!((message.due_at, claim(&scenario, 10).await), (later.run_after, vec![]));
}

async fn a_build_that_was_asked_for_by_a_clock_that_is_ahead_starts_at_once(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let ahead = Origin::system(scenario.now() + 5 * MINUTE);
    let request = BuildRequest::now(BuildMode::Incremental, &ahead);
    in_transaction!(scenario, |tx| builds::ask(tx, &request, &ahead)).unwrap();
    assert!(scenario.claim("a").await.is_some());
}

async fn a_renewed_lease_is_kept(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.ask(BuildMode::Incremental).await;
    let claimed = scenario.claim("a").await.unwrap();
    for _ in 0..3 {
        let now = scenario.later(59);
        let renewal = in_transaction!(scenario, |tx| leases::renew(tx, &claimed.lease, MINUTE, now)).unwrap();
        assert_eq!(renewal, Renewal::GoOn);
    }
    assert_eq!(scenario.claim("b").await, None);
}

async fn a_build_keeps_its_whole_story(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.ask(BuildMode::Incremental).await.id;
    let claimed = scenario.claim("a").await.unwrap();
    let pages = PageCounts { rendered: 420, reused: 0, total: 1_000 };
    for step in [
        BuildStep::Rendering { done: 420, total: 1_000 },
        BuildStep::Validating,
        BuildStep::Activated { release: ReleaseId(1) },
    ] {
        in_transaction!(scenario, |tx| leases::report(tx, &claimed.lease, &step, pages, scenario.now())).unwrap();
    }
    assert_eq!(scenario.build(id).await.pages, pages);
    let finished = scenario.later(3);
    scenario.succeed(&claimed).await.unwrap();
    let build = scenario.build(id).await;
    assert_eq!(
        (build.state, build.release, build.finished_at),
        (BuildState::Succeeded, Some(ReleaseId(1)), Some(finished))
    );
    let story = ["queued", "started", "rendering", "validating", "activated", "succeeded"];
    assert_eq!(scenario.steps(id).await, story);

    let all = reading!(scenario, |conn| events::of_build(conn, id, 0, 100));
    let rest = reading!(scenario, |conn| events::of_build(conn, id, all[2].id, 100));
    assert_eq!(rest, all[3..], "who reconnects gets what they missed, and nothing twice");
    assert_eq!(reading!(scenario, |conn| events::newest(conn)), all[5].id);
}

async fn a_build_that_went_wrong_is_tried_again_after_its_delay_and_then_given_up(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.ask(BuildMode::Full).await.id;
    for attempt in 1..=2 {
        let claimed = scenario.claim("a").await.unwrap();
        assert_eq!(claimed.build.attempt, attempt);
        let again_at = scenario.now() + MINUTE;
        in_transaction!(scenario, |tx| leases::retry(tx, &claimed.lease, "no luck", again_at, scenario.now())).unwrap();
        assert_eq!(reading!(scenario, |conn| builds::counts(conn)).retrying, 1);
        assert_eq!(scenario.claim("a").await, None, "not before its time");
        assert!(reading!(scenario, |conn| outbox::next_due(conn)).is_some());
        scenario.later(60);
    }
    let claimed = scenario.claim("a").await.unwrap();
    in_transaction!(scenario, |tx| leases::fail(tx, &claimed.lease, "hopeless", scenario.now())).unwrap();
    let build = scenario.build(id).await;
    assert_eq!((build.state, build.attempt, build.error.as_deref()), (BuildState::Failed, 3, Some("hopeless")));
    assert_eq!(reading!(scenario, |conn| builds::counts(conn)), BuildCounts { dead: 1, ..BuildCounts::default() });
}

/// Whether something that was given up was asked for again.
async fn ask_again(scenario: &Scenario) -> bool {
    in_transaction!(scenario, |tx| builds::ask_again(tx, MINUTE, scenario.now())).unwrap()
}

/// Gives up the build that is due.
async fn give_up(scenario: &Scenario) {
    let claimed = scenario.claim("a").await.unwrap();
    in_transaction!(scenario, |tx| leases::fail(tx, &claimed.lease, "hopeless", scenario.now())).unwrap();
}

async fn what_was_given_up_is_asked_for_again_after_its_rest_for_those_who_wait_since_then(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    assert!(!ask_again(&scenario).await);
    let first = scenario.ask(BuildMode::Full).await;
    for _ in 0..2 {
        scenario.later(7);
        give_up(&scenario).await;
        scenario.later(59);
        assert!(!ask_again(&scenario).await);
        scenario.later(1);
        assert!(ask_again(&scenario).await && !ask_again(&scenario).await);
        let again = reading!(scenario, |conn| builds::newest_in(conn, BuildState::Waiting)).unwrap();
        assert_eq!((again.mode, again.requested_at, again.attempt), (BuildMode::Full, first.requested_at, 0));
        assert!(reading!(scenario, |conn| outbox::next_due(conn)).is_some());
    }
}

async fn what_was_given_up_and_then_built_called_off_or_asked_for_is_not_asked_for_again(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    for is_cancelled in [true, false] {
        scenario.ask(BuildMode::Incremental).await;
        give_up(&scenario).await;
        scenario.later(60);
        let next = scenario.ask(BuildMode::Incremental).await;
        assert!(!ask_again(&scenario).await, "one waits");
        let (now, origin, none) = (scenario.now(), scenario.origin(), PageCounts::default());
        if is_cancelled {
            in_transaction!(scenario, |tx| builds::cancel(tx, next.id, &origin)).unwrap();
        } else {
            let claimed = scenario.claim("a").await.unwrap();
            assert!(!ask_again(&scenario).await, "one runs");
            in_transaction!(scenario, |tx| leases::succeed(tx, &claimed.lease, None, none, now)).unwrap();
        }
        scenario.later(600);
        assert!(!ask_again(&scenario).await, "cancelled: {is_cancelled}");
    }
}

async fn a_wish_gives_a_failing_build_all_its_attempts_again_at_once(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.ask(BuildMode::Incremental).await;
    let claimed = scenario.claim("a").await.unwrap();
    let again_at = scenario.now() + MINUTE;
    in_transaction!(scenario, |tx| leases::retry(tx, &claimed.lease, "no luck", again_at, scenario.now())).unwrap();
    let joined = scenario.ask(BuildMode::Incremental).await;
    assert_eq!((joined.id, joined.attempt), (claimed.build.id, 0));
    assert_eq!(scenario.claim("a").await.unwrap().build.attempt, 1);
}

async fn a_failing_build_leaves_its_work_to_the_one_that_waits(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let first = scenario.ask(BuildMode::Full).await;
    let claimed = scenario.claim("a").await.unwrap();
    scenario.later(5);
    let second = scenario.ask(BuildMode::Incremental).await;
    let now = scenario.now();
    in_transaction!(scenario, |tx| leases::retry(tx, &claimed.lease, "no luck", now + MINUTE, now)).unwrap();
    assert_eq!(scenario.build(first.id).await.state, BuildState::Superseded);
    assert_eq!(scenario.steps(first.id).await.last(), Some(&"superseded"));
    let heir = scenario.claim("a").await.unwrap().build;
    assert_eq!((heir.id, heir.mode, heir.requested_at), (second.id, BuildMode::Full, first.requested_at));
}

async fn a_build_that_is_handed_back_is_taken_at_once_and_loses_no_attempt(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let id = scenario.ask(BuildMode::Incremental).await.id;
    let claimed = scenario.claim("a").await.unwrap();
    in_transaction!(scenario, |tx| leases::hand_back(tx, &claimed.lease, scenario.now(), scenario.now())).unwrap();
    let again = scenario.claim("b").await.unwrap();
    assert_eq!((again.build.id, again.build.attempt), (id, 1));
    assert_eq!(scenario.steps(id).await, ["queued", "started", "handed_back", "started"]);
}

async fn a_waiting_build_is_cancelled_at_once_and_a_running_one_when_its_worker_hears_of_it(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let cancel = async |id: BuildId| in_transaction!(scenario, |tx| builds::cancel(tx, id, &scenario.origin()));
    let waiting = scenario.ask(BuildMode::Incremental).await.id;
    assert_eq!(cancel(waiting).await.unwrap().state, BuildState::Cancelled);
    assert_eq!(scenario.claim("a").await, None);

    let running = scenario.ask(BuildMode::Incremental).await.id;
    let claimed = scenario.claim("a").await.unwrap();
    assert_eq!(cancel(running).await.unwrap().state, BuildState::Running);
    let renewal = in_transaction!(scenario, |tx| leases::renew(tx, &claimed.lease, MINUTE, scenario.now())).unwrap();
    assert_eq!(renewal, Renewal::CancelRequested);
    in_transaction!(scenario, |tx| leases::stop(tx, &claimed.lease, scenario.now())).unwrap();
    assert_eq!(scenario.build(running).await.state, BuildState::Cancelled);
    assert!(matches!(cancel(running).await, Err(StoreError::Refused(Refusal::BuildIsFinished))));
    let nowhere = BuildId::generate(scenario.now());
    assert!(matches!(cancel(nowhere).await, Err(StoreError::NotFound)));
}

async fn a_cancelled_build_whose_worker_died_does_not_start_again(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let cancelled = scenario.ask(BuildMode::Incremental).await.id;
    scenario.claim("dies").await.unwrap();
    in_transaction!(scenario, |tx| builds::cancel(tx, cancelled, &scenario.origin())).unwrap();
    let next = scenario.ask(BuildMode::Incremental).await.id;
    scenario.later(60);
    assert_eq!(scenario.claim("b").await.unwrap().build.id, next);
    assert_eq!(scenario.build(cancelled).await.state, BuildState::Cancelled);
}

async fn builds_are_listed_from_the_newest_and_forgotten_when_they_are_old(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(scenario.ask(BuildMode::Incremental).await.id);
        let claimed = scenario.claim("a").await.unwrap();
        scenario.succeed(&claimed).await.unwrap();
        scenario.later(60);
    }
    ids.reverse();
    let page = reading!(scenario, |conn| builds::list(conn, None, 2));
    assert_eq!(page.iter().map(|build| build.id).collect::<Vec<_>>(), ids[..2]);
    let rest = reading!(scenario, |conn| builds::list(conn, Some(ids[1]), 2));
    assert_eq!(rest.iter().map(|build| build.id).collect::<Vec<_>>(), ids[2..]);
    let newest = reading!(scenario, |conn| builds::newest_in(conn, BuildState::Succeeded)).unwrap();
    assert_eq!(newest.id, ids[0]);

    let limit = newest.finished_at.unwrap();
    assert_eq!(in_transaction!(scenario, |tx| builds::forget_finished(tx, limit)).unwrap(), 2);
    assert!(scenario.steps(ids[2]).await.is_empty());
}

async fn messages_wait_for_their_time_and_leave_when_they_are_delivered(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.ask(BuildMode::Incremental).await;
    let message = claim(&scenario, 10).await.remove(0);
    assert!(claim(&scenario, 10).await.is_empty(), "nobody else gets what is claimed");
    let later = scenario.now() + MINUTE;
    in_transaction!(scenario, |tx| outbox::put_back(tx, &[message.id], later)).unwrap();
    assert!(claim(&scenario, 10).await.is_empty());
    assert_eq!(reading!(scenario, |conn| outbox::next_due(conn)), Some(later));
    scenario.later(60);
    let again = claim(&scenario, 10).await.remove(0);
    assert_eq!((again.id, again.attempts), (message.id, 1));
    let backlog = reading!(scenario, |conn| outbox::backlog(conn, scenario.now()));
    let since = Some(message.due_at);
    assert_eq!((backlog.pending, backlog.oldest_due), (1, since), "a claim does not hide how long a message waits");
    in_transaction!(scenario, |tx| outbox::delivered(tx, &[message.id])).unwrap();
    assert_eq!(reading!(scenario, |conn| outbox::backlog(conn, scenario.now())).pending, 0);
}

async fn a_claim_that_nobody_settles_runs_out(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    scenario.ask(BuildMode::Incremental).await;
    let message = claim(&scenario, 10).await.remove(0);
    scenario.later(10);
    assert_eq!(claim(&scenario, 10).await[0].id, message.id);
}

async fn a_build_whose_message_was_lost_is_announced_again_once(database: DatabaseKind) {
    let scenario = Scenario::on(database).await;
    let build = scenario.ask(BuildMode::Incremental).await;
    let since = || scenario.now().checked_sub(Duration::from_secs(5)).unwrap();
    scenario.later(60);
    let announce =
        async || in_transaction!(scenario, |tx| builds::announce_overdue(tx, since(), scenario.now())).unwrap();
    assert!(!announce().await, "its message is on the way");
    let message = claim(&scenario, 10).await.remove(0);
    in_transaction!(scenario, |tx| outbox::delivered(tx, &[message.id])).unwrap();
    assert!(announce().await);
    assert!(!announce().await);
    let again = claim(&scenario, 10).await.remove(0);
    assert_eq!(again.build, build.id);
    in_transaction!(scenario, |tx| outbox::delivered(tx, &[again.id])).unwrap();
    scenario.claim("one").await.unwrap();
    assert!(!announce().await, "a worker has it");
}

async fn claim(scenario: &Scenario, limit: usize) -> Vec<outbox::OutboxMessage> {
    in_transaction!(scenario, |tx| outbox::claim(tx, scenario.now(), Duration::from_secs(10), limit)).unwrap()
}
