//! Publishes scheduled posts when their time has come.
//!
//! Looks into the database rather than at timers of its own, so that a post that was scheduled by another process, or
//! while this one was down, goes live too; publishing is one transaction, so that it does so once. Never early, whichever
//! of several machines has a clock that is ahead.

use std::sync::Arc;
use std::time::Duration;

use microblog_process::Trouble;
use microblog_store::{Origin, StoreError, in_time, posts, publishing, repeat};

use crate::metrics;
use crate::state::AppState;

/// How long it rests at most: a post goes live within a second of its time.
const LONGEST_REST: Duration = Duration::from_millis(500);
/// What is due and can not be taken is being published by another process, or not due yet by the server's own clock.
const SHORTEST_REST: Duration = Duration::from_millis(20);
/// What could not be published is still due; without a rest it would be tried without an end.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Posts published in one transaction.
const BATCH: u32 = 100;

/// What a look at the database came to.
enum Round {
    /// So many posts went live; there may be more.
    Published(usize),
    /// Nothing is due for so long.
    Rest(Duration),
}

/// Publishes what is due, for the life of the process. Failures are logged and passed by.
pub(crate) async fn publish_on_time(app: Arc<AppState>) {
    let mut trouble = Trouble::default();
    loop {
        let round = in_time(look(&app)).await;
        if round.is_ok() && trouble.is_over() {
            tracing::info!("scheduled posts can be published again");
        }
        let rest = match round {
            Ok(Round::Published(count)) => {
                tracing::info!(count, "scheduled posts were published");
                metrics::posts_published(count as u64);
                continue;
            }
            Ok(Round::Rest(rest)) => rest,
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

/// Rests until the next post is due, or half a second, by the clock that all go by.
async fn look(app: &AppState) -> Result<Round, StoreError> {
    let due = posts::list::next_due(&mut *app.store.read().await?).await?;
    match due.map(|due| Duration::try_from(due.duration_since(app.clock.now())).unwrap_or_default()) {
        None => Ok(Round::Rest(LONGEST_REST)),
        Some(Duration::ZERO) => match repeat(|| publish_due(app), StoreError::is_undone).await? {
            0 => Ok(Round::Rest(SHORTEST_REST)),
            count => Ok(Round::Published(count)),
        },
        Some(wait) => Ok(Round::Rest(wait.clamp(SHORTEST_REST, LONGEST_REST))),
    }
}

async fn publish_due(app: &AppState) -> Result<usize, StoreError> {
    let mut tx = app.store.begin().await?;
    let count = publishing::publish_due(&mut tx, BATCH, &Origin::system(app.clock.now())).await?;
    tx.commit().await?;
    app.waker.wake();
    Ok(count)
}
