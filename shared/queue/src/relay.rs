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
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::hint::Hint;
use crate::metrics;
use crate::transport::{HintSender, Permit, SendError};

/// How long the relay has a message for itself: longer than the queue may take to confirm it.
const CLAIM: Duration = Duration::from_secs(10);
/// How long the relay rests at most, so that what another process wrote is found.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// How long a message that could not be sent rests.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often it looks for builds whose messages the queue lost.
const SWEEP: Duration = Duration::from_secs(5);
/// Workers look for themselves once a second, so a build that waits for longer than this has none that knows of it.
const OVERDUE: Duration = Duration::from_secs(5);

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
    /// Why sending failed last, so that each reason is logged once.
    told: Option<SendError>,
}

impl Relay {
    /// A relay that `waker` wakes.
    #[must_use]
    pub fn new(store: Store, sender: HintSender, clock: Arc<dyn Clock>, waker: Waker) -> Self {
        metrics::describe_relay();
        Self { store, sender, clock, waker, told: None }
    }

    /// Sends until it is dropped. Failures are logged and passed by: what could not be sent stays in the outbox.
    pub async fn run(mut self) {
        let mut sweep_at = Instant::now();
        loop {
            if Instant::now() >= sweep_at {
                self.sweep().await;
                sweep_at = Instant::now() + SWEEP;
            }
            let rest = self.send_due().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the outbox could not be relayed; trying again");
                REST_AFTER_FAILURE
            });
            let _ = tokio::time::timeout(rest, self.waker.0.notified()).await;
        }
    }

    /// Sends everything that is due; tells how long to rest.
    async fn send_due(&mut self) -> Result<Duration, StoreError> {
        loop {
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
            self.send(permit, &messages).await?;
        }
    }

    async fn claim(&self, most: usize) -> Result<Vec<OutboxMessage>, StoreError> {
        let mut tx = self.store.begin_forgettable().await?;
        let messages = outbox::claim(&mut tx, self.clock.now(), CLAIM, most).await?;
        tx.commit().await?;
        Ok(messages)
    }

    /// Sends what was claimed. What was confirmed is forgotten, the rest is put back.
    async fn send(&mut self, permit: Permit, messages: &[OutboxMessage]) -> Result<(), StoreError> {
        let hints: Vec<_> = messages.iter().map(hint_of).collect();
        let sent = self.sender.send(permit, &hints).await;
        self.tell(&sent);
        let (confirmed, failed): (Vec<_>, Vec<_>) = messages.iter().zip(&sent).partition(|(_, sent)| sent.is_ok());
        let ids =
            |messages: Vec<(&OutboxMessage, _)>| messages.iter().map(|(message, _)| message.id).collect::<Vec<_>>();
        let until = self.clock.now().checked_add(REST_AFTER_FAILURE).unwrap_or(Timestamp::MAX);
        let (confirmed, failed) = (ids(confirmed), ids(failed));
        in_time(async {
            let mut tx = self.store.begin_forgettable().await?;
            outbox::delivered(&mut tx, &confirmed).await?;
            outbox::put_back(&mut tx, &failed, until).await?;
            tx.commit().await
        })
        .await
    }

    fn tell(&mut self, sent: &[Result<(), SendError>]) {
        let error = sent.iter().find_map(|sent| sent.as_ref().err());
        if let (Some(error), false) = (error, error == self.told.as_ref()) {
            tracing::warn!(%error, "builds could not be announced; trying again");
        }
        self.told = error.cloned();
    }

    /// Announces a build again whose message was lost.
    async fn sweep(&self) {
        let now = self.clock.now();
        let since = now.checked_sub(OVERDUE).unwrap_or(Timestamp::MIN);
        match in_time(self.announce_overdue(since, now)).await {
            Ok(false) => {}
            Ok(true) => {
                metrics::swept(1);
                tracing::warn!("a build that no worker took was announced again; look whether a builder runs");
            }
            Err(error) => tracing::warn!(%error, "the builds that wait could not be looked at; trying again"),
        }
    }

    async fn announce_overdue(&self, since: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        // Nearly always there is none, and nothing has to be written to find that out.
        if builds::overdue(&mut *self.store.read().await?, since).await?.is_none() {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let is_announced = builds::announce_overdue(&mut tx, since, now).await?;
        tx.commit().await?;
        Ok(is_announced)
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

fn hint_of(message: &OutboxMessage) -> Hint {
    Hint { build: message.build, request_id: message.request_id.clone(), traceparent: message.traceparent.clone() }
}
