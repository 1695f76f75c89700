//! The people who can log in. Passwords are hashed by the caller; here they are only kept.

use jiff::Timestamp;
use microblog_domain::{Role, UserId};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros};
use crate::dialect::{Dialect, RowLock};
use crate::error::{Refusal, StoreError};
use crate::locks::{self, Lock};
use crate::sessions;

/// Somebody who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their name, as they write it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: Timestamp,
    /// Whether they are locked out.
    pub disabled: bool,
}

/// A user with the hash of their password. Not printable, so that it does not end up in a log.
#[derive(Clone)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// The hash of the password, in the PHC string format.
    pub password_hash: String,
}

/// Somebody who is to be added.
#[derive(Clone)]
pub struct NewUser {
    /// Their name. Two names that differ only in case are the same.
    pub name: String,
    /// The hash of their password, in the PHC string format.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
}

/// Adds somebody.
pub async fn create(tx: &mut Transaction, new: &NewUser, now: Timestamp) -> Result<User, StoreError> {
    let row = sqlx::query(concat!(
        "INSERT INTO users (id, name, name_key, password_hash, role, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING ",
        columns_of!(users)
    ))
    .bind(UserId::generate(now).to_string())
    .bind(new.name.clone())
    .bind(key(&new.name))
    .bind(new.password_hash.clone())
    .bind(new.role.as_str())
    .bind(micros(now))
    .fetch_one(&mut **tx)
    .await?;
    from_row(&row)
}

/// Reads somebody.
pub async fn get(conn: &mut Connection, id: UserId) -> Result<User, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(users), " FROM users WHERE id = $1"))
        .bind(id.to_string())
        .fetch_one(conn)
        .await?;
    from_row(&row)
}

/// Finds somebody by name, in any case.
pub async fn find_by_name(conn: &mut Connection, name: &str) -> Result<Option<Credentials>, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(users), " FROM users WHERE name_key = $1"))
        .bind(key(name))
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok(Credentials { user: from_row(&row)?, password_hash: row.text("password_hash")? })).transpose()
}

/// Everybody, by name.
pub async fn list(conn: &mut Connection) -> Result<Vec<User>, StoreError> {
    let rows =
        sqlx::query(concat!("SELECT ", columns_of!(users), " FROM users ORDER BY name_key")).fetch_all(conn).await?;
    rows.iter().map(from_row).collect()
}

/// Whether there is nobody yet.
pub async fn are_missing(conn: &mut Connection) -> Result<bool, StoreError> {
    Ok(sqlx::query("SELECT id FROM users LIMIT 1").fetch_optional(conn).await?.is_none())
}

/// Gives somebody another role.
pub async fn set_role(tx: &mut Transaction, id: UserId, role: Role) -> Result<User, StoreError> {
    locks::hold(tx, Lock::Owners).await?;
    sqlx::query("UPDATE users SET role = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(role.as_str())
        .execute(&mut **tx)
        .await?;
    with_an_owner_left(tx, id).await
}

/// Locks somebody out, and ends their sessions; or lets them in again.
pub async fn set_disabled(tx: &mut Transaction, id: UserId, disabled: bool) -> Result<User, StoreError> {
    locks::hold(tx, Lock::Owners).await?;
    sqlx::query("UPDATE users SET disabled = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(i64::from(disabled))
        .execute(&mut **tx)
        .await?;
    if disabled {
        sessions::end_all_of(tx, id).await?;
    }
    with_an_owner_left(tx, id).await
}

/// Keeps these credentials as they are until the transaction ends; refused if they were changed since they were read.
/// To check a password takes long: whoever goes by it must not outlive the change that took it away.
pub(crate) async fn hold(tx: &mut Transaction, known: &Credentials) -> Result<(), StoreError> {
    let lock = Dialect::of(tx).row_lock(RowLock::Wait);
    let sql = format!("SELECT password_hash FROM users WHERE id = $1 AND disabled = 0{lock}");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(known.user.id.to_string()).fetch_optional(&mut **tx).await?;
    match row {
        Some(row) if row.text("password_hash")? == known.password_hash => Ok(()),
        _ => Err(Refusal::CredentialsChanged.into()),
    }
}

/// Gives somebody another password in place of the one that they proved to know, and ends their sessions.
pub async fn replace_password(
    tx: &mut Transaction,
    known: &Credentials,
    password_hash: &str,
) -> Result<(), StoreError> {
    hold(tx, known).await?;
    set_password(tx, known.user.id, password_hash).await
}

/// Gives somebody another password, and ends their sessions.
pub async fn set_password(tx: &mut Transaction, id: UserId, password_hash: &str) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(password_hash.to_owned())
        .execute(&mut **tx)
        .await?;
    match done.rows_affected() {
        0 => Err(StoreError::NotFound),
        _ => sessions::end_all_of(tx, id).await,
    }
}

/// Reads the changed user, unless the change locked everybody out of administering the site. Two owners who lock each
/// other out at once would both see the other one: whoever comes here holds [`Lock::Owners`].
async fn with_an_owner_left(tx: &mut Transaction, id: UserId) -> Result<User, StoreError> {
    let user = get(tx, id).await?;
    let owner = sqlx::query("SELECT id FROM users WHERE role = 'owner' AND disabled = 0 LIMIT 1");
    match owner.fetch_optional(&mut **tx).await? {
        Some(_) => Ok(user),
        None => Err(Refusal::LastOwner.into()),
    }
}

fn key(name: &str) -> String {
    name.to_lowercase()
}

pub(crate) fn from_row(row: &AnyRow) -> Result<User, StoreError> {
    Ok(User {
        id: row.parsed("id")?,
        name: row.text("name")?,
        role: row.parsed("role")?,
        created_at: row.time("created_at")?,
        disabled: row.flag("disabled")?,
    })
}
