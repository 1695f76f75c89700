//! From the outbox of a real database to a real broker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::QueuePurgeOptions;
use microblog_domain::{BuildId, BuildMode, BuildState, Clock as _};
use microblog_queue::{Condition, Queue, Relay, Waker};
use microblog_store::builds::{self, BuildRequest, Claim, leases};
use microblog_store::outbox::{self, Backlog};
use microblog_store::{Origin, Store};
use microblog_testkit::{DatabaseKind, TestClock, TestDatabase, eventually, on_every_database};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::harness::{Line, heard};

on_every_database![
    what_was_written_is_told_to_a_worker_and_leaves_the_outbox,
    several_relays_send_each_message_once,
    no_message_is_lost_when_relays_end_at_any_moment,
    while_the_broker_is_away_messages_wait_and_tell_since_when,
    a_build_whose_message_the_broker_lost_is_announced_again,
    a_build_that_was_given_up_is_asked_for_again,
];

/// A database with an outbox, and the time.
struct Office {
    db: TestDatabase,
    clock: TestClock,
}

impl Office {
    async fn on(database: DatabaseKind) -> Self {
        Self { db: TestDatabase::of(database).await, clock: TestClock::new() }
    }

    /// Asks for a build.
    async fn ask(&self) -> BuildId {
        let origin = Origin::system(self.clock.now());
        let mut tx = self.db.store().begin().await.unwrap();
        let build = builds::ask(&mut tx, &BuildRequest::now(BuildMode::Incremental, &origin), &origin).await.unwrap();
        tx.commit().await.unwrap();
        build.id
    }

    /// Writes so many messages, each about a build of its own, so that none is taken for another.
    async fn write_many(&self, messages: usize) -> Vec<BuildId> {
        let origin = Origin::system(self.clock.now());
        let mut tx = self.db.store().begin().await.unwrap();
        let mut told = Vec::new();
        for _ in 0..messages {
            let build =
                builds::ask(&mut tx, &BuildRequest::now(BuildMode::Incremental, &origin), &origin).await.unwrap();
            // The next who asks would join it.
            builds::cancel(&mut tx, build.id, &origin).await.unwrap();
            told.push(build.id);
        }
        tx.commit().await.unwrap();
        told
    }

    async fn backlog(&self) -> Backlog {
        let mut conn = self.db.store().read().await.unwrap();
        outbox::backlog(&mut conn, self.clock.now()).await.unwrap()
    }

    async fn sent(&self) {
        eventually("the outbox is empty", async || self.backlog().await.pending == 0).await;
    }

    fn relay(&self, line: &Line, store: Store, waker: &Waker) -> JoinHandle<()> {
        let relay = Relay::new(store, line.queue().sender(), Arc::new(self.clock.clone()), waker.clone());
        tokio::spawn(relay.run())
    }
}

/// Which builds the messages are about that wait at the broker, in their order.
async fn told(line: &Line) -> Vec<BuildId> {
    let build = |body: &Vec<u8>| serde_json::from_slice::<Value>(body).unwrap()["job_id"].as_str().unwrap().parse();
    line.broker.take_all("builds").await.iter().map(build).collect::<Result<_, _>>().unwrap()
}

async fn what_was_written_is_told_to_a_worker_and_leaves_the_outbox(database: DatabaseKind) {
    let (line, office) = (Line::new().await, Office::on(database).await);
    let mut receiver = line.queue().receiver();
    let build = office.ask().await;
    let relay = office.relay(&line, office.db.store().clone(), &Waker::default());
    assert_eq!(heard(&mut receiver).await.build, build);
    office.sent().await;
    relay.abort();
}

async fn several_relays_send_each_message_once(database: DatabaseKind) {
    let (line, office) = (Line::new().await, Office::on(database).await);
    let (mut relays, wakers) = (Vec::new(), [(); 4].map(|()| Waker::default()));
    for waker in &wakers {
        relays.push(office.relay(&line, office.db.open_again().await, waker));
    }
    let mut written = Vec::new();
    for _ in 0..20 {
        written.extend(office.write_many(20).await);
        // All of them run for the same messages.
        wakers.iter().for_each(Waker::wake);
    }
    office.sent().await;
    relays.iter().for_each(JoinHandle::abort);
    let mut sent = told(&line).await;
    written.sort_unstable();
    sent.sort_unstable();
    assert_eq!(sent, written);
}

async fn no_message_is_lost_when_relays_end_at_any_moment(database: DatabaseKind) {
    let (line, office, waker) = (Line::new().await, Office::on(database).await, Waker::default());
    let mut written = BTreeSet::new();
    for round in 0..30 {
        written.extend(office.write_many(20).await);
        let relay = office.relay(&line, office.db.store().clone(), &waker);
        tokio::time::sleep(Duration::from_millis(3 * round)).await;
        relay.abort();
    }
    // What the dead ones had claimed.
    office.clock.advance(Duration::from_secs(10));
    let relay = office.relay(&line, office.db.store().clone(), &waker);
    office.sent().await;
    relay.abort();
    assert_eq!(told(&line).await.into_iter().collect::<BTreeSet<_>>(), written);
}

async fn while_the_broker_is_away_messages_wait_and_tell_since_when(database: DatabaseKind) {
    let (line, office) = (Line::new().await, Office::on(database).await);
    line.proxy.refuse();
    let written_at = office.clock.now();
    office.ask().await;
    let sender = line.queue().sender();
    let status = sender.status();
    let clock = Arc::new(office.clock.clone());
    let relay = tokio::spawn(Relay::new(office.db.store().clone(), sender, clock, Waker::default()).run());
    eventually("it was tried", async || matches!(status.condition(), Condition::Down(_))).await;
    office.clock.advance(Duration::from_secs(90));
    let Backlog { pending, oldest_due } = office.backlog().await;
    assert_eq!((pending, oldest_due), (1, Some(written_at)));
    line.proxy.mend();
    eventually("the outbox is empty", async || {
        // A message that could not be sent rests by the clock that the test holds.
        office.clock.advance(Duration::from_secs(1));
        office.backlog().await.pending == 0
    })
    .await;
    line.broker.wait_for_messages("builds", 1).await;
    relay.abort();
}

async fn a_build_whose_message_the_broker_lost_is_announced_again(database: DatabaseKind) {
    let (line, office) = (Line::new().await, Office::on(database).await);
    let build = office.ask().await;
    let relay = office.relay(&line, office.db.store().clone(), &Waker::default());
    office.sent().await;
    let channel = line.broker.channel().await;
    line.broker.wait_for_messages("builds", 1).await;
    channel.queue_purge("builds".into(), QueuePurgeOptions::default()).await.unwrap();
    let mut receiver = line.queue().receiver();
    office.clock.advance(Duration::from_secs(6));
    assert_eq!(heard(&mut receiver).await.build, build);
    relay.abort();
}

async fn a_build_that_was_given_up_is_asked_for_again(database: DatabaseKind) {
    let office = Office::on(database).await;
    office.ask().await;
    let now = office.clock.now();
    let mut tx = office.db.store().begin().await.unwrap();
    let claim = Claim { worker: "a".to_owned(), lease_for: Duration::from_secs(60) };
    let claimed = builds::claim(&mut tx, &claim, now).await.unwrap().unwrap();
    leases::fail(&mut tx, &claimed.lease, "hopeless", now).await.unwrap();
    tx.commit().await.unwrap();
    office.clock.advance(Duration::from_secs(301));
    let (sender, _receiver) = Queue::Embedded.both_ends();
    let relay = Relay::new(office.db.store().clone(), sender, Arc::new(office.clock.clone()), Waker::default());
    let relay = tokio::spawn(relay.run());
    eventually("a build waits", async || {
        let mut conn = office.db.store().read().await.unwrap();
        builds::newest_in(&mut conn, BuildState::Waiting).await.unwrap().is_some()
    })
    .await;
    relay.abort();
}
