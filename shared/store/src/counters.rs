//! Numbers that become visible in the order in which they were taken.
//!
//! The row of a counter stays locked until the transaction ends. So whoever has seen number N will never be surprised
//! by a smaller one later, which a sequence of the database does not promise.
//!
//! A transaction that takes several takes them in the order of [`Counter`], and before the first of them every row that
//! it is going to change: two that went opposite ways would wait for each other.

use microblog_domain::ChangeSeq;
use sqlx::Row as _;

use crate::connect::{Connection, Transaction};
use crate::decode::Columns as _;
use crate::error::StoreError;

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter {
    /// Changes that readers could notice.
    Change,
    /// Entries of the audit trail.
    Audit,
    /// Events of builds.
    BuildEvent,
    /// Messages to be sent.
    Outbox,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::BuildEvent => "build_event",
            Self::Outbox => "outbox",
            Self::Audit => "audit",
        }
    }
}

/// Takes the next number, from 1.
pub(crate) async fn next(tx: &mut Transaction, counter: Counter) -> Result<i64, StoreError> {
    let row = sqlx::query("UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value")
        .bind(counter.name())
        .fetch_one(&mut **tx)
        .await?;
    Ok(row.try_get("value")?)
}

/// Waits until no other transaction counts here, and keeps others waiting until this one ends.
pub(crate) async fn lock(tx: &mut Transaction, counter: Counter) -> Result<(), StoreError> {
    sqlx::query("UPDATE counters SET value = value WHERE name = $1").bind(counter.name()).execute(&mut **tx).await?;
    Ok(())
}

/// Takes the number of a change that readers could notice.
pub(crate) async fn next_change(tx: &mut Transaction) -> Result<i64, StoreError> {
    next(tx, Counter::Change).await
}

/// The number of the newest change that readers could notice.
pub async fn newest_change(conn: &mut Connection) -> Result<ChangeSeq, StoreError> {
    let row =
        sqlx::query("SELECT value FROM counters WHERE name = $1").bind(Counter::Change.name()).fetch_one(conn).await?;
    row.number("value").map(ChangeSeq)
}
