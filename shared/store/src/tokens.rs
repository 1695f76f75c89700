//! API tokens. Only the hash of a token's secret is kept.

use jiff::Timestamp;
use microblog_domain::{ContentHash, Scope, TokenId, UserId};
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, to_json};
use crate::error::StoreError;
use crate::users::{self, User};

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// In whose name it acts.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, roughly.
    pub last_used_at: Option<Timestamp>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The hash of its secret.
    pub hash: ContentHash,
    /// In whose name it is to act.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
}

/// Makes a token.
pub async fn create(tx: &mut Transaction, new: &NewToken, now: Timestamp) -> Result<Token, StoreError> {
    let row = sqlx::query(concat!(
        "INSERT INTO tokens (id, token_hash, user_id, name, scopes, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ",
        columns_of!(tokens)
    ))
    .bind(TokenId::generate(now).to_string())
    .bind(new.hash.to_string())
    .bind(new.user.to_string())
    .bind(new.name.clone())
    .bind(to_json(&new.scopes)?)
    .bind(micros(now))
    .bind(new.expires_at.map(micros))
    .fetch_one(&mut **tx)
    .await?;
    from_row(&row)
}

/// Finds a token that works: neither expired nor revoked, of a user who is not locked out.
pub async fn find(
    conn: &mut Connection,
    hash: &ContentHash,
    now: Timestamp,
) -> Result<Option<(Token, User)>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns_of!(tokens),
        " FROM tokens WHERE token_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"
    ))
    .bind(hash.to_string())
    .bind(micros(now))
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let token = from_row(&row)?;
    let user = users::get(conn, token.user).await?;
    Ok(Some((token, user)).filter(|(_, user)| !user.disabled))
}

/// The tokens of somebody, or of everybody, newest first; revoked ones too.
pub async fn list(conn: &mut Connection, user: Option<UserId>) -> Result<Vec<Token>, StoreError> {
    let query = match user {
        Some(user) => {
            sqlx::query(concat!("SELECT ", columns_of!(tokens), " FROM tokens WHERE user_id = $1 ORDER BY id DESC"))
                .bind(user.to_string())
        }
        None => sqlx::query(concat!("SELECT ", columns_of!(tokens), " FROM tokens ORDER BY id DESC")),
    };
    query.fetch_all(conn).await?.iter().map(from_row).collect()
}

/// Reads a token.
pub async fn get(conn: &mut Connection, id: TokenId) -> Result<Token, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(tokens), " FROM tokens WHERE id = $1"))
        .bind(id.to_string())
        .fetch_one(conn)
        .await?;
    from_row(&row)
}

/// Notes that a token was used.
pub async fn touch(tx: &mut Transaction, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(micros(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Makes a token useless, for good.
pub async fn revoke(tx: &mut Transaction, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
        .bind(id.to_string())
        .bind(micros(now))
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

fn from_row(row: &AnyRow) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.parsed("id")?,
        user: row.parsed("user_id")?,
        name: row.text("name")?,
        scopes: row.json("scopes")?,
        created_at: row.time("created_at")?,
        last_used_at: row.maybe_time("last_used_at")?,
        expires_at: row.maybe_time("expires_at")?,
        revoked_at: row.maybe_time("revoked_at")?,
    })
}
