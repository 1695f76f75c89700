//! Locks on what is not one row: what a decision rests on that looks at several rows, or at rows that are not there.
//!
//! On SQLite whoever writes is alone, so there is nothing to do. On PostgreSQL a lock is a name, held to the end of the
//! transaction. So that no two transactions wait for each other, everybody takes what they need in one order: these
//! locks, in the order of [`Lock`]; then rows; then the counters, in the order of [`crate::counters::Counter`].

use microblog_domain::{ContentHash, UserId};

use crate::connect::Transaction;
use crate::dialect::Dialect;
use crate::error::StoreError;

/// What can be held.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock<'a> {
    /// The answer that somebody's request gets under a key.
    Answer(UserId, &'a str),
    /// Which addresses posts have.
    Addresses,
    /// Who may administer the site.
    Owners,
    /// All uploads of the same bytes.
    Upload(&'a ContentHash),
}

impl Lock<'_> {
    fn name(self) -> String {
        match self {
            Self::Answer(user, key) => format!("microblog answer {user} {key}"),
            Self::Addresses => "microblog addresses".to_owned(),
            Self::Owners => "microblog owners".to_owned(),
            Self::Upload(hash) => format!("microblog upload {hash}"),
        }
    }
}

/// Waits until nobody else holds this, and keeps others waiting until the transaction ends.
pub(crate) async fn hold(tx: &mut Transaction, lock: Lock<'_>) -> Result<(), StoreError> {
    if let Some(sql) = Dialect::of(tx).lock_name() {
        sqlx::query(sql).bind(lock.name()).execute(&mut **tx).await?;
    }
    Ok(())
}
