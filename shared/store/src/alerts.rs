//! Alerts that Alertmanager told of: which fire, and which fired when.
//!
//! An alert is known by its fingerprint, and each time that it fires by when that began. What is told again changes its
//! row; of one fingerprint no more than the newest fires.

use std::collections::BTreeMap;

use jiff::Timestamp;
use microblog_domain::AlertId;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, to_json};
use crate::error::StoreError;
use crate::paging::TimeCursor;

/// The alert that always fires, so that its silence is heard.
pub const WATCHDOG: &str = "Watchdog";

/// What was told of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardAlert {
    /// What Alertmanager knows it by.
    pub fingerprint: String,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// Until when it fired; missing while it does.
    pub ends_at: Option<Timestamp>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it says to people.
    pub annotations: BTreeMap<String, String>,
}

/// One time that an alert fires or fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What was told last.
    pub heard: HeardAlert,
    /// When it was told.
    pub heard_at: Timestamp,
}

impl HeardAlert {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.label("alertname")
    }

    /// How bad it is; empty if it does not say.
    #[must_use]
    pub fn severity(&self) -> &str {
        self.label("severity")
    }

    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// What trouble there is, in as few words as a banner has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// How many alerts fire that are critical or warnings.
    pub firing: u64,
    /// Whether one of them is critical.
    pub is_critical: bool,
    /// The names of some of them, critical ones first.
    pub names: Vec<String>,
}

/// So many names tell what it is about.
const MOST_NAMES: usize = 3;

const HEAR: &str = "\
    INSERT INTO alerts (id, fingerprint, starts_at, ends_at, heard_at, name, severity, labels, annotations) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
    ON CONFLICT (fingerprint, starts_at) DO UPDATE SET ends_at = excluded.ends_at, heard_at = excluded.heard_at, \
    name = excluded.name, severity = excluded.severity, labels = excluded.labels, annotations = excluded.annotations";

/// Something that fires anew has ended before, even if nobody said so.
const END_EARLIER: &str = "\
    UPDATE alerts SET ends_at = (SELECT MAX(newer.starts_at) FROM alerts AS newer WHERE newer.fingerprint = $1) \
    WHERE fingerprint = $1 AND ends_at IS NULL \
    AND starts_at < (SELECT MAX(newer.starts_at) FROM alerts AS newer WHERE newer.fingerprint = $1)";

/// Keeps what was told. In one order for all processes, so that none waits for another that waits for it.
pub async fn hear(tx: &mut Transaction, mut told: Vec<HeardAlert>, now: Timestamp) -> Result<(), StoreError> {
    told.sort_unstable_by(|one, other| (&one.fingerprint, one.starts_at).cmp(&(&other.fingerprint, other.starts_at)));
    for alert in told {
        sqlx::query(HEAR)
            .bind(AlertId::generate(now).to_string())
            .bind(alert.fingerprint.clone())
            .bind(micros(alert.starts_at))
            .bind(alert.ends_at.map(micros))
            .bind(micros(now))
            .bind(alert.name().to_owned())
            .bind(alert.severity().to_owned())
            .bind(to_json(&alert.labels)?)
            .bind(to_json(&alert.annotations)?)
            .execute(&mut **tx)
            .await?;
        sqlx::query(END_EARLIER).bind(alert.fingerprint).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Reads the alerts, the one that began last first, `limit` at a time, from behind `after`; all, or those that fire or do
/// not.
pub async fn list(
    conn: &mut Connection,
    firing: Option<bool>,
    after: Option<TimeCursor<AlertId>>,
    limit: u32,
) -> Result<Vec<Alert>, StoreError> {
    let state = match firing {
        None => "",
        Some(true) => " AND ends_at IS NULL",
        Some(false) => " AND ends_at IS NOT NULL",
    };
    let sql = format!(
        "SELECT {} FROM alerts WHERE (starts_at, id) < ($1, $2){state} ORDER BY starts_at DESC, id DESC LIMIT $3",
        columns_of!(alerts)
    );
    let statement = TimeCursor::bind(after.as_ref(), sqlx::query(AssertSqlSafe(sql)));
    let rows = statement.bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter().map(from_row).collect()
}

/// What fires that somebody should look after. The Watchdog is no trouble.
pub async fn trouble(conn: &mut Connection) -> Result<Trouble, StoreError> {
    // The words are in the order of the alphabet.
    let rows = sqlx::query(
        "SELECT severity, name, COUNT(*) AS firing FROM alerts \
         WHERE ends_at IS NULL AND severity IN ('critical', 'warning') AND name <> $1 \
         GROUP BY severity, name ORDER BY severity, name",
    )
    .bind(WATCHDOG)
    .fetch_all(conn)
    .await?;
    let mut trouble = Trouble::default();
    for row in &rows {
        let (name, firing): (_, u64) = (row.text("name")?, row.number("firing")?);
        trouble.firing += firing;
        trouble.is_critical |= row.text("severity")? == "critical";
        if trouble.names.len() < MOST_NAMES && !trouble.names.contains(&name) {
            trouble.names.push(name);
        }
    }
    Ok(trouble)
}

/// When the Watchdog was last heard of.
pub async fn watchdog_heard_at(conn: &mut Connection) -> Result<Option<Timestamp>, StoreError> {
    let newest = sqlx::query("SELECT MAX(heard_at) AS heard_at FROM alerts WHERE name = $1");
    newest.bind(WATCHDOG).fetch_one(conn).await?.maybe_time("heard_at")
}

/// Ends what nobody speaks of any more since then: whoever was to say that it is over forgot it.
pub async fn end_unheard(tx: &mut Transaction, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE alerts SET ends_at = heard_at WHERE ends_at IS NULL AND heard_at < $1")
        .bind(micros(before))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets what ended before.
pub async fn forget_ended(tx: &mut Transaction, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM alerts WHERE ends_at < $1").bind(micros(before)).execute(&mut **tx).await?;
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<Alert, StoreError> {
    let heard = HeardAlert {
        fingerprint: row.text("fingerprint")?,
        starts_at: row.time("starts_at")?,
        ends_at: row.maybe_time("ends_at")?,
        labels: row.json("labels")?,
        annotations: row.json("annotations")?,
    };
    Ok(Alert { id: row.parsed("id")?, heard, heard_at: row.time("heard_at")? })
}
