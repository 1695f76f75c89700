//! Errors that people should know of, each once by what it is and where it happens: how often it did, when last, and
//! whether somebody has taken note.
//!
//! Processes gather what happens to them and store it together, so that a storm of errors is no storm of statements. An
//! error that happens again after somebody acknowledged it is open again.

use jiff::Timestamp;
use microblog_domain::{ErrorGroupId, UserId};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::audit;
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, stored};
use crate::error::StoreError;
use crate::origin::Origin;
use crate::paging::TimeCursor;

/// What happened a number of times in a short while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrences {
    /// What kind of error, as a word.
    pub code: String,
    /// Where: a route, a place in the source, a post.
    pub place: String,
    /// What the last one said.
    pub message: String,
    /// How many.
    pub count: u64,
    /// When the first one happened.
    pub first_at: Timestamp,
    /// When the last one did.
    pub last_at: Timestamp,
    /// The last request that met it.
    pub request_id: Option<String>,
}

/// All that is known of one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorGroup {
    /// Its id.
    pub id: ErrorGroupId,
    /// What kind of error, as a word.
    pub code: String,
    /// Where it happens.
    pub place: String,
    /// What it said when it last happened.
    pub message: String,
    /// How often it happened.
    pub count: u64,
    /// When it first happened.
    pub first_seen_at: Timestamp,
    /// When it last happened.
    pub last_seen_at: Timestamp,
    /// The last request that met it.
    pub request_id: Option<String>,
    /// Who has taken note since it last happened; without one it is open.
    pub acknowledged: Option<Acknowledgement>,
}

/// That somebody has taken note of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who, if they are still there.
    pub by: Option<UserId>,
    /// Their name.
    pub name: Option<String>,
}

/// What happened after somebody took note opens the error again; what was only stored later does not.
const RECORD: &str = "\
    INSERT INTO error_groups (id, code, place, message, occurrences, first_seen_at, last_seen_at, request_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
    ON CONFLICT (code, place) DO UPDATE SET \
    message = CASE WHEN excluded.last_seen_at >= error_groups.last_seen_at \
        THEN excluded.message ELSE error_groups.message END, \
    occurrences = error_groups.occurrences + excluded.occurrences, \
    first_seen_at = CASE WHEN excluded.first_seen_at < error_groups.first_seen_at \
        THEN excluded.first_seen_at ELSE error_groups.first_seen_at END, \
    last_seen_at = CASE WHEN excluded.last_seen_at > error_groups.last_seen_at \
        THEN excluded.last_seen_at ELSE error_groups.last_seen_at END, \
    request_id = CASE WHEN excluded.last_seen_at >= error_groups.last_seen_at \
        THEN COALESCE(excluded.request_id, error_groups.request_id) \
        ELSE COALESCE(error_groups.request_id, excluded.request_id) END, \
    acknowledged_by = CASE WHEN excluded.last_seen_at > error_groups.acknowledged_at \
        THEN NULL ELSE error_groups.acknowledged_by END, \
    acknowledged_at = CASE WHEN excluded.last_seen_at > error_groups.acknowledged_at \
        THEN NULL ELSE error_groups.acknowledged_at END";

/// Adds what happened. In one order for all processes, so that none waits for another that waits for it.
pub async fn record(tx: &mut Transaction, mut happened: Vec<Occurrences>) -> Result<(), StoreError> {
    happened.sort_unstable_by(|one, other| (&one.code, &one.place).cmp(&(&other.code, &other.place)));
    for occurrences in happened {
        sqlx::query(RECORD)
            .bind(ErrorGroupId::generate(occurrences.first_at).to_string())
            .bind(occurrences.code)
            .bind(occurrences.place)
            .bind(occurrences.message)
            .bind(stored(occurrences.count))
            .bind(micros(occurrences.first_at))
            .bind(micros(occurrences.last_at))
            .bind(occurrences.request_id)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

const SELECT: &str = concat!(
    "SELECT ",
    columns_of!(error_groups),
    ", (SELECT name FROM users WHERE users.id = acknowledged_by) AS acknowledged_by_name FROM error_groups"
);

/// Reads the errors, the one that happened last first, `limit` at a time, from behind `after`; all, or those that are open
/// or not.
pub async fn list(
    conn: &mut Connection,
    open: Option<bool>,
    after: Option<TimeCursor<ErrorGroupId>>,
    limit: u32,
) -> Result<Vec<ErrorGroup>, StoreError> {
    let state = match open {
        None => "",
        Some(true) => " AND acknowledged_at IS NULL",
        Some(false) => " AND acknowledged_at IS NOT NULL",
    };
    let sql =
        format!("{SELECT} WHERE (last_seen_at, id) < ($1, $2){state} ORDER BY last_seen_at DESC, id DESC LIMIT $3");
    let statement = TimeCursor::bind(after.as_ref(), sqlx::query(AssertSqlSafe(sql)));
    let rows = statement.bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter().map(from_row).collect()
}

/// Reads one.
pub async fn get(conn: &mut Connection, id: ErrorGroupId) -> Result<ErrorGroup, StoreError> {
    let sql = format!("{SELECT} WHERE id = $1");
    from_row(&sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).fetch_one(conn).await?)
}

/// How many nobody has taken note of.
pub async fn count_open(conn: &mut Connection) -> Result<u64, StoreError> {
    let counted = sqlx::query("SELECT COUNT(*) AS open FROM error_groups WHERE acknowledged_at IS NULL");
    counted.fetch_one(conn).await?.number("open")
}

/// Notes that somebody has taken note. Whoever was first stays.
pub async fn acknowledge(tx: &mut Transaction, id: ErrorGroupId, origin: &Origin) -> Result<ErrorGroup, StoreError> {
    let done = sqlx::query(
        "UPDATE error_groups SET acknowledged_at = $2, acknowledged_by = $3 WHERE id = $1 AND acknowledged_at IS NULL",
    )
    .bind(id.to_string())
    .bind(micros(origin.at))
    .bind(origin.user.map(|user| user.to_string()))
    .execute(&mut **tx)
    .await?;
    let group = get(tx, id).await?;
    if done.rows_affected() > 0 {
        let detail = json!({"code": group.code, "place": group.place});
        audit::record(tx, origin, "error.acknowledge", &id.to_string(), &detail).await?;
    }
    Ok(group)
}

/// Forgets the errors that did not happen any more since then.
pub async fn forget_older(tx: &mut Transaction, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM error_groups WHERE last_seen_at < $1").bind(micros(before)).execute(&mut **tx).await?;
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<ErrorGroup, StoreError> {
    let (by, name) = (row.maybe_parsed("acknowledged_by")?, row.maybe_text("acknowledged_by_name")?);
    Ok(ErrorGroup {
        id: row.parsed("id")?,
        code: row.text("code")?,
        place: row.text("place")?,
        message: row.text("message")?,
        count: row.number("occurrences")?,
        first_seen_at: row.time("first_seen_at")?,
        last_seen_at: row.time("last_seen_at")?,
        request_id: row.maybe_text("request_id")?,
        acknowledged: row.maybe_time("acknowledged_at")?.map(|at| Acknowledgement { at, by, name }),
    })
}
