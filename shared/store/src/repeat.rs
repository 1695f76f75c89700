//! Doing a whole transaction again that the database has undone.
//!
//! Two transactions that wait for each other, a server that is restarted, a connection that is cut: in each case one
//! transaction fails that would succeed a moment later. Only the whole of it can be done again, so whoever writes
//! gives all of it as one function.
//!
//! A commit whose outcome nobody knows ([`StoreError::Unsettled`]) is not done again: it may have been kept, and would be
//! kept twice. Only work that looks whether it was done before may be, and that is for its caller to say.

use std::future::Future;
use std::time::Duration;

#[cfg(doc)]
use crate::error::StoreError;

/// Undone more often than this, it is undone for a reason that stays.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; before each further one, twice as much.
const FIRST_REST: Duration = Duration::from_millis(10);

/// Does a whole transaction, and again, a few times, while it fails in a way that `may_repeat` knows to leave nothing
/// behind: see [`StoreError::is_undone`].
///
/// # Errors
/// When it fails otherwise, or too often.
pub async fn repeat<T, E, F: Future<Output = Result<T, E>>>(
    transaction: impl Fn() -> F,
    may_repeat: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut rest = FIRST_REST;
    for attempt in 1..ATTEMPTS {
        match transaction().await {
            Err(error) if may_repeat(&error) => {
                tracing::debug!(attempt, "the database has undone a transaction; it is done again");
                tokio::time::sleep(rest).await;
                rest *= 2;
            }
            done => return done,
        }
    }
    transaction().await
}
