//! Whether a worker's loop turns: a worker that stands still holds its builds, and looks well from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use microblog_telemetry::health::Finding;

/// How often it beats while the worker waits for work that takes long.
const BEAT: Duration = Duration::from_secs(1);
/// Without a beat for so long the worker stands still. Waiting for the database may take ten seconds.
const STILL: Duration = Duration::from_secs(15);

/// When a worker's loop last turned.
#[derive(Debug, Clone)]
pub struct Pulse {
    since: Instant,
    last: Arc<AtomicU64>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { since: Instant::now(), last: Arc::default() }
    }
}

impl Pulse {
    /// The loop turns.
    pub(crate) fn beat(&self) {
        self.last.store(self.milliseconds(), Ordering::Relaxed);
    }

    /// Beats for as long as the work goes on.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut beats = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = beats.tick() => self.beat(),
            }
        }
    }

    /// As a probe wants to know it.
    #[must_use]
    pub fn examine(&self) -> Finding {
        let still = Duration::from_millis(self.milliseconds().saturating_sub(self.last.load(Ordering::Relaxed)));
        if still > STILL { Finding::unhealthy("the worker stands still; see the log") } else { Finding::healthy() }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use microblog_telemetry::health::HealthStatus;

    use super::*;

    #[test]
    fn a_worker_that_stands_still_is_unhealthy_until_it_turns_again() {
        let since = Instant::now().checked_sub(STILL + Duration::from_secs(1)).unwrap();
        let pulse = Pulse { since, last: Arc::default() };
        assert_eq!(pulse.examine().status, HealthStatus::Unhealthy);
        pulse.beat();
        assert_eq!(pulse.examine().status, HealthStatus::Healthy);
    }
}
