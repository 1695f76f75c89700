//! The settings of the site.

use jiff::Timestamp;
use microblog_domain::{BuildId, BuildMode, ChangeSeq, SiteSettings, Version};
use serde_json::json;

use crate::builds::{self, BuildRequest};
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, stored, to_json};
use crate::error::StoreError;
use crate::origin::Origin;
use crate::{audit, counters};

/// The settings with what the system keeps about them.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSettings {
    /// The settings.
    pub settings: SiteSettings,
    /// Counts their changes; 0 while nobody has saved any.
    pub version: Version,
    /// The number of their newest change.
    pub change: ChangeSeq,
    /// When that was.
    pub updated_at: Option<Timestamp>,
}

/// Reads the settings; `None` while nobody has saved any.
pub async fn find(conn: &mut Connection) -> Result<Option<StoredSettings>, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(settings), " FROM settings WHERE id = 1"))
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(StoredSettings {
            settings: row.json("settings")?,
            version: row.number("version").map(Version)?,
            change: row.number("change_seq").map(ChangeSeq)?,
            updated_at: row.maybe_time("updated_at")?,
        })
    })
    .transpose()
}

/// Reads the settings; the defaults while nobody has saved any.
pub async fn load(conn: &mut Connection) -> Result<StoredSettings, StoreError> {
    Ok(find(conn).await?.unwrap_or_else(|| StoredSettings {
        settings: SiteSettings::default(),
        version: Version(0),
        change: ChangeSeq(0),
        updated_at: None,
    }))
}

/// Saves the settings, and asks for the build that shows them: all pages may use them.
pub async fn save(
    tx: &mut Transaction,
    expected: Version,
    settings: &SiteSettings,
    origin: &Origin,
) -> Result<(StoredSettings, BuildId), StoreError> {
    // Before the first save there is no row to lock: whoever saves queues at the counter.
    let change = counters::next_change(tx).await?;
    let before = load(tx).await?;
    if before.version != expected {
        return Err(StoreError::Stale { current: before.version });
    }
    write(tx, settings, before.version.next(), change, origin).await?;
    let detail = json!({"version": before.version.next().0});
    audit::record(tx, origin, "settings.save", "site", &detail).await?;
    let build = builds::ask(tx, &BuildRequest::now(BuildMode::Full, origin), origin).await?;
    Ok((load(tx).await?, build.id))
}

async fn write(
    tx: &mut Transaction,
    settings: &SiteSettings,
    version: Version,
    change: i64,
    origin: &Origin,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO settings (id, settings, version, updated_at, change_seq) VALUES (1, $1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, version = excluded.version, \
         updated_at = excluded.updated_at, change_seq = excluded.change_seq",
    )
    .bind(to_json(settings)?)
    .bind(stored(version.0))
    .bind(micros(origin.at))
    .bind(change)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
