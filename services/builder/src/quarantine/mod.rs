//! Finding posts that crash the renderer, and setting them aside so that all others go live.
//!
//! A post that overflows the stack, uses up all memory or never ends takes the process with it. So another process
//! ([`probe()`]) renders the posts one by one, and says before each which one it begins; the one that it named last before
//! it died, or never was done with, is the culprit if the same happens to it alone. Its author is told, and the search goes
//! on behind it.

mod child;
mod command;
mod probe;
mod suspect;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use microblog_domain::{ChangeSeq, Clock, PostId};
use microblog_process::{ErrorReport, ErrorReports};
use microblog_store::builds::{Lease, leases};
use microblog_store::{Origin, Store, StoreError, in_time, publishing, repeat};
use microblog_telemetry::logs::current_request_id;
use tokio::runtime::Handle;

use self::child::{Child, Range, Verdict};
use self::suspect::Suspect;
use crate::build_site::{BuildError, Control};
use crate::metrics;
use crate::worker::Worker;

pub(crate) use self::command::this_program;
pub use self::command::{ProbeArgs, ProbeCommand};
pub use self::probe::{ProbeError, probe};

/// With so many posts set aside at once it is more likely the program that is broken.
const MOST_CULPRITS: usize = 20;

/// Looks for posts that crash the renderer.
pub(crate) struct Quarantine {
    store: Store,
    runtime: Handle,
    clock: Arc<dyn Clock>,
    probe: Option<ProbeCommand>,
    /// A post that takes longer hangs.
    limit: Duration,
    /// Under which posts are set aside.
    lease: Lease,
    errors: ErrorReports,
}

impl Quarantine {
    pub(crate) fn new(worker: &Worker, lease: Lease, runtime: Handle) -> Self {
        let (store, clock) = (worker.store.clone(), Arc::clone(&worker.clock));
        let (probe, limit, errors) = (worker.config.probe.clone(), worker.config.page_limit, worker.errors.clone());
        Self { store, runtime, clock, probe, limit, lease, errors }
    }

    /// Sets aside every post that crashes the renderer by itself; tells of each. What can not be found out stops nothing:
    /// then the build shows what it comes to.
    pub(crate) fn set_culprits_aside(&self, control: &Control) -> Result<Vec<String>, BuildError> {
        let mut told = Vec::new();
        let Some(command) = &self.probe else { return Ok(told) };
        tracing::warn!("looking for a post that crashes the renderer");
        let mut rest = Range::default();
        let mut culprits = 0;
        while culprits < MOST_CULPRITS {
            match self.examine(command, rest, control) {
                Ok(Verdict::AllSound) => return Ok(told),
                Ok(Verdict::BrokenOff) => return Err(BuildError::Stopped),
                Ok(Verdict::Culprit { suspect, reason }) => {
                    culprits += 1;
                    rest.before = Some(suspect.change);
                    told.extend(self.set_aside(suspect, &reason)?);
                }
                Err(error) => {
                    tracing::error!(%error, "posts can not be examined");
                    return Ok(told);
                }
            }
        }
        let message = format!(
            "{MOST_CULPRITS} posts crash the renderer, so others are not examined: it may be the program or the theme that is \
             at fault; look into the log of the builder"
        );
        tracing::error!("{message}");
        told.push(message);
        Ok(told)
    }

    /// Looks for the next post that crashes the renderer twice, the second time by itself: once may be chance.
    fn examine(&self, command: &ProbeCommand, mut rest: Range, control: &Control) -> io::Result<Verdict> {
        let go_on = || control.check().is_ok();
        loop {
            let found = Child::begin(command, rest)?.watch(self.limit, &go_on)?;
            let Verdict::Culprit { suspect, .. } = &found else { return Ok(found) };
            let suspect = *suspect;
            let alone = Range { before: Some(ChangeSeq(suspect.change.0 + 1)), most: Some(1) };
            match Child::begin(command, alone)?.watch(self.limit, &go_on)? {
                again @ Verdict::Culprit { suspect: same, .. } if same == suspect => return Ok(again),
                Verdict::BrokenOff => return Ok(Verdict::BrokenOff),
                _ => {
                    tracing::warn!(post = %suspect.post, "a post seemed to crash the renderer and does not by itself");
                    rest.before = Some(suspect.change);
                }
            }
        }
    }

    /// Nothing is told if somebody changed the post meanwhile. A builder that was paused, and lost the build, has found out
    /// nothing that counts any more.
    fn set_aside(&self, suspect: Suspect, reason: &str) -> Result<Option<String>, StoreError> {
        let Suspect { post, version, .. } = suspect;
        let set_aside = async || {
            let mut tx = self.store.begin().await?;
            let origin = Origin::system(self.clock.now());
            let saved = publishing::set_aside(&mut tx, post, version, reason, &origin).await?;
            // At the end, since rows are locked before counters.
            leases::confirm(&mut tx, &self.lease).await?;
            tx.commit().await?;
            Ok(saved.post.post.content)
        };
        match self.runtime.block_on(in_time(repeat(set_aside, StoreError::is_undone))) {
            Ok(content) => {
                metrics::post_set_aside();
                tracing::error!(%post, reason, "a post was set aside, so that the others go live");
                self.report(post, reason);
                let name = content.title.unwrap_or_else(|| content.slug.to_string());
                Ok(Some(format!("{name:?} was set aside, so that the others go live: {reason}")))
            }
            Err(StoreError::NotFound | StoreError::Stale { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn report(&self, post: PostId, reason: &str) {
        let (place, request_id) = (format!("post {post}"), current_request_id());
        let request_id = request_id.as_deref();
        self.errors.report(ErrorReport { code: "post_set_aside", place: &place, message: reason, request_id });
    }
}
