//! The time that all services of a site go by.
//!
//! Services on several machines put off messages, retries and posts for each other, and no two machines have the same time.
//! So all of them go by the clock of the server that holds their database. Between two questions time is measured by a
//! clock that nobody sets, so it also goes on while the server is away. A database in a file is used by one machine, whose
//! clock it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use microblog_domain::Clock;

use crate::connect::{Store, in_time};
use crate::decode::Columns as _;
use crate::error::StoreError;

/// How often the server is asked: so far apart that it costs nothing, and that no clock gets wrong by a millisecond.
const ASK: Duration = Duration::from_secs(5);
/// Clocks that are kept right differ by less.
const SUSPICIOUS: SignedDuration = SignedDuration::from_secs(2);

/// A clock that goes as the server's does.
#[derive(Debug)]
pub struct ServerClock {
    began: Instant,
    /// What the server's clock showed then, in microseconds since 1970.
    shown: AtomicI64,
}

impl ServerClock {
    /// A clock that shows this, and goes on from there.
    #[must_use]
    pub fn showing(time: Timestamp) -> Self {
        Self { began: Instant::now(), shown: AtomicI64::new(time.as_microsecond()) }
    }

    /// Sets it by the server. A database in a file tells no time: then nothing is changed, and the answer is no.
    pub async fn set_by(&self, store: &Store) -> Result<bool, StoreError> {
        let Some(question) = store.dialect.what_time_is_it() else { return Ok(false) };
        let mut reader = store.read().await?;
        let asked = self.began.elapsed();
        let now = sqlx::query(question).fetch_one(&mut *reader).await?.time("now")?.as_microsecond();
        let (asked, answered) = (microseconds(asked), microseconds(self.began.elapsed()));
        let doubt = (answered - asked) / 2;
        let shown = now - asked - doubt;
        // What may be due to the way there and back is no reason to set it.
        if (shown - self.shown.load(Ordering::Relaxed)).abs() > doubt {
            self.shown.store(shown, Ordering::Relaxed);
        }
        Ok(true)
    }

    /// Sets it again and again, until nobody has it any more.
    async fn follow(clock: Weak<Self>, store: Store) {
        loop {
            tokio::time::sleep(ASK).await;
            let Some(clock) = clock.upgrade() else { return };
            if let Err(error) = in_time(clock.set_by(&store)).await {
                tracing::debug!(%error, "the server could not be asked what time it is; going on without");
            }
        }
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        let shown = self.shown.load(Ordering::Relaxed).saturating_add(microseconds(self.began.elapsed()));
        Timestamp::from_microsecond(shown).unwrap_or(Timestamp::MAX)
    }
}

/// The clock that all services which use this database go by: the server's, or `own` where one machine has the database.
///
/// # Errors
/// When the database fails.
pub async fn shared_clock(store: &Store, own: Arc<dyn Clock>) -> Result<Arc<dyn Clock>, StoreError> {
    let clock = Arc::new(ServerClock::showing(own.now()));
    if !clock.set_by(store).await? {
        return Ok(own);
    }
    let differs = clock.now().duration_since(own.now());
    if differs.abs() > SUSPICIOUS {
        tracing::warn!(?differs, "the clocks of this machine and of the database's differ; the latter is gone by");
    }
    tokio::spawn(ServerClock::follow(Arc::downgrade(&clock), store.clone()));
    Ok(clock)
}

fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
