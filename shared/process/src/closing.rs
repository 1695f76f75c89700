//! Letting go of what a process used.

use std::time::Duration;

use microblog_store::Store;

use crate::errors::ErrorKeeper;

/// Closing takes a moment, unless somebody who was cut off still has a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Stores the errors that were reported last, and closes the database. Connections that are not given back are left to the
/// end of the process.
pub async fn close(store: &Store, errors: &ErrorKeeper) {
    let closing = async {
        if let Err(error) = errors.store_now().await {
            tracing::warn!(%error, "the last errors could not be stored; the log has them");
        }
        store.close().await;
    };
    if tokio::time::timeout(PATIENCE, closing).await.is_err() {
        tracing::warn!("the database is still in use and is left as it is; nothing is lost by that");
    }
}
