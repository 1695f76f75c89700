//! Measures how many messages a second a relay brings from the outbox to a broker, confirmed: `cargo run --release
//! --package microblog-queue --example measure_relay [MESSAGES]`. The broker and the database are made for it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that meets an error has failed")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use microblog_domain::{BuildMode, Clock as _, QueueUrl, SystemClock};
use microblog_queue::{Condition, Queue, Relay, Waker};
use microblog_store::builds::{self, BuildRequest};
use microblog_store::{Origin, Store, outbox};
use microblog_testkit::{TestBroker, TestDatabase, eventually};

/// Messages written in one transaction.
const CHUNK: usize = 1_000;

#[tokio::main]
async fn main() {
    let messages = std::env::args().nth(1).map_or(20_000, |count| count.parse().unwrap());
    let (broker, db) = (TestBroker::new().await, TestDatabase::new().await);
    write(db.store(), messages).await;
    let queue = Queue::at(&QueueUrl::Amqp(broker.url().clone()), None, "a measurement");
    let sender = queue.sender();
    let status = sender.status();
    eventually("the sender is up", async || status.condition() == Condition::Up).await;

    let started = Instant::now();
    let relay = Relay::new(db.store().clone(), sender, Arc::new(SystemClock), Waker::default());
    let relay = tokio::spawn(relay.run());
    while pending(db.store()).await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = started.elapsed();
    relay.abort();
    let each_second = f64::from(u32::try_from(messages).unwrap()) / took.as_secs_f64();
    println!("{messages} messages confirmed in {took:.2?}: {each_second:.0} a second");
}

/// Each asks for an earlier start than the one before, else it would need no message.
async fn write(store: &Store, messages: usize) {
    let origin = Origin::system(SystemClock.now());
    let mut run_after = origin.at;
    for _ in 0..messages / CHUNK {
        let mut tx = store.begin().await.unwrap();
        for _ in 0..CHUNK {
            run_after = run_after.checked_sub(Duration::from_micros(1)).unwrap();
            builds::ask(&mut tx, &BuildRequest { mode: BuildMode::Incremental, run_after }, &origin).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

async fn pending(store: &Store) -> u64 {
    outbox::backlog(&mut store.read().await.unwrap(), SystemClock.now()).await.unwrap().pending
}
