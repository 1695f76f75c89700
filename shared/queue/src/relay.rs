//! From the outbox to the queue.
//!
//! Whoever asks for a build writes its message in the same transaction as the change; the relay sends what was kept.
//! A message is forgotten only once the queue has confirmed it, so it may be sent twice but is never lost. Any number of
//! relays may run: each claims what it sends, for longer than sending can take, and no transaction is open meanwhile. What
//! the relay itself writes may be forgotten by a server that crashes: then a message is sent once more.

use std::sync::Arc;
use std::time::Duration;

use microblog_domain::{Clock, Timestamp};
use microblog_store::outbox::{self, OutboxMessage};
use microblog_store::{Store, StoreError, builds, in_time};
use microblog_telemetry::{Trouble, traces};
use tokio::sync::Notify;
use tracing::Span;
use tracing::field::Empty;

use crate::hint::Hint;
use crate::metrics;
use crate::sweeper::Sweeper;
use crate::transport::{HintSender, Permit, SendError};

/// How long the relay has a message for itself: longer than the queue may take to confirm it.
const CLAIM: Duration = Duration::from_secs(10);
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
    /// What became of messages that were sent, and is not stored yet.
    unsettled: Sent,
    trouble: Trouble,
}

/// What became of messages, by their ids.
#[derive(Debug, Default)]
struct Sent {
    confirmed: Vec<u64>,
    failed: Vec<u64>,
}

impl Relay {
    /// A relay that `waker` wakes.
    #[must_use]
    pub fn new(store: Store, sender: HintSender, clock: Arc<dyn Clock>, waker: Waker) -> Self {
        metrics::describe_relay();
        Self { store, sender, clock, waker, unsettled: Sent::default(), trouble: Trouble::default() }
    }

    /// Sends until it is dropped. Failures are logged and passed by: what could not be sent stays in the outbox.
    pub async fn run(self) {
        let sweeper = Sweeper::new(self.store.clone(), Arc::clone(&self.clock));
        // Beside the sending, which under load has no end.
        tokio::join!(self.send_all(), sweeper.run());
    }

    async fn send_all(mut self) {
        let mut trouble = Trouble::default();
        loop {
            let due = self.send_due().await;
            match &due {
                Err(error) if trouble.is_news(error) => {
                    tracing::warn!(%error, "the outbox can not be relayed; trying again until it can");
                }
                Ok(_) if trouble.is_over() => tracing::info!("the outbox is relayed again"),
                _ => {}
            }
            let rest = due.unwrap_or(REST_AFTER_FAILURE);
            let _ = tokio::time::timeout(rest, self.waker.0.notified()).await;
        }
    }

    /// Sends everything that is due; tells how long to rest.
    async fn send_due(&mut self) -> Result<Duration, StoreError> {
        loop {
            self.settle().await?;
            let next = in_time(async { outbox::next_due(&mut *self.store.read().await?).await }).await?;
            let rest = self.until(next);
            if !rest.is_zero() {
                return Ok(rest);
            }
            let permit = match self.sender.permit() {
                Ok(permit) => permit,
                Err(rest) => return Ok(rest.min(LONGEST_REST)),
            };
            let messages = in_time(self.claim(permit.most())).await?;
            if messages.is_empty() {
                // Another relay was faster.
                return Ok(LONGEST_REST);
            }
            self.send(permit, &messages).await;
        }
    }

    async fn claim(&self, most: usize) -> Result<Vec<OutboxMessage>, StoreError> {
        let mut tx = self.store.begin_forgettable().await?;
        let messages = outbox::claim(&mut tx, self.clock.now(), CLAIM, most).await?;
        tx.commit().await?;
        Ok(messages)
    }

    /// Sends what was claimed.
    async fn send(&mut self, permit: Permit, messages: &[OutboxMessage]) {
        // The spans end when the broker has answered.
        let (_spans, hints): (Vec<_>, Vec<_>) = messages.iter().map(hint_of).unzip();
        let sent = self.sender.send(permit, &hints).await;
        self.tell(&sent);
        for (message, sent) in messages.iter().zip(&sent) {
            let Sent { confirmed, failed } = &mut self.unsettled;
            if sent.is_ok() { confirmed } else { failed }.push(message.id);
        }
    }

    /// Forgets what was confirmed, and puts the rest back. What can not be stored now is stored later: a message that the
    /// queue has is not sent again because the database was slow.
    async fn settle(&mut self) -> Result<(), StoreError> {
        let Sent { confirmed, failed } = &self.unsettled;
        if confirmed.is_empty() && failed.is_empty() {
            return Ok(());
        }
        let until = self.clock.now().checked_add(REST_AFTER_FAILURE).unwrap_or(Timestamp::MAX);
        in_time(async {
            let mut tx = self.store.begin_forgettable().await?;
            outbox::delivered(&mut tx, confirmed).await?;
            outbox::put_back(&mut tx, failed, until).await?;
            tx.commit().await
        })
        .await?;
        self.unsettled = Sent::default();
        Ok(())
    }

    fn tell(&mut self, sent: &[Result<(), SendError>]) {
        match sent.iter().find_map(|sent| sent.as_ref().err()) {
            Some(error) if self.trouble.is_news(error) => {
                tracing::warn!(%error, "builds could not be announced; trying again");
            }
            None if self.trouble.is_over() => tracing::info!("builds are announced again"),
            _ => {}
        }
    }

    fn until(&self, next: Option<Timestamp>) -> Duration {
        let now = self.clock.now();
        match next {
            None => LONGEST_REST,
            Some(next) if builds::is_due(next, now) => Duration::ZERO,
            Some(next) => Duration::try_from(next.duration_since(now)).unwrap_or_default().min(LONGEST_REST),
        }
    }
}

/// What is sent, and the span of sending it in the trace of the request; what belongs to no trace begins none.
fn hint_of(message: &OutboxMessage) -> (Span, Hint) {
    let span = message.trace.map_or_else(
        Span::none,
        |_| tracing::info_span!("announce", job_id = %message.build, trace_id = Empty, otel.kind = "producer"),
    );
    let trace = traces::follow(&span, message.trace);
    (span, Hint { build: message.build, request_id: message.request_id.clone(), trace })
}
