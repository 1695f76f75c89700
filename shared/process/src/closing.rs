//! Letting go of what a process used.

use std::time::Duration;

use microblog_store::Store;

/// Closing takes a moment, unless somebody who was cut off still has a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Closes the database. Connections that are not given back are left to the end of the process.
pub async fn close(store: &Store) {
    if tokio::time::timeout(PATIENCE, store.close()).await.is_err() {
        tracing::warn!("the database is still in use and is left as it is; nothing is lost by that");
    }
}
