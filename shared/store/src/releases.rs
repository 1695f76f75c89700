//! What the database knows about releases: when each was activated, by which build, and which one is pinned.
//!
//! The release store on disk is the truth about releases themselves. A builder that is killed between activating and
//! reporting leaves a gap here, which [`record`] fills whenever it is called again.

use jiff::Timestamp;
use microblog_domain::{BuildId, ReleaseId};
use serde_json::json;
use sqlx::any::AnyRow;

use crate::audit;
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, stored};
use crate::error::StoreError;
use crate::origin::Origin;

/// A release as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// Its number in the release store.
    pub id: ReleaseId,
    /// The build that made it; nothing if a person rolled back, or if its worker was killed before it could tell.
    pub build: Option<BuildId>,
    /// When readers first saw it.
    pub activated_at: Timestamp,
    /// How many pages it has.
    pub pages: u64,
    /// The earlier release whose content it shows again.
    pub rolled_back_to: Option<ReleaseId>,
}

/// Notes an activation. Noting it again changes nothing; another one with the same number takes its place, as when the
/// build folder was lost and numbers begin anew.
pub async fn record(tx: &mut Transaction, release: &ReleaseRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO releases (id, build_id, activated_at, pages, rolled_back_to) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET build_id = excluded.build_id, activated_at = excluded.activated_at, \
         pages = excluded.pages, rolled_back_to = excluded.rolled_back_to \
         WHERE releases.activated_at <> excluded.activated_at",
    )
    .bind(stored(release.id.0))
    .bind(release.build.map(|build| build.to_string()))
    .bind(micros(release.activated_at))
    .bind(stored(release.pages))
    .bind(release.rolled_back_to.map(|id| stored(id.0)))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets the releases that the release store keeps no longer.
pub async fn forget_before(tx: &mut Transaction, oldest: ReleaseId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM releases WHERE id < $1").bind(stored(oldest.0)).execute(&mut **tx).await?;
    Ok(())
}

/// Forgets what is newer than the live release, as when the build folder was lost and numbers begin anew.
pub async fn forget_after(tx: &mut Transaction, live: ReleaseId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM releases WHERE id > $1").bind(stored(live.0)).execute(&mut **tx).await?;
    Ok(())
}

/// Reads one.
pub async fn get(conn: &mut Connection, id: ReleaseId) -> Result<ReleaseRecord, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(releases), " FROM releases WHERE id = $1"))
        .bind(stored(id.0))
        .fetch_one(conn)
        .await?;
    from_row(&row)
}

/// The releases, newest first, `limit` at a time, from before `before`.
pub async fn list(
    conn: &mut Connection,
    before: Option<ReleaseId>,
    limit: u32,
) -> Result<Vec<ReleaseRecord>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(releases),
        " FROM releases WHERE id < $1 ORDER BY id DESC LIMIT $2"
    ))
    .bind(before.map_or(i64::MAX, |id| stored(id.0)))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// Holds the site at a release: later builds are made, but not activated.
pub async fn pin(tx: &mut Transaction, id: ReleaseId, origin: &Origin) -> Result<(), StoreError> {
    set_pin(tx, Some(id)).await?;
    audit::record(tx, origin, "release.pin", &id.to_string(), &json!({})).await
}

/// Lets the site follow its builds again. The caller asks for a build, which shows what waited.
pub async fn unpin(tx: &mut Transaction, origin: &Origin) -> Result<(), StoreError> {
    set_pin(tx, None).await?;
    audit::record(tx, origin, "release.unpin", "site", &json!({})).await
}

/// The release that the site is held at.
pub async fn pinned(conn: &mut Connection) -> Result<Option<ReleaseId>, StoreError> {
    let row = sqlx::query("SELECT pinned_release FROM site_state WHERE id = 1").fetch_one(conn).await?;
    Ok(row.maybe_number("pinned_release")?.map(ReleaseId))
}

async fn set_pin(tx: &mut Transaction, id: Option<ReleaseId>) -> Result<(), StoreError> {
    sqlx::query("UPDATE site_state SET pinned_release = $1 WHERE id = 1")
        .bind(id.map(|id| stored(id.0)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<ReleaseRecord, StoreError> {
    Ok(ReleaseRecord {
        id: row.number("id").map(ReleaseId)?,
        build: row.maybe_parsed("build_id")?,
        activated_at: row.time("activated_at")?,
        pages: row.number("pages")?,
        rolled_back_to: row.maybe_number("rolled_back_to")?.map(ReleaseId),
    })
}
