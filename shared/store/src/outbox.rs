//! The outbox: messages that a transaction wants sent once it is kept.
//!
//! A relay reads what is due, hands it to the queue and, when the queue has confirmed it, deletes it here. A message
//! only says that a build may have become due: the row of the build is the truth, so a message sent twice does no harm.

use jiff::Timestamp;
use microblog_domain::BuildId;
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::counters::{self, Counter};
use crate::decode::{Columns as _, micros, stored};
use crate::error::StoreError;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Counts the messages.
    pub id: u64,
    /// Which build became due.
    pub build: BuildId,
    /// The request that it began with.
    pub request_id: Option<String>,
    /// The W3C trace context of that request.
    pub traceparent: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When to send it, at the earliest.
    pub available_at: Timestamp,
    /// How often sending it went wrong.
    pub attempts: u32,
}

/// How much waits, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many messages are not sent, due or not.
    pub pending: u64,
    /// Since when the longest-waiting of those that are due could have been sent.
    pub oldest_due: Option<Timestamp>,
}

/// Writes a message about a build, to be sent at `available_at`.
pub(crate) async fn enqueue(
    tx: &mut Transaction,
    build: BuildId,
    available_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = counters::next(tx, Counter::Outbox).await?;
    sqlx::query(
        "INSERT INTO outbox (id, build_id, request_id, traceparent, created_at, available_at) \
         SELECT $1, id, request_id, traceparent, $2, $3 FROM builds WHERE id = $4",
    )
    .bind(id)
    .bind(micros(now))
    .bind(micros(available_at))
    .bind(build.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The messages that are due, the longest-waiting first.
pub async fn due(conn: &mut Connection, now: Timestamp, limit: u32) -> Result<Vec<OutboxMessage>, StoreError> {
    let rows = sqlx::query("SELECT * FROM outbox WHERE available_at <= $1 ORDER BY available_at, id LIMIT $2")
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await?;
    rows.iter().map(from_row).collect()
}

/// When the next message is due.
pub async fn next_due(conn: &mut Connection) -> Result<Option<Timestamp>, StoreError> {
    sqlx::query("SELECT MIN(available_at) AS at FROM outbox").fetch_one(conn).await?.maybe_time("at")
}

/// Forgets messages that the queue has confirmed.
pub async fn delivered(tx: &mut Transaction, ids: &[u64]) -> Result<(), StoreError> {
    for id in ids {
        sqlx::query("DELETE FROM outbox WHERE id = $1").bind(stored(*id)).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Puts off a message that could not be sent.
pub async fn put_off(tx: &mut Transaction, id: u64, until: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE outbox SET attempts = attempts + 1, available_at = $1 WHERE id = $2")
        .bind(micros(until))
        .bind(stored(id))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How much waits.
pub async fn backlog(conn: &mut Connection, now: Timestamp) -> Result<Backlog, StoreError> {
    let sql =
        "SELECT COUNT(*) AS pending, MIN(CASE WHEN available_at <= $1 THEN available_at END) AS oldest FROM outbox";
    let row = sqlx::query(sql).bind(micros(now)).fetch_one(conn).await?;
    Ok(Backlog { pending: row.number("pending")?, oldest_due: row.maybe_time("oldest")? })
}

fn from_row(row: &AnyRow) -> Result<OutboxMessage, StoreError> {
    Ok(OutboxMessage {
        id: row.number("id")?,
        build: row.parsed("build_id")?,
        request_id: row.maybe_text("request_id")?,
        traceparent: row.maybe_text("traceparent")?,
        created_at: row.time("created_at")?,
        available_at: row.time("available_at")?,
        attempts: row.number("attempts")?,
    })
}
