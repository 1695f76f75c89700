//! From the outbox to the transport.
//!
//! Whoever asks for a build writes its message in the same transaction as the change; the relay sends what was kept.
//! A message is forgotten only once the transport has taken it, so a message may be sent twice but is never lost.

use std::sync::Arc;
use std::time::Duration;

use microblog_domain::{Clock, Timestamp};
use microblog_store::outbox::{self, OutboxMessage};
use microblog_store::{Store, StoreError};
use tokio::sync::Notify;

use crate::hint::Hint;
use crate::transport::HintSender;

/// Messages sent in one go.
const BATCH: u32 = 100;
/// How long the relay rests at most, so that what another process wrote is found.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// How long a message that could not be sent rests.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Tells the relay of this process that something was written to the outbox.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Notify>);

impl Waker {
    /// To be called after the commit.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Sends what the outbox holds.
#[derive(Debug)]
pub struct Relay {
    store: Store,
    sender: HintSender,
    clock: Arc<dyn Clock>,
    waker: Waker,
}

impl Relay {
    /// A relay that `waker` wakes.
    #[must_use]
    pub fn new(store: Store, sender: HintSender, clock: Arc<dyn Clock>, waker: Waker) -> Self {
        Self { store, sender, clock, waker }
    }

    /// Sends until it is dropped. Failures are logged and passed by: what could not be sent stays in the outbox.
    pub async fn run(self) {
        loop {
            let rest = match self.send_due().await {
                Ok(next) => self.rest_until(next),
                Err(error) => {
                    tracing::warn!(%error, "the outbox could not be relayed; trying again");
                    REST_AFTER_FAILURE
                }
            };
            let _ = tokio::time::timeout(rest, self.waker.0.notified()).await;
        }
    }

    /// Sends everything that is due; returns when the next message will be.
    async fn send_due(&self) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let messages = outbox::due(&mut *self.store.read().await?, self.clock.now(), BATCH).await?;
            if messages.is_empty() {
                return outbox::next_due(&mut *self.store.read().await?).await;
            }
            self.send(messages).await?;
        }
    }

    async fn send(&self, messages: Vec<OutboxMessage>) -> Result<(), StoreError> {
        let until = self.clock.now().checked_add(REST_AFTER_FAILURE).unwrap_or(Timestamp::MAX);
        let mut delivered = Vec::with_capacity(messages.len());
        let mut refused = Vec::new();
        for message in messages {
            let hint = Hint { build: message.build, request_id: message.request_id, traceparent: message.traceparent };
            match self.sender.send(hint) {
                Ok(()) => delivered.push(message.id),
                Err(error) => {
                    tracing::warn!(build = %message.build, %error, "a build could not be announced; trying again");
                    refused.push(message.id);
                }
            }
        }
        let mut tx = self.store.begin().await?;
        outbox::delivered(&mut tx, &delivered).await?;
        for id in refused {
            outbox::put_off(&mut tx, id, until).await?;
        }
        tx.commit().await
    }

    fn rest_until(&self, next: Option<Timestamp>) -> Duration {
        let until_next = next.map(|next| next.duration_since(self.clock.now()));
        let rest = until_next.and_then(|rest| Duration::try_from(rest).ok()).unwrap_or_default();
        if next.is_some() { rest.min(LONGEST_REST) } else { LONGEST_REST }
    }
}
