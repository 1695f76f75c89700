//! Publishes scheduled posts when their time has come.
//!
//! Looks into the database rather than at timers of its own, so that a post that was scheduled by another process, or
//! while this one was down, goes live too; publishing is one transaction, so that it does so once.

use std::sync::Arc;
use std::time::Duration;

use microblog_domain::Timestamp;
use microblog_process::Trouble;
use microblog_store::{Origin, StoreError, in_time, posts, publishing};

use crate::metrics;
use crate::state::AppState;

/// How long it rests at most: a post goes live within a second of its time.
const LONGEST_REST: Duration = Duration::from_millis(500);
/// What is due and can not be taken is being published by another process.
const SHORTEST_REST: Duration = Duration::from_millis(20);
/// What could not be published is still due; without a rest it would be tried without an end.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Posts published in one transaction.
const BATCH: u32 = 100;

/// Publishes what is due, for the life of the process. Failures are logged and passed by.
pub(crate) async fn publish_on_time(app: Arc<AppState>) {
    let mut trouble = Trouble::default();
    loop {
        let rest = match in_time(publish_due(&app)).await {
            Ok(0) => {
                if trouble.is_over() {
                    tracing::info!("scheduled posts can be published again");
                }
                rest(&app).await
            }
            Ok(count) => {
                tracing::info!(count, "scheduled posts were published");
                metrics::posts_published(count as u64);
                continue;
            }
            Err(error) => {
                if trouble.is_news(&error) {
                    tracing::warn!(%error, "scheduled posts can not be published; trying again until they can");
                }
                REST_AFTER_FAILURE
            }
        };
        tokio::time::sleep(rest).await;
    }
}

async fn publish_due(app: &AppState) -> Result<usize, StoreError> {
    let now = app.clock.now();
    if next_due(app).await?.is_none_or(|due| due > now) {
        return Ok(0);
    }
    let mut tx = app.store.begin().await?;
    let count = publishing::publish_due(&mut tx, BATCH, &Origin::system(now)).await?;
    tx.commit().await?;
    app.waker.wake();
    Ok(count)
}

async fn next_due(app: &AppState) -> Result<Option<Timestamp>, StoreError> {
    posts::list::next_due(&mut *app.store.read().await?).await
}

/// Until the next post is due, or half a second.
async fn rest(app: &AppState) -> Duration {
    match in_time(next_due(app)).await {
        Ok(Some(due)) => {
            let until_due = Duration::try_from(due.duration_since(app.clock.now())).unwrap_or_default();
            until_due.clamp(SHORTEST_REST, LONGEST_REST)
        }
        Ok(None) | Err(_) => LONGEST_REST,
    }
}
