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
    let spent = sqlx::query(SPEND)
        .bind(kind.to_owned())
        .bind(client.to_owned())
        .bind(full_after / size)
        .bind(full_after)
        .fetch_one(store.counting())
        .await?;
    if spent.flag("is_spent")? {
        return Ok(Spent::Yes);
    }
    let micros: i64 = spent.number("wait")?;
    Ok(Spent::NotBefore(Duration::from_micros(u64::try_from(micros).unwrap_or(0))))
}

/// `excluded.full_at` is when an allowance that was full is full again after this: now, and what one costs. The row is
/// read as it was before, which is how it stays when nothing can be spent.
///
/// No allowance takes longer than `$4` to fill up. One that seems to take more than twice as long was written before the
/// clock was put back; it is full, or its client would be locked out for hours. Requests at the same time read the clock
/// one after the other, and must not look like that.
const SPEND: &str = "\
    WITH now AS (SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS at), \
    spent AS ( \
        INSERT INTO rate_limits (kind, client, full_at) SELECT $1, $2, at + $3 FROM now \
        ON CONFLICT (kind, client) DO UPDATE SET full_at = CASE \
            WHEN rate_limits.full_at > excluded.full_at + 2 * $4 THEN excluded.full_at \
            ELSE GREATEST(rate_limits.full_at + $3, excluded.full_at) END \
        WHERE rate_limits.full_at + $3 <= excluded.full_at - $3 + $4 \
            OR rate_limits.full_at > excluded.full_at + 2 * $4 \
        RETURNING full_at \
    ) \
    SELECT (SELECT COUNT(*) FROM spent) AS is_spent, \
        GREATEST(1, COALESCE( \
            (SELECT full_at + $3 - $4 - now.at FROM rate_limits WHERE kind = $1 AND client = $2), $3)) AS wait \
    FROM now";

/// Forgets clients whose allowances are full again.
pub async fn forget_idle(store: &Store) -> Result<(), StoreError> {
    let sql = "DELETE FROM rate_limits WHERE full_at < (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";
    // All requests wait for the one connection that counts: nothing that looks through the table may have it.
    sqlx::query(sql).execute(&store.writers).await?;
    Ok(())
}
