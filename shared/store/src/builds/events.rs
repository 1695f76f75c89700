//! What happened to builds, kept so that a browser that reconnects misses nothing.

use jiff::Timestamp;
use microblog_domain::{BuildId, BuildStep};
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::counters::{self, Counter};
use crate::decode::{Columns as _, micros, stored, to_json};
use crate::error::StoreError;

/// Something that happened to a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildEvent {
    /// Counts the events of all builds; later events have higher numbers.
    pub id: u64,
    /// To which build.
    pub build: BuildId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: BuildStep,
}

/// The events of one build after event `after` (0 for all), oldest first.
pub async fn of_build(
    conn: &mut Connection,
    build: BuildId,
    after: u64,
    limit: u32,
) -> Result<Vec<BuildEvent>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(build_events),
        " FROM build_events WHERE build_id = $1 AND id > $2 ORDER BY id LIMIT $3"
    ))
    .bind(build.to_string())
    .bind(stored(after))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// The number of the newest event of all builds; 0 before the first.
pub async fn newest(conn: &mut Connection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT value FROM counters WHERE name = 'build_event'").fetch_one(conn).await?;
    row.number("value")
}

/// Writes an event.
pub(crate) async fn append(
    tx: &mut Transaction,
    build: BuildId,
    step: &BuildStep,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let id = counters::next(tx, Counter::BuildEvent).await?;
    sqlx::query("INSERT INTO build_events (id, build_id, at, step) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(build.to_string())
        .bind(micros(at))
        .bind(to_json(step)?)
        .execute(&mut **tx)
        .await?;
    Ok(u64::try_from(id).unwrap_or(0))
}

fn from_row(row: &AnyRow) -> Result<BuildEvent, StoreError> {
    Ok(BuildEvent {
        id: row.number("id")?,
        build: row.parsed("build_id")?,
        at: row.time("at")?,
        step: row.json("step")?,
    })
}
