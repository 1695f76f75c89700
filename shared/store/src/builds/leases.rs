//! Claiming a build, and reporting on it.
//!
//! Each claim has a number of its own. Whoever reports shows it, so a worker that was paused, lost its lease and wakes
//! up again can change nothing any more: it gets [`StoreError::LeaseLost`].

use std::time::Duration;

use jiff::Timestamp;
use microblog_domain::{BuildId, BuildMode, BuildState, BuildStep, PageCounts, ReleaseId};

use super::{Build, events, from_row, get, is_due, newest_in, take_turn};
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, stored};
use crate::error::StoreError;
use crate::outbox;

/// Who wants a build, and for how long before it reports again.
#[derive(Debug, Clone)]
pub struct Claim {
    /// A name for the worker, for people who look.
    pub worker: String,
    /// How long it has the build without renewing.
    pub lease_for: Duration,
}

/// The right to work on a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The build.
    pub build: BuildId,
    number: i64,
}

/// A build and the right to work on it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedBuild {
    /// The build; its `attempt` counts this try.
    pub build: Build,
    /// To be shown with every report.
    pub lease: Lease,
}

/// What the lease of a build looked like at one moment. As long as its worker lives, it looks different before the time of
/// the lease is over. So whoever sees the same one for that long, by a clock of their own that nobody sets, knows that
/// the worker is dead; times of two machines are never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    build: BuildId,
    until: Timestamp,
}

impl Heartbeat {
    /// Until when the worker meant to have the build, by its own clock.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

impl Build {
    /// That of its worker, if it has one that is not known to be dead.
    #[must_use]
    pub fn heartbeat(&self) -> Option<Heartbeat> {
        self.lease_until.filter(|_| self.state == BuildState::Running).map(|until| Heartbeat { build: self.id, until })
    }
}

/// What a worker learns when it renews its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Go on.
    GoOn,
    /// Somebody asked for the build to stop.
    CancelRequested,
}

/// Takes the build that is due: a running one whose worker is known to be dead, or else the waiting one, if none runs and
/// its time has come.
pub async fn claim(tx: &mut Transaction, claim: &Claim, now: Timestamp) -> Result<Option<ClaimedBuild>, StoreError> {
    take_turn(tx).await?;
    let due = match newest_in(tx, BuildState::Running).await? {
        Some(running) if running.lease_until.is_none() => abandoned(tx, running, now).await?,
        Some(_) => None,
        None => waiting(tx, now).await?,
    };
    take_some(tx, due, claim, now).await
}

/// Takes the running build from a worker that was silent for so long that it must be dead, unless it spoke meanwhile.
pub async fn take_over(
    tx: &mut Transaction,
    claim: &Claim,
    silent: &Heartbeat,
    now: Timestamp,
) -> Result<Option<ClaimedBuild>, StoreError> {
    take_turn(tx).await?;
    let due = match newest_in(tx, BuildState::Running).await? {
        Some(running) if running.heartbeat().as_ref() == Some(silent) => abandoned(tx, running, now).await?,
        _ => None,
    };
    take_some(tx, due, claim, now).await
}

async fn take_some(
    tx: &mut Transaction,
    due: Option<Build>,
    claim: &Claim,
    now: Timestamp,
) -> Result<Option<ClaimedBuild>, StoreError> {
    match due {
        Some(build) => take(tx, &build, claim, now).await.map(Some),
        None => Ok(None),
    }
}

/// What to do with a build that its worker lost. Nobody is left to stop it if that was asked for: it has stopped.
async fn abandoned(tx: &mut Transaction, build: Build, now: Timestamp) -> Result<Option<Build>, StoreError> {
    if !build.cancel_requested {
        return Ok(Some(build));
    }
    events::append(tx, build.id, &BuildStep::Cancelled, now).await?;
    finish(tx, build.id, BuildState::Cancelled, now).await?;
    waiting(tx, now).await
}

async fn waiting(tx: &mut Transaction, now: Timestamp) -> Result<Option<Build>, StoreError> {
    Ok(newest_in(tx, BuildState::Waiting).await?.filter(|build| is_due(build.due_from(), now)))
}

async fn take(tx: &mut Transaction, build: &Build, claim: &Claim, now: Timestamp) -> Result<ClaimedBuild, StoreError> {
    let row = sqlx::query(concat!(
        "UPDATE builds SET state = 'running', attempt = attempt + 1, lease_number = lease_number + 1, \
         lease_until = $2, worker = $3, started_at = COALESCE(started_at, $4), crashes = crashes + $5 \
         WHERE id = $1 RETURNING ",
        columns_of!(builds)
    ))
    .bind(build.id.to_string())
    .bind(micros(end_of_lease(claim.lease_for, now)))
    .bind(claim.worker.clone())
    .bind(micros(now))
    // It is running still, so whoever had it never told how it ended.
    .bind(i64::from(build.state == BuildState::Running))
    .fetch_one(&mut **tx)
    .await?;
    let build = from_row(&row)?;
    events::append(tx, build.id, &BuildStep::Started { attempt: build.attempt }, now).await?;
    Ok(ClaimedBuild { lease: Lease { build: build.id, number: row.number("lease_number")? }, build })
}

fn end_of_lease(lease_for: Duration, now: Timestamp) -> Timestamp {
    now.checked_add(lease_for).unwrap_or(Timestamp::MAX)
}

/// Keeps the build for longer.
pub async fn renew(
    tx: &mut Transaction,
    lease: &Lease,
    lease_for: Duration,
    now: Timestamp,
) -> Result<Renewal, StoreError> {
    take_turn(tx).await?;
    let row = sqlx::query(
        "UPDATE builds SET lease_until = $3 WHERE id = $1 AND lease_number = $2 AND state = 'running' \
         RETURNING cancel_requested",
    )
    .bind(lease.build.to_string())
    .bind(lease.number)
    .bind(micros(end_of_lease(lease_for, now)))
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(StoreError::LeaseLost { build: lease.build })?;
    Ok(if row.flag("cancel_requested")? { Renewal::CancelRequested } else { Renewal::GoOn })
}

/// Reports a step, for those who watch.
pub async fn report(
    tx: &mut Transaction,
    lease: &Lease,
    step: &BuildStep,
    pages: PageCounts,
    now: Timestamp,
) -> Result<(), StoreError> {
    confirm(tx, lease).await?;
    sqlx::query("UPDATE builds SET pages_rendered = $2, pages_reused = $3, pages_total = $4 WHERE id = $1")
        .bind(lease.build.to_string())
        .bind(stored(pages.rendered))
        .bind(stored(pages.reused))
        .bind(stored(pages.total))
        .execute(&mut **tx)
        .await?;
    events::append(tx, lease.build, step, now).await.map(drop)
}

/// Whether the worker still has the build, and has it until the end of the transaction: what is written in the same
/// transaction is written by the rightful worker.
pub async fn confirm(tx: &mut Transaction, lease: &Lease) -> Result<(), StoreError> {
    take_turn(tx).await?;
    look_up(tx, lease).await
}

/// Whether the worker has the build at this moment, which says nothing of the next.
pub async fn look_up(conn: &mut Connection, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query("SELECT id FROM builds WHERE id = $1 AND lease_number = $2 AND state = 'running'")
        .bind(lease.build.to_string())
        .bind(lease.number)
        .fetch_optional(conn)
        .await?
        .map(drop)
        .ok_or(StoreError::LeaseLost { build: lease.build })
}

/// What the build came to, if whoever had this lease has settled it and nobody took it since. For a worker that was told
/// that its lease is lost, and had stored the end without hearing that it was kept.
pub async fn settled(conn: &mut Connection, lease: &Lease) -> Result<Option<BuildState>, StoreError> {
    let row = sqlx::query("SELECT state FROM builds WHERE id = $1 AND lease_number = $2 AND state <> 'running'")
        .bind(lease.build.to_string())
        .bind(lease.number)
        .fetch_optional(conn)
        .await?;
    row.map(|row| row.parsed("state")).transpose()
}

/// The build did its work. `release` is missing when there was nothing to change.
pub async fn succeed(
    tx: &mut Transaction,
    lease: &Lease,
    release: Option<ReleaseId>,
    pages: PageCounts,
    now: Timestamp,
) -> Result<(), StoreError> {
    report(tx, lease, &BuildStep::Succeeded, pages, now).await?;
    sqlx::query("UPDATE builds SET release_id = $2, error = NULL WHERE id = $1")
        .bind(lease.build.to_string())
        .bind(release.map(|release| stored(release.0)))
        .execute(&mut **tx)
        .await?;
    finish(tx, lease.build, BuildState::Succeeded, now).await
}

/// The build is given up; the old release stays.
pub async fn fail(tx: &mut Transaction, lease: &Lease, error: &str, now: Timestamp) -> Result<(), StoreError> {
    confirm(tx, lease).await?;
    set_error(tx, lease.build, error).await?;
    events::append(tx, lease.build, &BuildStep::Failed { error: error.to_owned() }, now).await?;
    finish(tx, lease.build, BuildState::Failed, now).await
}

/// The worker has stopped, as somebody asked.
pub async fn stop(tx: &mut Transaction, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
    confirm(tx, lease).await?;
    events::append(tx, lease.build, &BuildStep::Cancelled, now).await?;
    finish(tx, lease.build, BuildState::Cancelled, now).await
}

/// The build went wrong and is to be tried again, not before `run_after`. Tells its state: it waits, unless it was
/// called off or another one that waits takes its work over.
pub async fn retry(
    tx: &mut Transaction,
    lease: &Lease,
    error: &str,
    run_after: Timestamp,
    now: Timestamp,
) -> Result<BuildState, StoreError> {
    confirm(tx, lease).await?;
    set_error(tx, lease.build, error).await?;
    let step = BuildStep::Retrying { error: error.to_owned(), at: run_after };
    events::append(tx, lease.build, &step, now).await?;
    put_back(tx, lease.build, run_after, now).await
}

/// The try crashed, and is to be made again at once, by somebody who looks for the cause: notes `crashes` of them, or as
/// many as there were if that is more. Tells its state, as [`retry`] does.
pub async fn retry_after_crash(
    tx: &mut Transaction,
    lease: &Lease,
    error: &str,
    crashes: u32,
    now: Timestamp,
) -> Result<BuildState, StoreError> {
    confirm(tx, lease).await?;
    sqlx::query("UPDATE builds SET crashes = CASE WHEN crashes < $2 THEN $2 ELSE crashes END WHERE id = $1")
        .bind(lease.build.to_string())
        .bind(i64::from(crashes))
        .execute(&mut **tx)
        .await?;
    retry(tx, lease, error, now, now).await
}

/// The worker can not work on the build now, which says nothing against the build: gives it back unharmed, to be taken
/// by anybody from `run_after` on. Tells its state, as [`retry`] does.
pub async fn hand_back(
    tx: &mut Transaction,
    lease: &Lease,
    run_after: Timestamp,
    now: Timestamp,
) -> Result<BuildState, StoreError> {
    confirm(tx, lease).await?;
    sqlx::query("UPDATE builds SET attempt = attempt - 1 WHERE id = $1 AND attempt > 0")
        .bind(lease.build.to_string())
        .execute(&mut **tx)
        .await?;
    events::append(tx, lease.build, &BuildStep::HandedBack, now).await?;
    put_back(tx, lease.build, run_after, now).await
}

/// Makes a running build wait again. If another one waits already, that one takes its work over.
async fn put_back(
    tx: &mut Transaction,
    id: BuildId,
    run_after: Timestamp,
    now: Timestamp,
) -> Result<BuildState, StoreError> {
    let build = get(tx, id).await?;
    if build.cancel_requested {
        events::append(tx, id, &BuildStep::Cancelled, now).await?;
        finish(tx, id, BuildState::Cancelled, now).await?;
        return Ok(BuildState::Cancelled);
    }
    if let Some(next) = newest_in(tx, BuildState::Waiting).await? {
        supersede(tx, &build, next.id, now).await?;
        return Ok(BuildState::Superseded);
    }
    sqlx::query("UPDATE builds SET state = 'waiting', run_after = $2, lease_until = NULL WHERE id = $1")
        .bind(id.to_string())
        .bind(micros(run_after))
        .execute(&mut **tx)
        .await?;
    outbox::enqueue(tx, id, run_after, now).await?;
    Ok(BuildState::Waiting)
}

async fn supersede(tx: &mut Transaction, build: &Build, by: BuildId, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE builds SET requested_at = CASE WHEN requested_at < $2 THEN requested_at ELSE $2 END, \
         mode = CASE WHEN $3 = 1 THEN 'full' ELSE mode END, \
         crashes = CASE WHEN crashes < $4 THEN $4 ELSE crashes END WHERE id = $1",
    )
    .bind(by.to_string())
    .bind(micros(build.requested_at))
    .bind(i64::from(build.mode == BuildMode::Full))
    .bind(i64::from(build.crashes))
    .execute(&mut **tx)
    .await?;
    events::append(tx, build.id, &BuildStep::Superseded { by }, now).await?;
    finish(tx, build.id, BuildState::Superseded, now).await
}

async fn set_error(tx: &mut Transaction, id: BuildId, error: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE builds SET error = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(error.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn finish(tx: &mut Transaction, id: BuildId, state: BuildState, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE builds SET state = $2, finished_at = $3, lease_until = NULL WHERE id = $1")
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(micros(now))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends the leases of a worker that is known to be dead: the process that had its name before this one. What it worked
/// on is due at once.
pub async fn bury(tx: &mut Transaction, worker: &str) -> Result<(), StoreError> {
    take_turn(tx).await?;
    sqlx::query("UPDATE builds SET lease_until = NULL WHERE state = 'running' AND worker = $1")
        .bind(worker.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
