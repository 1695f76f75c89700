//! The audit trail: who did what, when and from where. It is written in the transaction that does it, and to the log once
//! that is kept.

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

/// An entry as the log has it.
#[derive(Debug)]
pub(crate) struct AuditLine {
    user: Option<String>,
    action: String,
    subject: String,
    ip: Option<String>,
    request_id: Option<String>,
    detail: String,
}

/// Whether what a line tells of was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Yes,
    No,
    /// The connection was lost, or nobody waited any more, before the database said so.
    Unknown,
}

/// The lines of a change that is being kept. Whoever waits for that may go away, as requests do whose time is up.
#[derive(Debug)]
pub(crate) struct Pending(Vec<AuditLine>);

impl Pending {
    pub(crate) fn new(lines: Vec<AuditLine>) -> Self {
        Self(lines)
    }

    pub(crate) fn settle(mut self, kept: Kept) {
        self.log(kept);
    }

    fn log(&mut self, kept: Kept) {
        self.0.drain(..).filter(|_| kept != Kept::No).for_each(|line| line.log(kept));
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.log(Kept::Unknown);
    }
}

impl AuditLine {
    fn log(&self, kept: Kept) {
        let Self { user, action, subject, ip, request_id, detail } = self;
        let may_be_lost = (kept == Kept::Unknown).then_some(true);
        tracing::info!(target: "audit", action, subject, user, ip, request_id, detail, may_be_lost, "{action} {subject}");
    }
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
    let line = AuditLine {
        user: origin.user.map(|user| user.to_string()),
        action: action.to_owned(),
        subject: subject.to_owned(),
        ip: origin.ip.clone(),
        request_id: origin.request_id.clone(),
        detail: to_json(detail)?,
    };
    sqlx::query(
        "INSERT INTO audit (id, at, user_id, action, subject, ip, request_id, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(micros(origin.at))
    .bind(line.user.clone())
    .bind(line.action.clone())
    .bind(line.subject.clone())
    .bind(line.ip.clone())
    .bind(line.request_id.clone())
    .bind(line.detail.clone())
    .execute(&mut **tx)
    .await?;
    tx.audited.push(line);
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
