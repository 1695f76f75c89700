//! What nobody else takes up again: builds whose messages the queue lost, and edits whose build was given up.

use std::sync::Arc;
use std::time::Duration;

use microblog_domain::{Clock, Timestamp};
use microblog_store::{Store, StoreError, builds, in_time};
use microblog_telemetry::Trouble;
use tokio::time::MissedTickBehavior;

use crate::metrics;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(5);
/// Workers look for themselves once a second, so a build that waits for longer than this has none that knows of it.
const OVERDUE: Duration = Duration::from_secs(5);
/// How long what was given up rests: what was in the way may be gone, and whoever could ask for a build may be asleep.
const GIVEN_UP: Duration = Duration::from_secs(5 * 60);

/// Looks for them.
#[derive(Debug)]
pub(crate) struct Sweeper {
    store: Store,
    clock: Arc<dyn Clock>,
    trouble: Trouble,
}

impl Sweeper {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, trouble: Trouble::default() }
    }

    /// Looks until it is dropped. Failures are logged and passed by.
    pub(crate) async fn run(mut self) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let swept = self.sweep().await;
            self.tell(swept.err());
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if in_time(self.announce_overdue(now)).await? {
            metrics::swept(1);
            tracing::warn!("a build that no worker took was announced again; look whether a builder runs");
        }
        if in_time(self.ask_again(now)).await? {
            tracing::warn!("a build was given up minutes ago, and nobody has asked for another one: it is tried again");
        }
        Ok(())
    }

    /// Announces a build again whose message was lost.
    async fn announce_overdue(&self, now: Timestamp) -> Result<bool, StoreError> {
        let since = now.checked_sub(OVERDUE).unwrap_or(Timestamp::MIN);
        // Nearly always there is none, and nothing has to be written to find that out.
        if builds::overdue(&mut *self.store.read().await?, since).await?.is_none() {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let is_announced = builds::announce_overdue(&mut tx, since, now).await?;
        tx.commit().await?;
        Ok(is_announced)
    }

    /// Asks for another build in the place of one that was given up.
    async fn ask_again(&self, now: Timestamp) -> Result<bool, StoreError> {
        if builds::given_up(&mut *self.store.read().await?, GIVEN_UP, now).await?.is_none() {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let is_asked = builds::ask_again(&mut tx, GIVEN_UP, now).await?;
        tx.commit().await?;
        Ok(is_asked)
    }

    /// Once for each reason, not with each look.
    fn tell(&mut self, error: Option<StoreError>) {
        match error {
            Some(error) if self.trouble.is_news(&error) => {
                tracing::warn!(%error, "the builds that wait can not be looked at; trying again until they can");
            }
            None if self.trouble.is_over() => tracing::info!("the builds that wait can be looked at again"),
            _ => {}
        }
    }
}
