//! The audit trail: who changed what, when and from where. It is written by whatever changes something, and only read here.

use axum::extract::State;
use microblog_domain::{Timestamp, UserId};
use microblog_store::audit::{self, AuditEntry};
use serde::Serialize;
use serde_json::Value;

use super::paging::{PageBody, PageQuery};
use crate::change::Answer;
use crate::error::ApiError;
use crate::input::Query;
use crate::state::App;

/// An entry as clients see it.
#[derive(Debug, Serialize)]
struct AuditBody {
    id: u64,
    at: Timestamp,
    /// Nobody, if a program on the machine did it, or a person who is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    action: String,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    detail: Value,
}

impl From<AuditEntry> for AuditBody {
    fn from(AuditEntry { id, at, user, action, subject, ip, request_id, detail }: AuditEntry) -> Self {
        Self { id, at, user, action, subject, ip, request_id, detail }
    }
}

/// `GET /audit`, newest first.
pub(crate) async fn list_audit(State(app): State<App>, Query(page): Query<PageQuery<u64>>) -> Result<Answer, ApiError> {
    let found = audit::list(&mut *app.store.read().await?, page.cursor, page.limit + 1).await?;
    let items = found.into_iter().map(AuditBody::from).collect();
    Answer::ok(&PageBody::of(items, page.limit, |entry| entry.id.to_string()))
}
