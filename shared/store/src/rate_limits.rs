//! How often clients asked, counted for all processes that serve one site.
//!
//! Each client has an allowance that fills up steadily, and may be spent at once. What is kept of it is one time: when it
//! will be full again. Who spends moves it on, by the database's clock, in one statement.
//!
//! On SQLite one process serves the site; it counts in its own memory, where that costs nothing.

use std::time::Duration;

use crate::connect::Store;
use crate::decode::Columns as _;
use crate::dialect::Dialect;
use crate::error::StoreError;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// In how much time an empty allowance is full again.
    pub full_after: Duration,
    /// How much fits into it.
    pub size: u32,
}

/// What came of spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It was there.
    Yes,
    /// It is not there for so long.
    NotBefore(Duration),
}

/// Whether this database counts.
#[must_use]
pub fn are_counted(store: &Store) -> bool {
    store.dialect == Dialect::Postgres
}

/// Spends one of what `client` may do of `kind`. The client of a request is waited for by nobody but that request.
pub async fn spend(store: &Store, kind: &str, client: &str, quota: Quota) -> Result<Spent, StoreError> {
    let size = i64::from(quota.size.max(1));
    let full_after = i64::try_from(quota.full_after.as_micros()).unwrap_or(i64::MAX / 4);
    let each = full_after / size;
    let spent = sqlx::query(SPEND)
        .bind(kind.to_owned())
        .bind(client.to_owned())
        .bind(each)
        .bind(full_after)
        .fetch_optional(&store.writers)
        .await?;
    match spent {
        Some(_) => Ok(Spent::Yes),
        None => wait(store, kind, client, each, full_after).await.map(Spent::NotBefore),
    }
}

/// `excluded.full_at` is when an allowance that was full is full again after this: now, and what one costs.
const SPEND: &str = "\
    INSERT INTO rate_limits (kind, client, full_at) \
    VALUES ($1, $2, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT + $3) \
    ON CONFLICT (kind, client) DO UPDATE SET full_at = GREATEST(rate_limits.full_at + $3, excluded.full_at) \
    WHERE rate_limits.full_at + $3 <= excluded.full_at - $3 + $4 \
    RETURNING full_at";

async fn wait(store: &Store, kind: &str, client: &str, each: i64, full_after: i64) -> Result<Duration, StoreError> {
    let sql = "SELECT full_at + $3 - $4 - (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS wait \
               FROM rate_limits WHERE kind = $1 AND client = $2";
    let row = sqlx::query(sql)
        .bind(kind.to_owned())
        .bind(client.to_owned())
        .bind(each)
        .bind(full_after)
        .fetch_optional(&store.writers)
        .await?;
    let micros: i64 = row.map_or(Ok(0), |row| row.number("wait"))?;
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

/// Forgets clients whose allowances are full again.
pub async fn forget_idle(store: &Store) -> Result<(), StoreError> {
    let sql = "DELETE FROM rate_limits WHERE full_at < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";
    sqlx::query(sql).execute(&store.writers).await?;
    Ok(())
}
