//! Answers that were given, so that a client which asks again under the same key gets the same answer and nothing is
//! done twice. They are looked up and written in the transaction that does what was asked, and a second request under
//! the key waits for the end of the first, or two at once would both be carried out. Answers that hold a secret are not
//! to be kept.

use jiff::Timestamp;
use microblog_domain::{ContentHash, UserId};

use crate::connect::Transaction;
use crate::decode::{Columns as _, micros, to_json};
use crate::error::StoreError;
use crate::locks::{self, Lock};

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The hash of the request: the same key with another request is a mistake of the client.
    pub request: ContentHash,
    /// The HTTP status.
    pub status: u16,
    /// The headers that matter, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Finds the answer that a user got under a key. Until the transaction ends, nobody else is told whether there is one.
/// To be called before anything is changed.
pub async fn claim(tx: &mut Transaction, user: UserId, key: &str) -> Result<Option<RecordedAnswer>, StoreError> {
    locks::hold(tx, Lock::Answer(user, key)).await?;
    let row = sqlx::query(concat!(
        "SELECT ",
        columns_of!(idempotency_keys),
        " FROM idempotency_keys WHERE user_id = $1 AND idempotency_key = $2"
    ))
    .bind(user.to_string())
    .bind(key.to_owned())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        Ok(RecordedAnswer {
            request: row.parsed("request_hash")?,
            status: row.number("status")?,
            headers: row.json("headers")?,
            body: row.text("body")?,
        })
    })
    .transpose()
}

/// Keeps an answer. [`StoreError::Taken`] if there is one under the key.
pub async fn record(
    tx: &mut Transaction,
    user: UserId,
    key: &str,
    answer: &RecordedAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO idempotency_keys (user_id, idempotency_key, request_hash, status, headers, body, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.to_string())
    .bind(key.to_owned())
    .bind(answer.request.to_string())
    .bind(i64::from(answer.status))
    .bind(to_json(&answer.headers)?)
    .bind(answer.body.clone())
    .bind(micros(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets the answers that were given before `before`; tells how many.
pub async fn forget_older(tx: &mut Transaction, before: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
        .bind(micros(before))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}
