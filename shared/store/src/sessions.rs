//! Who is logged in. Only the hash of a session's secret is kept: who reads the database can not take a session over.

use jiff::Timestamp;
use microblog_domain::{ContentHash, UserId};

use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros};
use crate::error::StoreError;
use crate::users::{self, Credentials, User};

/// A session.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of the secret that the browser has.
    pub token: ContentHash,
    /// Whose.
    pub user: UserId,
    /// What the forms of this session must bring along.
    pub csrf_secret: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, roughly.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Begins a session of somebody whose password was right; refused if it was changed since.
pub async fn begin(tx: &mut Transaction, known: &Credentials, session: &Session) -> Result<(), StoreError> {
    users::hold(tx, known).await?;
    sqlx::query(
        "INSERT INTO sessions (token_hash, user_id, csrf_secret, created_at, last_seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(session.token.to_string())
    .bind(known.user.id.to_string())
    .bind(session.csrf_secret.clone())
    .bind(micros(session.created_at))
    .bind(micros(session.last_seen_at))
    .bind(micros(session.expires_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Finds a session that has not ended, of a user who is not locked out.
pub async fn find(
    conn: &mut Connection,
    token: &ContentHash,
    now: Timestamp,
) -> Result<Option<(Session, User)>, StoreError> {
    let row = sqlx::query(
        "SELECT u.id, u.name, u.role, u.disabled, u.created_at, s.csrf_secret, s.created_at AS begun_at, \
         s.last_seen_at, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled = 0",
    )
    .bind(token.to_string())
    .bind(micros(now))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let user = users::from_row(&row)?;
    let session = Session {
        token: *token,
        user: user.id,
        csrf_secret: row.text("csrf_secret")?,
        created_at: row.time("begun_at")?,
        last_seen_at: row.time("last_seen_at")?,
        expires_at: row.time("expires_at")?,
    };
    Ok(Some((session, user)))
}

/// Notes that a session was used, and lets it go on until `expires_at`.
pub async fn prolong(
    tx: &mut Transaction,
    token: &ContentHash,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET last_seen_at = $2, expires_at = $3 WHERE token_hash = $1")
        .bind(token.to_string())
        .bind(micros(now))
        .bind(micros(expires_at))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends a session; one that is over stays so.
pub async fn end(tx: &mut Transaction, token: &ContentHash) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token.to_string()).execute(&mut **tx).await?;
    Ok(())
}

/// Ends all sessions of somebody.
pub async fn end_all_of(tx: &mut Transaction, user: UserId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.to_string()).execute(&mut **tx).await?;
    Ok(())
}

/// Forgets the sessions that have ended; tells how many.
pub async fn forget_ended(tx: &mut Transaction, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(micros(now)).execute(&mut **tx).await?;
    Ok(done.rows_affected())
}
