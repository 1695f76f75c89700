//! What there must be at the broker. Declared at each connection, so that whatever was deleted is there again, and so that
//! a queue with other arguments is found out before it is used.
//!
//! | name | what |
//! |---|---|
//! | `builds` | durable quorum queue of hints that a build is worth a look |
//! | `builds.dead` | durable quorum queue of messages that could not be understood, or were given out too often |
//! | `builds.events` | fan-out exchange: builds of which there is something new to read |

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind, Result};
use tokio::time::timeout;

use super::error::BrokerError;

/// The hints.
pub(super) const BUILDS: &str = "builds";
/// The dead letters.
pub(super) const DEAD: &str = "builds.dead";
/// News of builds.
pub(super) const EVENTS: &str = "builds.events";

/// How often a hint is given out before it is set aside. Only a backstop: a worker acknowledges what it was told however
/// the build ends, so it takes as many lost connections while one hint is held.
const DELIVERY_LIMIT: i64 = 100;
/// Dead letters that are kept; beyond it the oldest go.
const MOST_DEAD: i64 = 10_000;
/// Queues that were just restarted choose a leader first.
const LIMIT: Duration = Duration::from_secs(10);

/// Declares everything.
pub(super) async fn declare(channel: &Channel) -> std::result::Result<(), BrokerError> {
    let declaring = async {
        // The dead letters come first: a queue may only point to what is there.
        told(queue(channel, DEAD, &[("x-max-length", number(MOST_DEAD))]).await, "the queue builds.dead")?;
        told(queue(channel, BUILDS, &arguments_of_builds()).await, "the queue builds")?;
        told(exchange(channel).await, "the exchange builds.events")
    };
    timeout(LIMIT, declaring).await.map_err(|_| BrokerError::Silent)?
}

/// Makes the queue of the hints anew. Nothing is lost: the database knows of every build, and workers look there.
pub(super) async fn make_builds_anew(channel: &Channel) -> std::result::Result<(), BrokerError> {
    let deleting = channel.queue_delete(BUILDS.into(), QueueDeleteOptions::default());
    match timeout(LIMIT, deleting).await {
        Ok(deleted) => told(deleted.map(drop), "the queue builds")?,
        Err(_) => return Err(BrokerError::Silent),
    }
    declare(channel).await
}

fn told(result: Result<()>, what: &'static str) -> std::result::Result<(), BrokerError> {
    result.map_err(|error| BrokerError::of_declaration(&error, what))
}

fn arguments_of_builds() -> [(&'static str, AMQPValue); 3] {
    [
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(DEAD)),
        ("x-delivery-limit", number(DELIVERY_LIMIT)),
    ]
}

async fn queue(channel: &Channel, name: &str, more: &[(&'static str, AMQPValue)]) -> Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    for (name, value) in more {
        arguments.insert((*name).into(), value.clone());
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.map(drop)
}

async fn exchange(channel: &Channel) -> Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(EVENTS.into(), ExchangeKind::Fanout, options, FieldTable::default()).await
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn number(value: i64) -> AMQPValue {
    AMQPValue::LongLongInt(value)
}
