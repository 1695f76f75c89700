//! Hints and news by way of a RabbitMQ broker.
//!
//! Owns everything that AMQP is: connections, what is declared at the broker, messages, confirms, the circuit breaker.
//! Nothing here waits for the broker without a limit, and nothing ends because the broker is away.
//!
//! Start reading at [`link`], which keeps connections up; [`publisher`], [`consumer`] and [`bridge`] are what is done
//! with them. [`dial`] makes a connection, [`topology`] says what there must be at the broker, [`error`] what can be wrong.

mod breaker;
pub(crate) mod bridge;
pub(crate) mod consumer;
mod dial;
pub(crate) mod error;
mod greeting;
pub(crate) mod link;
mod message;
pub(crate) mod publisher;
mod session;
mod topology;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use microblog_domain::{AmqpUrl, BuildId, Timestamp};

pub(crate) use breaker::BreakerState;

use crate::events::BuildEvents;
use crate::metrics;
use bridge::EventBridge;
use consumer::Consumer;
use error::BrokerError;
use publisher::Publisher;
use session::Session;

/// A broker as this process reaches it. Nothing is connected before it is needed.
#[derive(Debug, Clone)]
pub struct Broker(Arc<Address>);

/// Where the broker is, and who we are to it.
#[derive(Debug)]
struct Address {
    url: AmqpUrl,
    ca_file: Option<PathBuf>,
    /// Our name, for people who look at the broker's connections.
    name: String,
    /// Tells our own news from that of others.
    id: String,
}

impl Broker {
    /// The broker at this address. `ca_file` holds the certificates of those who vouch for it, instead of those that
    /// the system trusts; `name` is who we are, for people who look at its connections.
    #[must_use]
    pub fn new(url: AmqpUrl, ca_file: Option<PathBuf>, name: String) -> Self {
        metrics::describe_broker();
        // Ids of builds are unique, and so is this.
        let id = BuildId::generate(Timestamp::UNIX_EPOCH).to_string();
        Self(Arc::new(Address { url, ca_file, name, id }))
    }

    pub(crate) async fn try_out(&self) -> Result<(), BrokerError> {
        Session::open(&self.0, "check").await?.close().await;
        Ok(())
    }

    pub(crate) fn publisher(&self) -> Publisher {
        Publisher::start(Arc::clone(&self.0))
    }

    pub(crate) fn consumer(&self) -> Consumer {
        Consumer::start(Arc::clone(&self.0))
    }

    pub(crate) fn tell_others(&self, events: &BuildEvents) -> EventBridge {
        EventBridge::tell_others(Arc::clone(&self.0), events)
    }

    pub(crate) fn hear_from_others(&self, events: &BuildEvents) -> EventBridge {
        EventBridge::hear_from_others(Arc::clone(&self.0), events)
    }
}
