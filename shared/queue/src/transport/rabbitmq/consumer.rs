//! Receiving hints. What a worker was told is acknowledged when it comes to rest, so that the broker shows what is being
//! worked on, and tells another worker when this one dies.

use std::sync::Arc;

use futures_util::StreamExt as _;
use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::error::BrokerError;
use super::link::{self, Link, LinkState, Purpose, Role};
use super::session::{ANSWER_LIMIT, Session};
use super::{Address, message, topology};
use crate::hint::Hint;
use crate::metrics::{self, DeadLetter};
use crate::transport::Condition;

/// Hints that a worker holds at most. A build takes all changes that there are, so many hints are one.
const PREFETCH: u16 = 64;
/// So many times in a row the queue may be declared and then not answer. It has lost its log then, and no time mends that.
const MOST_SILENCES: u32 = 3;

/// Hears of work.
#[derive(Debug)]
pub(crate) struct Consumer {
    hints: mpsc::UnboundedReceiver<(Hint, Acker)>,
    held: Vec<Acker>,
    settled: mpsc::UnboundedSender<Acker>,
    link: watch::Receiver<Link>,
    _upkeep: AbortOnDropHandle<()>,
}

impl Consumer {
    pub(super) fn start(address: Arc<Address>) -> Self {
        let (state, link) = LinkState::new(Purpose::ReceiveHints);
        let (to_worker, hints) = mpsc::unbounded_channel();
        let (settled, to_settle) = mpsc::unbounded_channel();
        metrics::describe_dead_letters();
        let role = Consuming { hints: to_worker, settled: to_settle, silences: 0 };
        let upkeep = AbortOnDropHandle::new(tokio::spawn(link::keep_up(address, role, state)));
        Self { hints, held: Vec::new(), settled, link, _upkeep: upkeep }
    }

    /// Waits for a hint.
    pub(crate) async fn next(&mut self) -> Hint {
        let Some((hint, acker)) = self.hints.recv().await else { return std::future::pending().await };
        self.held.push(acker);
        hint
    }

    /// Takes all hints that are there.
    pub(crate) fn gather(&mut self) {
        while let Ok((_, acker)) = self.hints.try_recv() {
            self.held.push(acker);
        }
    }

    /// What was told so far needs no further look.
    pub(crate) fn settle(&mut self) {
        for acker in self.held.drain(..) {
            // Fails only when the link is no longer kept up, which ends the delivery, too.
            let _ = self.settled.send(acker);
        }
    }

    /// A closure that tells how it is.
    pub(crate) fn watch(&self) -> Hearing {
        Hearing(self.link.clone())
    }
}

/// Tells whether the broker has a consumer in us.
#[derive(Debug, Clone)]
pub(crate) struct Hearing(watch::Receiver<Link>);

impl Hearing {
    pub(crate) fn condition(&self) -> Condition {
        match &*self.0.borrow() {
            Link::Up => Condition::Up,
            Link::Connecting => Condition::Connecting,
            Link::Down(error) => Condition::Down(error.clone()),
        }
    }
}

struct Consuming {
    hints: mpsc::UnboundedSender<(Hint, Acker)>,
    settled: mpsc::UnboundedReceiver<Acker>,
    /// How often in a row the queue was there and did not answer.
    silences: u32,
}

impl Role for Consuming {
    async fn work(&mut self, session: &Session, state: &mut LinkState) -> BrokerError {
        let consumer = match self.begin(session).await {
            Ok(consumer) => consumer,
            Err(error) => return error,
        };
        state.up();
        tokio::select! {
            error = self.pass_on(consumer) => error,
            error = session.ended() => error,
        }
    }
}

async fn consume(session: &Session) -> lapin::Result<lapin::Consumer> {
    session.channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    session.channel.basic_consume(topology::BUILDS.into(), "".into(), options, FieldTable::default()).await
}

impl Consuming {
    /// Begins to listen. A queue that never answers is made anew, so that nobody has to come and do it.
    async fn begin(&mut self, session: &Session) -> Result<lapin::Consumer, BrokerError> {
        if self.silences >= MOST_SILENCES {
            self.silences = 0;
            tracing::warn!("the queue builds did not answer {MOST_SILENCES} times; it is deleted and made anew");
            topology::make_builds_anew(&session.channel).await?;
        }
        let begun = timeout(ANSWER_LIMIT, consume(session)).await;
        self.silences = if begun.is_err() { self.silences + 1 } else { 0 };
        match begun {
            Ok(begun) => begun.map_err(|error| BrokerError::of_session(&error)),
            Err(_) => Err(BrokerError::QueueSilent),
        }
    }

    async fn pass_on(&mut self, mut consumer: lapin::Consumer) -> BrokerError {
        loop {
            let done = tokio::select! {
                delivery = consumer.next() => match delivery {
                    Some(Ok(delivery)) => self.take_in(delivery).await,
                    Some(Err(error)) => return BrokerError::of_session(&error),
                    None => return BrokerError::Queue { reason: "the broker cancelled the consumer".to_owned() },
                },
                Some(acker) = self.settled.recv() => answer(acker.ack(BasicAckOptions::default())).await,
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    async fn take_in(&self, delivery: Delivery) -> Result<(), BrokerError> {
        match message::decode(&delivery.data, &delivery.properties) {
            Ok(hint) => {
                tracing::debug!(job_id = %hint.build, request_id = hint.request_id, "heard of a build");
                // Without a worker nobody keeps the link up for long.
                let _ = self.hints.send((hint, delivery.acker));
                Ok(())
            }
            Err(error) => {
                metrics::dead_lettered(DeadLetter::Undecodable);
                tracing::error!(
                    %error,
                    "a message can not be understood and goes to builds.dead; look at it there, and at who sent it"
                );
                answer(delivery.acker.reject(BasicRejectOptions { requeue: false })).await
            }
        }
    }
}

/// Deliveries of an earlier connection can not be answered any more; the broker gives them out again.
async fn answer(answering: impl Future<Output = lapin::Result<bool>>) -> Result<(), BrokerError> {
    match timeout(ANSWER_LIMIT, answering).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(BrokerError::of_session(&error)),
        Err(_) => Err(BrokerError::Silent),
    }
}
