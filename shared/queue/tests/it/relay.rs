//! From the outbox of a real database to a real broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lapin::options::QueuePurgeOptions;
use microblog_domain::{BuildId, BuildMode, Clock as _};
use microblog_queue::{Condition, Relay, Waker};
use microblog_store::builds::{self, BuildRequest};
use microblog_store::outbox::{self, Backlog};
use microblog_store::{Origin, Store};
use microblog_testkit::{TestClock, TestDatabase, eventually};
use tokio::task::JoinHandle;

use crate::harness::{Line, heard};

/// A database with an outbox, and the time.
struct Office {
    db: TestDatabase,
    clock: TestClock,
    /// How often somebody asked.
    asked: AtomicU64,
}

impl Office {
    async fn new() -> Self {
        Self { db: TestDatabase::new().await, clock: TestClock::new(), asked: AtomicU64::new(0) }
    }

    /// Writes so many messages. Each asks for an earlier start than the one before, else it would need none.
    async fn write(&self, messages: u64) -> BuildId {
        let origin = Origin::system(self.clock.now());
        let mut tx = self.db.store().begin().await.unwrap();
        let mut build = None;
        for _ in 0..messages {
            let earlier = Duration::from_micros(self.asked.fetch_add(1, Ordering::Relaxed));
            let run_after = origin.at.checked_sub(earlier).unwrap();
            let request = BuildRequest { mode: BuildMode::Incremental, run_after };
            build = Some(builds::ask(&mut tx, &request, &origin).await.unwrap().id);
        }
        tx.commit().await.unwrap();
        build.unwrap()
    }

    async fn backlog(&self) -> Backlog {
        let mut conn = self.db.store().read().await.unwrap();
        outbox::backlog(&mut conn, self.clock.now()).await.unwrap()
    }

    async fn sent(&self) {
        eventually("the outbox is empty", async || self.backlog().await.pending == 0).await;
    }

    fn relay(&self, line: &Line, store: Store) -> JoinHandle<()> {
        let relay = Relay::new(store, line.queue().sender(), Arc::new(self.clock.clone()), Waker::default());
        tokio::spawn(relay.run())
    }
}

#[tokio::test]
async fn what_was_written_is_told_to_a_worker_and_leaves_the_outbox() {
    let (line, office) = (Line::new().await, Office::new().await);
    let mut receiver = line.queue().receiver();
    let build = office.write(1).await;
    let relay = office.relay(&line, office.db.store().clone());
    assert_eq!(heard(&mut receiver).await.build, build);
    office.sent().await;
    relay.abort();
}

#[tokio::test]
async fn several_relays_send_each_message_once() {
    let (line, office) = (Line::new().await, Office::new().await);
    office.write(2_000).await;
    let mut relays = Vec::new();
    for _ in 0..3 {
        relays.push(office.relay(&line, office.db.open_again().await));
    }
    office.sent().await;
    line.broker.wait_for_messages("builds", 2_000).await;
    relays.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn no_message_is_lost_when_relays_are_killed_at_any_moment() {
    let (line, office) = (Line::new().await, Office::new().await);
    let mut messages = 0;
    for round in 0..30_u64 {
        office.write(20).await;
        messages += 20;
        let relay = office.relay(&line, office.db.store().clone());
        tokio::time::sleep(Duration::from_millis(3 * round)).await;
        relay.abort();
    }
    // What the dead ones had claimed.
    office.clock.advance(Duration::from_secs(10));
    let relay = office.relay(&line, office.db.store().clone());
    office.sent().await;
    eventually("every message is there", async || line.broker.queue("builds").await.0 >= messages).await;
    relay.abort();
}

#[tokio::test]
async fn while_the_broker_is_away_messages_wait_and_tell_since_when() {
    let (line, office) = (Line::new().await, Office::new().await);
    line.proxy.refuse();
    let written_at = office.clock.now();
    office.write(1).await;
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

#[tokio::test]
async fn a_build_whose_message_the_broker_lost_is_announced_again() {
    let (line, office) = (Line::new().await, Office::new().await);
    let build = office.write(1).await;
    let relay = office.relay(&line, office.db.store().clone());
    office.sent().await;
    let channel = line.broker.channel().await;
    line.broker.wait_for_messages("builds", 1).await;
    channel.queue_purge("builds".into(), QueuePurgeOptions::default()).await.unwrap();
    let mut receiver = line.queue().receiver();
    office.clock.advance(Duration::from_secs(6));
    assert_eq!(heard(&mut receiver).await.build, build);
    relay.abort();
}
