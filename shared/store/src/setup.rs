//! The first run: a one-time link with which the first owner is made.

use jiff::Timestamp;
use microblog_domain::{ContentHash, Role};

use crate::connect::{Connection, Transaction};
use crate::decode::Columns as _;
use crate::error::{Refusal, StoreError};
use crate::locks::{self, Lock};
use crate::users::{self, NewUser, User};

/// Remembers the hash of a new link's secret, which replaces the one before. Refused once there is a user.
pub async fn offer(tx: &mut Transaction, token: &ContentHash) -> Result<(), StoreError> {
    locks::hold(tx, Lock::Owners).await?;
    if !users::are_missing(tx).await? {
        return Err(Refusal::SetupIsOver.into());
    }
    set_token(tx, Some(token)).await
}

/// Whether a link with this secret would be accepted.
pub async fn is_open(conn: &mut Connection, token: &ContentHash) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT setup_token_hash FROM site_state WHERE id = 1").fetch_one(&mut *conn).await?;
    let offered: Option<ContentHash> = row.maybe_parsed("setup_token_hash")?;
    Ok(offered.as_ref() == Some(token) && users::are_missing(conn).await?)
}

/// Makes the first owner, once.
pub async fn finish(
    tx: &mut Transaction,
    token: &ContentHash,
    name: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<User, StoreError> {
    locks::hold(tx, Lock::Owners).await?;
    if !is_open(tx, token).await? {
        return Err(Refusal::SetupIsOver.into());
    }
    set_token(tx, None).await?;
    let owner = NewUser { name: name.to_owned(), password_hash: password_hash.to_owned(), role: Role::Owner };
    users::create(tx, &owner, now).await
}

async fn set_token(tx: &mut Transaction, token: Option<&ContentHash>) -> Result<(), StoreError> {
    sqlx::query("UPDATE site_state SET setup_token_hash = $1 WHERE id = 1")
        .bind(token.map(ToString::to_string))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
