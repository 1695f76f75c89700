//! One claimed build: worked on by a blocking thread, watched over by this task ([`watch`]), settled in the database
//! ([`settle`]).
//!
//! A build of which several tries ended without a word begins with a search for the post that causes it
//! ([`crate::quarantine`]).

mod settle;
mod watch;

use std::sync::{Arc, PoisonError};

use microblog_queue::{Caution, Failure, FailureKind};
use microblog_store::builds::{Build, ClaimedBuild, Lease};
use microblog_telemetry::traces;
use tokio::runtime::Handle;
use tokio::sync::watch as signal;
use tokio::task::JoinHandle;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use self::watch::StopReason;
use crate::build_site::{BuildError, Built, Control, Order, build_site};
use crate::quarantine::Quarantine;
use crate::worker::{Stuck, Worker};

/// How a build ended on its thread.
enum End {
    Built(Built),
    Failed(Failure),
    Stopped(StopReason),
    /// It did not end: the thread goes on, whatever it is told.
    Stuck(StopReason),
}

/// Works a build off, whatever happens.
///
/// # Errors
/// When the thread can not be stopped. It has the desk: this process can build no more.
pub(crate) async fn work_off(
    worker: &Worker,
    claimed: ClaimedBuild,
    stop: &mut signal::Receiver<bool>,
) -> Result<(), Stuck> {
    let span = span_of(&claimed.build);
    work_off_claimed(worker, claimed, stop).instrument(span).await
}

/// What everything belongs to that is logged and done for a build. Of the highest level, so that it is there whatever is
/// logged.
fn span_of(build: &Build) -> Span {
    let span = tracing::error_span!(
        "build", job_id = %build.id, request_id = build.request_id, attempt = build.attempt, mode = %build.mode,
        trace_id = Empty, otel.kind = "consumer", otel.status_code = Empty,
    );
    traces::follow(&span, build.trace);
    span
}

async fn work_off_claimed(
    worker: &Worker,
    claimed: ClaimedBuild,
    stop: &mut signal::Receiver<bool>,
) -> Result<(), Stuck> {
    let ClaimedBuild { build, lease } = claimed;
    tracing::info!("build started");
    let control = Arc::new(Control::default());
    let end = match worker.config.retry.caution(build.crashes) {
        Caution::GiveUp => End::Failed(crashes_too_often(build.crashes)),
        caution => {
            let thread = start(worker, &build, lease, caution, &control);
            watch::watch_over(worker, &lease, thread, &control, stop).await
        }
    };
    // A process that ends is rid of the thread anyway.
    let is_stuck = matches!(&end, End::Stuck(reason) if *reason != StopReason::WorkerStops);
    settle::settle(worker, &build, &lease, end, &control, stop).await;
    worker.events.announce(build.id);
    worker.relay.wake();
    if is_stuck { Err(Stuck) } else { Ok(()) }
}

fn start(
    worker: &Worker,
    build: &Build,
    lease: Lease,
    caution: Caution,
    control: &Arc<Control>,
) -> JoinHandle<Result<Built, BuildError>> {
    let (desk, control) = (Arc::clone(&worker.desk), Arc::clone(control));
    let order = Order { mode: build.mode, lease: Some(lease) };
    let quarantine = (caution == Caution::FindCulprit).then(|| Quarantine::new(worker, lease, Handle::current()));
    let span = Span::current();
    tokio::task::spawn_blocking(move || {
        let _inside = span.entered();
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        let warnings = quarantine.map_or(Ok(Vec::new()), |quarantine| quarantine.set_culprits_aside(&control))?;
        let mut built = build_site(&mut desk, order, &control)?;
        built.warnings.extend(warnings);
        Ok(built)
    })
}

fn crashes_too_often(crashes: u32) -> Failure {
    let message = format!(
        "its process ended {crashes} times while it worked on this build, without a word; look into the logs of the \
         builder and of the system (is it killed for want of memory?); it is tried again in some minutes"
    );
    Failure { kind: FailureKind::Lasting, code: "crashes", message }
}

#[cfg(test)]
mod tests;
