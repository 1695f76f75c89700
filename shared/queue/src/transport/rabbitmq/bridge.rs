//! News of builds between processes, by way of a fan-out exchange. Best effort: whoever watches also looks into the
//! database now and then.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use microblog_domain::BuildId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::error::BrokerError;
use super::link::{self, LinkState, Purpose, Role};
use super::session::{ANSWER_LIMIT, Session};
use super::{Address, message, topology};
use crate::events::BuildEvents;

/// News that a slow process may fall behind by; then it misses some, which its next look makes good.
const MOST_NEWS: i64 = 1_000;
/// News that could not be written in this time is old.
const WRITE_LIMIT: Duration = Duration::from_secs(1);

/// Carries news for as long as it is kept.
#[derive(Debug)]
pub struct EventBridge {
    _upkeep: AbortOnDropHandle<()>,
}

impl EventBridge {
    pub(super) fn tell_others(address: Arc<Address>, events: &BuildEvents) -> Self {
        let ours = events.watch_own();
        let origin = address.id.as_str().into();
        Self::start(address, Purpose::SendEvents, Telling { ours, origin })
    }

    pub(super) fn hear_from_others(address: Arc<Address>, events: &BuildEvents) -> Self {
        let origin = address.id.as_str().into();
        Self::start(address, Purpose::ReceiveEvents, Hearing { events: events.clone(), origin })
    }

    fn start(address: Arc<Address>, purpose: Purpose, role: impl Role + 'static) -> Self {
        let (state, _) = LinkState::new(purpose);
        Self { _upkeep: AbortOnDropHandle::new(tokio::spawn(link::keep_up(address, role, state))) }
    }
}

/// Sends what happens here.
struct Telling {
    ours: broadcast::Receiver<BuildId>,
    origin: ShortString,
}

impl Role for Telling {
    async fn work(&mut self, session: &Session, state: &mut LinkState) -> BrokerError {
        // What happened while there was no link is old.
        self.ours = self.ours.resubscribe();
        state.up();
        tokio::select! {
            error = self.tell(session) => error,
            error = session.ended() => error,
        }
    }
}

impl Telling {
    async fn tell(&mut self, session: &Session) -> BrokerError {
        loop {
            let build = match self.ours.recv().await {
                Ok(build) => build,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => std::future::pending().await,
            };
            // A broker that is short of memory would get all of it at once later.
            if !session.connection.status().blocked()
                && let Err(error) = self.publish(&session.channel, build).await
            {
                return error;
            }
        }
    }

    async fn publish(&self, channel: &Channel, build: BuildId) -> Result<(), BrokerError> {
        let (options, body) = (BasicPublishOptions::default(), message::body(build));
        let properties =
            BasicProperties::default().with_content_type("application/json".into()).with_app_id(self.origin.clone());
        let publishing = channel.basic_publish(topology::EVENTS.into(), "".into(), options, &body, properties);
        match timeout(WRITE_LIMIT, publishing).await {
            Ok(Ok(_)) | Err(_) => Ok(()),
            Ok(Err(error)) => Err(BrokerError::of_session(&error)),
        }
    }
}

/// Hears what happens elsewhere.
struct Hearing {
    events: BuildEvents,
    origin: ShortString,
}

impl Role for Hearing {
    async fn work(&mut self, session: &Session, state: &mut LinkState) -> BrokerError {
        let consumer = match timeout(ANSWER_LIMIT, subscribe(&session.channel)).await {
            Ok(Ok(consumer)) => consumer,
            Ok(Err(error)) => return BrokerError::of_session(&error),
            Err(_) => return BrokerError::Silent,
        };
        state.up();
        tokio::select! {
            error = self.hear(consumer) => error,
            error = session.ended() => error,
        }
    }
}

impl Hearing {
    async fn hear(&self, mut consumer: lapin::Consumer) -> BrokerError {
        loop {
            match consumer.next().await {
                Some(Ok(news)) if news.properties.app_id().as_ref() == Some(&self.origin) => {}
                Some(Ok(news)) => match message::decode_build(&news.data) {
                    Ok(build) => self.events.pass_on(build),
                    Err(error) => tracing::warn!(%error, "news of a build can not be understood and is passed over"),
                },
                Some(Err(error)) => return BrokerError::of_session(&error),
                None => return BrokerError::Queue { reason: "the broker cancelled the consumer".to_owned() },
            }
        }
    }
}

/// A queue of our own that vanishes with the connection.
async fn subscribe(channel: &Channel) -> lapin::Result<lapin::Consumer> {
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(MOST_NEWS));
    let queue = channel.queue_declare("".into(), options, arguments).await?.name().clone();
    let binding = QueueBindOptions::default();
    channel.queue_bind(queue.clone(), topology::EVENTS.into(), "".into(), binding, FieldTable::default()).await?;
    let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
    channel.basic_consume(queue, "".into(), options, FieldTable::default()).await
}
