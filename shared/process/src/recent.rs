//! Answers that are good for a moment, however many ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// How old an answer may be. Whoever looks once a second gets one that is new.
const FRESH_FOR: Duration = Duration::from_millis(500);

/// What was found out last. One finds out at a time, and those who ask meanwhile get the same.
#[derive(Debug)]
pub struct Recent<T>(Mutex<Option<Found<T>>>);

#[derive(Debug)]
struct Found<T> {
    value: Arc<T>,
    at: Instant,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Recent<T> {
    /// What was found a moment ago, or else what `find_out` finds now. It has to set itself a limit.
    pub async fn get(&self, find_out: impl Future<Output = T>) -> Arc<T> {
        let mut last = self.0.lock().await;
        if let Some(found) = last.as_ref().filter(|found| found.at.elapsed() < FRESH_FOR) {
            return Arc::clone(&found.value);
        }
        let value = Arc::new(find_out.await);
        *last = Some(Found { value: Arc::clone(&value), at: Instant::now() });
        value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn of_many_who_ask_at_once_one_finds_out() {
        let (recent, asked) = (Recent::default(), AtomicU32::new(0));
        let find_out = async || {
            tokio::task::yield_now().await;
            asked.fetch_add(1, Ordering::Relaxed)
        };
        let (one, other, third) = tokio::join!(recent.get(find_out()), recent.get(find_out()), recent.get(find_out()));
        assert_eq!((*one, *other, *third, asked.load(Ordering::Relaxed)), (0, 0, 0, 1));
    }

    #[tokio::test]
    async fn whoever_goes_away_while_finding_out_leaves_it_to_the_next() {
        let recent = Recent::default();
        let gone = tokio::time::timeout(Duration::from_millis(1), recent.get(std::future::pending())).await;
        assert!(gone.is_err());
        assert_eq!(*recent.get(async { 7 }).await, 7);
    }
}
