//! Builds: one row is the job, and later the record of what became of it.
//!
//! Two unique indexes carry the whole of coalescing: at most one build waits, and at most one runs. Asking while one
//! waits joins it ([`asking`]); a worker holds a lease that it must show whenever it reports ([`leases`]); every step
//! leaves an event ([`events`]).
//!
//! What to do when a build goes wrong (try again, when, how often) is decided by the queue, not here.

pub mod asking;
pub mod events;
pub mod leases;

use jiff::{SignedDuration, Timestamp};
use microblog_domain::{BuildId, BuildMode, BuildState, PageCounts, ReleaseId, TraceParent, UserId};
use sqlx::any::AnyRow;

pub use self::asking::{BuildRequest, announce_overdue, ask, ask_again, cancel, given_up, overdue};
pub use self::leases::{Claim, ClaimedBuild, Heartbeat, Lease, claim};
use crate::connect::{Connection, Transaction};
use crate::counters::{self, Counter};
use crate::decode::{Columns as _, micros};
use crate::error::StoreError;

/// A build.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// Its id.
    pub id: BuildId,
    /// Where it is in its life.
    pub state: BuildState,
    /// How much it looks at.
    pub mode: BuildMode,
    /// When the oldest change that it carries was made, or was to be made by the schedule: publish-to-live counts from
    /// here.
    pub requested_at: Timestamp,
    /// Who asked first.
    pub requested_by: Option<UserId>,
    /// The request that it began with.
    pub request_id: Option<String>,
    /// Where that request stands in a trace.
    pub trace: Option<TraceParent>,
    /// When it may start.
    pub run_after: Timestamp,
    /// How often it was tried since somebody last asked.
    pub attempt: u32,
    /// How many of these tries ended without a word: the process died, or its thread never came back.
    pub crashes: u32,
    /// Until when its worker has it; nothing when it is known to be dead.
    pub lease_until: Option<Timestamp>,
    /// Who has or had it.
    pub worker: Option<String>,
    /// Whether somebody asked for it to stop.
    pub cancel_requested: bool,
    /// When it was first taken.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// The release that it made.
    pub release: Option<ReleaseId>,
    /// What went wrong last.
    pub error: Option<String>,
    /// What it made so far.
    pub pages: PageCounts,
}

/// How many builds are in each condition, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BuildCounts {
    /// Waiting to be taken for the first time.
    pub waiting: u64,
    /// Being worked on.
    pub running: u64,
    /// Waiting to be tried again.
    pub retrying: u64,
    /// Given up.
    pub dead: u64,
}

/// Reads a build.
pub async fn get(conn: &mut Connection, id: BuildId) -> Result<Build, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(builds), " FROM builds WHERE id = $1"))
        .bind(id.to_string())
        .fetch_one(conn)
        .await?;
    from_row(&row)
}

/// The builds, newest first, `limit` at a time, from before `before`.
pub async fn list(conn: &mut Connection, before: Option<BuildId>, limit: u32) -> Result<Vec<Build>, StoreError> {
    let rows =
        sqlx::query(concat!("SELECT ", columns_of!(builds), " FROM builds WHERE id < $1 ORDER BY id DESC LIMIT $2"))
            .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
            .bind(i64::from(limit))
            .fetch_all(conn)
            .await?;
    rows.iter().map(from_row).collect()
}

/// The build in a state that only one can be in, or the last that came to this end.
pub async fn newest_in(conn: &mut Connection, state: BuildState) -> Result<Option<Build>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns_of!(builds),
        " FROM builds WHERE state = $1 ORDER BY finished_at DESC, id DESC LIMIT 1"
    ))
    .bind(state.as_str())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(from_row).transpose()
}

/// When a build last came to this end.
pub async fn last_ended(conn: &mut Connection, state: BuildState) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MAX(finished_at) AS finished_at FROM builds WHERE state = $1";
    sqlx::query(sql).bind(state.as_str()).fetch_one(conn).await?.maybe_time("finished_at")
}

/// A waiting build's place in the queue: 1 if it is next, 2 if another one runs. Nothing for all others.
pub async fn position(conn: &mut Connection, build: &Build) -> Result<Option<u32>, StoreError> {
    if build.state != BuildState::Waiting {
        return Ok(None);
    }
    let row = sqlx::query("SELECT COUNT(*) AS running FROM builds WHERE state = 'running'").fetch_one(conn).await?;
    Ok(Some(1 + row.number::<u32>("running")?))
}

/// What there is to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// A build may be [claimed](claim), now or from this moment on.
    From(Timestamp),
    /// A build may be [taken over](leases::take_over), unless the worker that has it is alive.
    Unless(Heartbeat),
}

/// Says what there is to claim.
pub async fn next_due(conn: &mut Connection) -> Result<Due, StoreError> {
    if let Some(running) = newest_in(conn, BuildState::Running).await? {
        return Ok(running.heartbeat().map_or(Due::From(Timestamp::MIN), Due::Unless));
    }
    let waiting = newest_in(conn, BuildState::Waiting).await?;
    Ok(waiting.map_or(Due::Nothing, |build| Due::From(build.due_from())))
}

impl Build {
    /// When it may start, once it waits. One that was to start at once when it was asked for has no such time: whoever asked
    /// has another clock than who builds.
    fn due_from(&self) -> Timestamp {
        if self.run_after <= self.requested_at { Timestamp::MIN } else { self.run_after }
    }
}

/// No build is put off for longer than this.
pub(crate) const FARTHEST: SignedDuration = SignedDuration::from_mins(10);

/// Whether a build that may start from `run_after` on may start now. A time too far ahead was written by a clock that was
/// wrong, then or now: nothing is gained by waiting for it.
#[must_use]
pub fn is_due(run_after: Timestamp, now: Timestamp) -> bool {
    run_after <= now || run_after.duration_since(now) > FARTHEST
}

/// Forgets the builds that came to their end before `before`, with their events; tells how many.
pub async fn forget_finished(tx: &mut Transaction, before: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM builds WHERE state NOT IN ('waiting', 'running') AND finished_at < $1";
    let done = sqlx::query(sql).bind(micros(before)).execute(&mut **tx).await?;
    Ok(done.rows_affected())
}

/// How many builds are in each condition.
pub async fn counts(conn: &mut Connection) -> Result<BuildCounts, StoreError> {
    let sql = "SELECT state, CASE WHEN attempt > 0 THEN 1 ELSE 0 END AS tried, COUNT(*) AS builds FROM builds \
               WHERE state IN ('waiting', 'running', 'failed') GROUP BY 1, 2";
    let mut counts = BuildCounts::default();
    for row in &sqlx::query(sql).fetch_all(conn).await? {
        let builds: u64 = row.number("builds")?;
        match (row.parsed("state")?, row.flag("tried")?) {
            (BuildState::Waiting, false) => counts.waiting += builds,
            (BuildState::Waiting, true) => counts.retrying += builds,
            (BuildState::Running, _) => counts.running += builds,
            _ => counts.dead += builds,
        }
    }
    Ok(counts)
}

/// Builds pass from state to state one transaction after another. Each looks before it writes (does one wait, does one
/// run, is the lease still good), and what it saw must still be so when it commits. Every transition leaves an event,
/// so the counter of events is where they queue.
async fn take_turn(tx: &mut Transaction) -> Result<(), StoreError> {
    counters::lock(tx, Counter::BuildEvent).await
}

fn from_row(row: &AnyRow) -> Result<Build, StoreError> {
    Ok(Build {
        id: row.parsed("id")?,
        state: row.parsed("state")?,
        mode: row.parsed("mode")?,
        requested_at: row.time("requested_at")?,
        requested_by: row.maybe_parsed("requested_by")?,
        request_id: row.maybe_text("request_id")?,
        trace: row.maybe_parsed("traceparent")?,
        run_after: row.time("run_after")?,
        attempt: row.number("attempt")?,
        crashes: row.number("crashes")?,
        lease_until: row.maybe_time("lease_until")?,
        worker: row.maybe_text("worker")?,
        cancel_requested: row.flag("cancel_requested")?,
        started_at: row.maybe_time("started_at")?,
        finished_at: row.maybe_time("finished_at")?,
        release: row.maybe_number("release_id")?.map(ReleaseId),
        error: row.maybe_text("error")?,
        pages: PageCounts {
            rendered: row.number("pages_rendered")?,
            reused: row.number("pages_reused")?,
            total: row.number("pages_total")?,
        },
    })
}
