//! How hints reach a worker: within the process, or by way of RabbitMQ.
//!
//! A hint is only for speed. A worker also looks into the database once a second, so a hint that was lost or doubled does
//! no harm, and one that can not be sent stays in the outbox.
//!
//! Start reading at [`Queue`]: it is made of the settings and gives out the two ends.

mod embedded;
pub(crate) mod rabbitmq;

use std::path::PathBuf;
use std::time::Duration;

use microblog_domain::QueueUrl;

use crate::events::BuildEvents;
use crate::hint::Hint;
use embedded::{Mouth, embedded};
pub use rabbitmq::Broker;
pub use rabbitmq::bridge::EventBridge;
use rabbitmq::consumer::{Consumer, Hearing};
pub use rabbitmq::error::BrokerError;
use rabbitmq::publisher::{Go, Publisher};

/// Messages that are sent in one go.
const BATCH: usize = 500;

/// Why a hint was not taken; it must be sent again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No worker listens any more.
    #[error("the builder of this process has stopped")]
    NoWorker,
    /// There is no connection, or it ended.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The broker takes nothing at the moment.
    #[error("the broker takes no messages, because it is short of memory or disk; free some, or raise its limits")]
    Blocked,
    /// The broker did not say that it has it.
    #[error("the broker did not confirm it in time")]
    NotConfirmed,
    /// The broker said that it can not keep it.
    #[error("the broker could not keep it; look at its log")]
    Refused,
    /// There was no queue for it.
    #[error("the queue builds was missing; it is made anew")]
    Unroutable,
}

impl SendError {
    /// Whether the connection is to be made anew.
    fn ends_connection(&self) -> bool {
        matches!(self, Self::Broker(_) | Self::NotConfirmed | Self::Unroutable)
    }
}

/// How well one end of the queue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It works.
    Up,
    /// It is about to be connected for the first time.
    Connecting,
    /// The broker is connected but takes no messages, because it is short of memory or disk.
    Blocked,
    /// Sending failed too often: nothing is sent for a moment.
    Suspended,
    /// It is not connected.
    Down(BrokerError),
}

impl Condition {
    /// What keeps jobs from being passed on, for whoever asks how the service is; nothing when all is well. Names nobody
    /// and no place: the log does.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Up => None,
            Self::Connecting => Some("the broker is being connected".to_owned()),
            Self::Blocked => Some(SendError::Blocked.to_string()),
            Self::Suspended => Some("the broker did not take messages; they are tried again in a moment".to_owned()),
            Self::Down(error) => Some(error.shown().into_owned()),
        }
    }
}

/// The queue that the settings name.
#[derive(Debug, Clone)]
pub enum Queue {
    /// Within the process.
    Embedded,
    /// At a broker.
    Broker(Broker),
}

impl Queue {
    /// The queue at this address. `ca_file` holds the certificates of those who vouch for a broker, instead of those
    /// that the system trusts; `name` is who we are, for people who look at its connections.
    #[must_use]
    pub fn at(url: &QueueUrl, ca_file: Option<PathBuf>, name: &str) -> Self {
        match url {
            QueueUrl::Embedded => Self::Embedded,
            QueueUrl::Amqp(url) => Self::Broker(Broker::new(url.clone(), ca_file, name.to_owned())),
        }
    }

    /// Whether it can be used: connects and logs in, and declares what there must be.
    ///
    /// # Errors
    /// When it can not.
    pub async fn try_out(&self) -> Result<(), BrokerError> {
        match self {
            Self::Embedded => Ok(()),
            Self::Broker(broker) => broker.try_out().await,
        }
    }

    /// Both ends, for a process that asks for builds and makes them.
    #[must_use]
    pub fn both_ends(&self) -> (HintSender, HintReceiver) {
        match self {
            Self::Embedded => {
                let (sender, receiver) = embedded();
                (HintSender(Sender::Embedded(sender)), HintReceiver(Receiver::Embedded(receiver)))
            }
            Self::Broker(_) => (self.sender(), self.receiver()),
        }
    }

    /// The end of a process that asks for builds. Without a broker no worker hears it; workers look for themselves.
    #[must_use]
    pub fn sender(&self) -> HintSender {
        match self {
            Self::Embedded => HintSender(Sender::Unheard),
            Self::Broker(broker) => HintSender(Sender::Broker(broker.publisher())),
        }
    }

    /// The end of a process that makes builds. Without a broker it hears nothing; the worker looks for itself.
    #[must_use]
    pub fn receiver(&self) -> HintReceiver {
        match self {
            Self::Embedded => HintReceiver(Receiver::Silent),
            Self::Broker(broker) => HintReceiver(Receiver::Broker(broker.consumer())),
        }
    }

    /// Tells other processes what is announced here, for as long as the bridge is kept.
    #[must_use]
    pub fn tell_others(&self, events: &BuildEvents) -> Option<EventBridge> {
        match self {
            Self::Embedded => None,
            Self::Broker(broker) => Some(broker.tell_others(events)),
        }
    }

    /// Announces here what other processes tell, for as long as the bridge is kept.
    #[must_use]
    pub fn hear_from_others(&self, events: &BuildEvents) -> Option<EventBridge> {
        match self {
            Self::Embedded => None,
            Self::Broker(broker) => Some(broker.hear_from_others(events)),
        }
    }
}

/// Where hints go in.
#[derive(Debug, Clone)]
pub struct HintSender(Sender);

#[derive(Debug, Clone)]
enum Sender {
    Embedded(Mouth),
    Unheard,
    Broker(Publisher),
}

/// The right to send hints once.
#[derive(Debug)]
pub struct Permit {
    most: usize,
}

impl Permit {
    /// How many.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }
}

impl HintSender {
    /// Asks whether to send now.
    ///
    /// # Errors
    /// When sending failed too often; tells after which rest to ask again.
    pub fn permit(&self) -> Result<Permit, Duration> {
        match &self.0 {
            Sender::Embedded(_) | Sender::Unheard => Ok(Permit { most: BATCH }),
            Sender::Broker(publisher) => publisher.ask().map(|go| match go {
                Go::Batch => Permit { most: BATCH },
                Go::One => Permit { most: 1 },
            }),
        }
    }

    /// Sends hints, as many as permitted, and waits until they are taken. Tells for each, in the same order, what became
    /// of it.
    pub async fn send(&self, permit: Permit, hints: &[Hint]) -> Vec<Result<(), SendError>> {
        debug_assert!(hints.len() <= permit.most, "more hints than permitted");
        match &self.0 {
            Sender::Embedded(mouth) => hints.iter().map(|hint| mouth.send(hint.clone())).collect(),
            Sender::Unheard => vec![Ok(()); hints.len()],
            Sender::Broker(publisher) => publisher.send(hints).await,
        }
    }

    /// How to find out how it is.
    #[must_use]
    pub fn status(&self) -> QueueStatus {
        match &self.0 {
            Sender::Embedded(_) | Sender::Unheard => QueueStatus::default(),
            Sender::Broker(publisher) => QueueStatus(End::Sender(publisher.clone())),
        }
    }
}

/// Where hints come out.
#[derive(Debug)]
pub struct HintReceiver(Receiver);

#[derive(Debug)]
enum Receiver {
    Embedded(embedded::Ear),
    Silent,
    Broker(Consumer),
}

impl HintReceiver {
    /// Waits for the next hint: for ever, if no more will come, so that who also waits for something else is not woken
    /// over and over. Who was told of work says [`Self::settle`] when it has come to rest; a worker that dies before has
    /// others told.
    pub async fn next(&mut self) -> Hint {
        match &mut self.0 {
            Receiver::Embedded(ear) => ear.next().await,
            Receiver::Silent => std::future::pending().await,
            Receiver::Broker(consumer) => consumer.next().await,
        }
    }

    /// Takes all hints that are there: whoever is about to look needs no further ones to do so.
    pub fn gather(&mut self) {
        match &mut self.0 {
            Receiver::Embedded(ear) => ear.gather(),
            Receiver::Silent => {}
            Receiver::Broker(consumer) => consumer.gather(),
        }
    }

    /// What was taken so far needs no further look.
    pub fn settle(&mut self) {
        if let Receiver::Broker(consumer) = &mut self.0 {
            consumer.settle();
        }
    }

    /// How to find out how it is: it is up while the broker has confirmed this consumer.
    #[must_use]
    pub fn status(&self) -> QueueStatus {
        match &self.0 {
            Receiver::Embedded(_) | Receiver::Silent => QueueStatus::default(),
            Receiver::Broker(consumer) => QueueStatus(End::Receiver(consumer.watch())),
        }
    }
}

/// Tells how one end of the queue is, for health checks. Without a broker it is always up.
#[derive(Debug, Clone, Default)]
pub struct QueueStatus(End);

#[derive(Debug, Clone, Default)]
enum End {
    #[default]
    Embedded,
    Sender(Publisher),
    Receiver(Hearing),
}

impl QueueStatus {
    /// How it is now.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match &self.0 {
            End::Embedded => Condition::Up,
            End::Sender(publisher) => publisher.condition(),
            End::Receiver(hearing) => hearing.condition(),
        }
    }
}
