//! The outbox: messages that a transaction wants sent once it is kept.
//!
//! A relay claims what is due for a few seconds, hands it to the queue and, when the queue has confirmed it, deletes it
//! here. Nothing is locked while the queue is asked; a relay that dies leaves a claim that runs out. A message only says
//! that a build may have become due: the row of the build is the truth, so a message sent twice does no harm.

use std::time::Duration;

use jiff::Timestamp;
use microblog_domain::{BuildId, TraceParent};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::builds::FARTHEST;
use crate::connect::{Connection, Transaction};
use crate::counters::{self, Counter};
use crate::decode::{Columns as _, micros, padded, placeholders, stored};
use crate::dialect::{Dialect, RowLock};
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
    /// Where that request stands in a trace.
    pub trace: Option<TraceParent>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was to be sent, at the earliest.
    pub due_at: Timestamp,
    /// When it may be claimed again, if it is still there then.
    pub available_at: Timestamp,
    /// How often sending it went wrong.
    pub attempts: u32,
}

/// How much waits, for probes and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many messages are not sent, due or not; [`MOST_COUNTED`] if there are more.
    pub pending: u64,
    /// Since when the longest-waiting of those that are due could have been sent.
    pub oldest_due: Option<Timestamp>,
}

/// Nobody needs to know how many more there are, and everybody who probes has them counted.
pub const MOST_COUNTED: u64 = 10_000;

/// Writes a message about a build, to be sent at `available_at`.
pub(crate) async fn enqueue(
    tx: &mut Transaction,
    build: BuildId,
    available_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = counters::next(tx, Counter::Outbox).await?;
    sqlx::query(
        "INSERT INTO outbox (id, build_id, request_id, traceparent, created_at, due_at, available_at) \
         SELECT $1, id, request_id, traceparent, $2, $3, $3 FROM builds WHERE id = $4",
    )
    .bind(id)
    .bind(micros(now))
    .bind(micros(available_at))
    .bind(build.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes messages that are due, the longest-waiting first. Nobody else gets them for as long as the claim lasts. A time
/// too far ahead was written by a clock that was wrong: such a message is due, too, as its build is.
pub async fn claim(
    tx: &mut Transaction,
    now: Timestamp,
    claim_for: Duration,
    limit: usize,
) -> Result<Vec<OutboxMessage>, StoreError> {
    let until = now.checked_add(claim_for).unwrap_or(Timestamp::MAX);
    let lock = Dialect::of(tx).row_lock(RowLock::Skip);
    // Asked once, whatever the plan: a subquery may be run anew for each row, and finds others each time.
    let sql = format!(
        "WITH free AS MATERIALIZED (SELECT id FROM outbox WHERE available_at <= $1 OR available_at > $4 \
         ORDER BY available_at, id LIMIT $2{lock}) \
         UPDATE outbox SET available_at = $3 WHERE id IN (SELECT id FROM free) RETURNING {}",
        columns_of!(outbox)
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(micros(now))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(micros(until))
        .bind(micros(now.checked_add(FARTHEST).unwrap_or(Timestamp::MAX)))
        .fetch_all(&mut **tx)
        .await?;
    let mut messages = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    messages.sort_unstable_by_key(|message| (message.due_at, message.id));
    Ok(messages)
}

/// When the next message may be claimed.
pub async fn next_due(conn: &mut Connection) -> Result<Option<Timestamp>, StoreError> {
    sqlx::query("SELECT MIN(available_at) AS at FROM outbox").fetch_one(conn).await?.maybe_time("at")
}

/// Forgets messages that the queue has confirmed.
pub async fn delivered(tx: &mut Transaction, ids: &[u64]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = padded(ids);
    let sql = format!("DELETE FROM outbox WHERE id IN ({})", placeholders(1, ids.len()));
    let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(stored(**id)));
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Gives back messages that could not be sent: they may be claimed again from `until` on.
pub async fn put_back(tx: &mut Transaction, ids: &[u64], until: Timestamp) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = padded(ids);
    let sql = format!(
        "UPDATE outbox SET attempts = attempts + 1, available_at = $1 WHERE id IN ({})",
        placeholders(2, ids.len())
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(micros(until));
    ids.iter().fold(query, |query, id| query.bind(stored(**id))).execute(&mut **tx).await?;
    Ok(())
}

/// How much waits.
pub async fn backlog(conn: &mut Connection, now: Timestamp) -> Result<Backlog, StoreError> {
    let sql = "SELECT COUNT(*) AS pending, MIN(CASE WHEN due_at <= $1 THEN due_at END) AS oldest \
               FROM (SELECT due_at FROM outbox ORDER BY due_at LIMIT $2) o";
    let row = sqlx::query(sql).bind(micros(now)).bind(stored(MOST_COUNTED)).fetch_one(conn).await?;
    Ok(Backlog { pending: row.number("pending")?, oldest_due: row.maybe_time("oldest")? })
}

fn from_row(row: &AnyRow) -> Result<OutboxMessage, StoreError> {
    Ok(OutboxMessage {
        id: row.number("id")?,
        build: row.parsed("build_id")?,
        request_id: row.maybe_text("request_id")?,
        trace: row.maybe_parsed("traceparent")?,
        created_at: row.time("created_at")?,
        due_at: row.time("due_at")?,
        available_at: row.time("available_at")?,
        attempts: row.number("attempts")?,
    })
}
