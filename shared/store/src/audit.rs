//! The audit trail: who did what, when and from where. It is written in the transaction that does it.

use jiff::Timestamp;
use microblog_domain::UserId;
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::counters::{self, Counter};
use crate::decode::{Columns as _, micros, stored, to_json};
use crate::error::StoreError;
use crate::origin::Origin;

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Counts the entries.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user: Option<UserId>,
    /// What was done, like `post.publish`.
    pub action: String,
    /// To what: an id or a name.
    pub subject: String,
    /// From which address.
    pub ip: Option<String>,
    /// In the course of which request.
    pub request_id: Option<String>,
    /// What else is worth knowing.
    pub detail: Value,
}

/// Writes an entry. `detail` must hold no secret.
pub async fn record(
    tx: &mut Transaction,
    origin: &Origin,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), StoreError> {
    let id = counters::next(tx, Counter::Audit).await?;
    sqlx::query(
        "INSERT INTO audit (id, at, user_id, action, subject, ip, request_id, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(micros(origin.at))
    .bind(origin.user.map(|user| user.to_string()))
    .bind(action.to_owned())
    .bind(subject.to_owned())
    .bind(origin.ip.clone())
    .bind(origin.request_id.clone())
    .bind(to_json(detail)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Reads the trail, newest first, `limit` at a time, from before entry `before`.
pub async fn list(conn: &mut Connection, before: Option<u64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    let rows =
        sqlx::query(concat!("SELECT ", columns_of!(audit), " FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2"))
            .bind(before.map_or(i64::MAX, stored))
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: row.number("id")?,
        at: row.time("at")?,
        user: row.maybe_parsed("user_id")?,
        action: row.text("action")?,
        subject: row.text("subject")?,
        ip: row.maybe_text("ip")?,
        request_id: row.maybe_text("request_id")?,
        detail: row.json("detail")?,
    })
}
