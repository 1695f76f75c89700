//! Asking for builds, and calling them off.

use std::time::Duration;

use jiff::Timestamp;
use microblog_domain::{BuildId, BuildMode, BuildState, BuildStep};

use super::{Build, events, from_row, get, is_due, last_ended, newest_in, take_turn};
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros};
use crate::error::{Refusal, StoreError};
use crate::origin::Origin;
use crate::outbox;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildRequest {
    /// How much to look at.
    pub mode: BuildMode,
    /// When it may start. Before now, that is since when it is wanted: publish-to-live counts from there.
    pub run_after: Timestamp,
}

impl BuildRequest {
    /// A build that may start at once.
    #[must_use]
    pub const fn now(mode: BuildMode, origin: &Origin) -> Self {
        Self { mode, run_after: origin.at }
    }
}

/// Asks for a build: a new one, or the one that waits already. That one then starts no later than asked now, looks at
/// everything if that is asked now, and counts its attempts from the start: who asked now has seen none of them.
///
/// Whoever waits for the change will find it in the build that is returned, since a build reads what it publishes
/// after it was taken, and it can only be taken after this transaction.
pub async fn ask(tx: &mut Transaction, request: &BuildRequest, origin: &Origin) -> Result<Build, StoreError> {
    take_turn(tx).await?;
    let waiting = newest_in(tx, BuildState::Waiting).await?;
    let build = insert_or_join(tx, request, origin).await?;
    if let Some(step) = step_of_asking(waiting.as_ref(), &build) {
        events::append(tx, build.id, &step, origin.at).await?;
        outbox::enqueue(tx, build.id, build.run_after, origin.at).await?;
    }
    Ok(build)
}

async fn insert_or_join(tx: &mut Transaction, request: &BuildRequest, origin: &Origin) -> Result<Build, StoreError> {
    let row = sqlx::query(concat!(
        "INSERT INTO builds (id, state, mode, requested_at, requested_by, request_id, traceparent, run_after) \
         VALUES ($1, 'waiting', $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (state) WHERE state = 'waiting' DO UPDATE SET \
             mode = CASE WHEN excluded.mode = 'full' THEN 'full' ELSE builds.mode END, \
             run_after = CASE WHEN excluded.run_after < builds.run_after \
                 THEN excluded.run_after ELSE builds.run_after END, \
             requested_at = CASE WHEN excluded.requested_at < builds.requested_at \
                 THEN excluded.requested_at ELSE builds.requested_at END, \
             attempt = 0 \
         RETURNING ",
        columns_of!(builds)
    ))
    .bind(BuildId::generate(origin.at).to_string())
    .bind(request.mode.as_str())
    .bind(micros(origin.at.min(request.run_after)))
    .bind(origin.user.map(|user| user.to_string()))
    .bind(origin.request_id.clone())
    .bind(origin.trace.map(|trace| trace.to_string()))
    .bind(micros(request.run_after))
    .fetch_one(&mut **tx)
    .await?;
    from_row(&row)
}

/// What watchers are told. Nothing when a build that would have started anyway, in the same way, took the wish in:
/// a thousand imported posts are not a thousand events and messages.
fn step_of_asking(before: Option<&Build>, now: &Build) -> Option<BuildStep> {
    match before.filter(|before| before.id == now.id) {
        None => Some(BuildStep::Queued { mode: now.mode }),
        Some(before) if now.run_after < before.run_after || now.mode != before.mode => {
            Some(BuildStep::Joined { mode: now.mode })
        }
        Some(_) => None,
    }
}

/// The build that has been due since before `since` although no message and no worker is on its way to it: the message
/// was sent, but the queue lost it.
pub async fn overdue(conn: &mut Connection, since: Timestamp) -> Result<Option<BuildId>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM builds WHERE state = 'waiting' AND run_after <= $1 \
         AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.build_id = builds.id) \
         AND NOT EXISTS (SELECT 1 FROM builds other WHERE other.state = 'running')",
    )
    .bind(micros(since))
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.parsed("id")).transpose()
}

/// Writes a message about the build that is [`overdue`]. Tells whether there was one.
pub async fn announce_overdue(tx: &mut Transaction, since: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    take_turn(tx).await?;
    let Some(build) = overdue(tx, since).await? else { return Ok(false) };
    outbox::enqueue(tx, build, now, now).await?;
    Ok(true)
}

/// The build that was given up last, for so long that it may be tried again: nothing was built or called off since, and
/// nothing is asked for, so what it was to show is not live.
pub async fn given_up(conn: &mut Connection, rest: Duration, now: Timestamp) -> Result<Option<Build>, StoreError> {
    let Some(failed) = newest_in(conn, BuildState::Failed).await? else { return Ok(None) };
    let may_rest_until = failed.finished_at.and_then(|at| at.checked_add(rest).ok()).unwrap_or(Timestamp::MIN);
    if !is_due(may_rest_until, now) {
        return Ok(None);
    }
    for state in [BuildState::Waiting, BuildState::Running] {
        if newest_in(conn, state).await?.is_some() {
            return Ok(None);
        }
    }
    for state in [BuildState::Succeeded, BuildState::Cancelled] {
        if last_ended(conn, state).await? >= failed.finished_at {
            return Ok(None);
        }
    }
    Ok(Some(failed))
}

/// Asks for what was [`given_up`] once more. Tells whether there was anything.
pub async fn ask_again(tx: &mut Transaction, rest: Duration, now: Timestamp) -> Result<bool, StoreError> {
    take_turn(tx).await?;
    let Some(failed) = given_up(tx, rest, now).await? else { return Ok(false) };
    let (user, request_id, trace) = (failed.requested_by, failed.request_id, failed.trace);
    let origin = Origin { user, request_id, trace, ..Origin::system(now) };
    // Whoever waits for it does so since then.
    let request = BuildRequest { mode: failed.mode, run_after: failed.requested_at.min(now) };
    ask(tx, &request, &origin).await?;
    Ok(true)
}

/// Calls a build off. One that waits is cancelled at once; one that runs is asked to stop, and its worker hears of it
/// with the next renewal of its lease.
pub async fn cancel(tx: &mut Transaction, id: BuildId, origin: &Origin) -> Result<Build, StoreError> {
    take_turn(tx).await?;
    let step = match get(tx, id).await?.state {
        BuildState::Waiting => {
            sqlx::query("UPDATE builds SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state = 'waiting'")
                .bind(id.to_string())
                .bind(micros(origin.at))
                .execute(&mut **tx)
                .await?;
            BuildStep::Cancelled
        }
        BuildState::Running => {
            sqlx::query("UPDATE builds SET cancel_requested = 1 WHERE id = $1 AND state = 'running'")
                .bind(id.to_string())
                .execute(&mut **tx)
                .await?;
            BuildStep::Cancelling
        }
        _ => return Err(Refusal::BuildIsFinished.into()),
    };
    events::append(tx, id, &step, origin.at).await?;
    get(tx, id).await
}
