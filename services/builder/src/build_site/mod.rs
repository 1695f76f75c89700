//! One build, from the rows of the database to the release that readers see.
//!
//! Everything here is synchronous and runs on one blocking thread (rendering spreads over all cores). What a build sees
//! of the database is one snapshot, so an edit that comes meanwhile is in the next build, never half in this one.

mod desk;
mod load;
mod media;
mod pieces;
mod plan;
mod progress;
mod render;

use std::time::Instant;

use microblog_domain::{BuildMode, PageCounts, ReleaseId};
use microblog_release::{Checks, Committed, Draft, Origin, PageLoss, Release, VerifiedDraft};
use microblog_site::Site;
use microblog_store::builds::{Lease, leases};
use microblog_store::{Store, StoreError, in_time, releases};
use tokio::runtime::Handle;

pub use desk::{Desk, DeskConfig};
pub(crate) use load::empty_site;
pub use pieces::Piece;
pub use progress::{Control, Phase, Progress};

use load::Loaded;
use plan::Plan;
use render::Sources;

/// What a build is asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Render everything, or what changed.
    pub mode: BuildMode,
    /// Under which it is built: nothing goes live once it is lost. A build that nobody claimed has none.
    pub lease: Option<Lease>,
}

/// What a build did.
#[derive(Debug, Clone)]
pub struct Built {
    /// Whether it made a new release live. It did not if nothing had changed, or if a pin holds the site.
    pub activated: bool,
    /// The release that readers see now.
    pub live: Option<Release>,
    /// The releases that can be gone back to, and the live one.
    pub kept: Vec<Release>,
    /// How many pages it rendered and kept.
    pub pages: PageCounts,
    /// What its author or owner should know, though it stopped nothing.
    pub warnings: Vec<String>,
}

/// Why a build came to nothing. Readers keep the release they have.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Somebody asked for it to stop, or its time was up.
    #[error("the build was stopped")]
    Stopped,
    /// Another worker may have the build.
    #[error("the lease of the build is lost; another worker may have it")]
    LeaseLost,
    /// The database failed.
    #[error("reading the posts: {0}")]
    Store(#[from] StoreError),
    /// A mistake in this program came to light.
    #[error("{piece} crashed, which is a mistake in Microblog: {message}")]
    Crashed {
        /// What was being worked on.
        piece: Piece,
        /// What the crash said.
        message: String,
    },
    /// A template, or the text of a post.
    #[error("rendering: {0}")]
    Render(#[from] microblog_site::RenderError),
    /// A template of the theme is not valid.
    #[error(transparent)]
    Theme(#[from] microblog_site::ThemeError),
    /// The disk.
    #[error("writing the release: {0}")]
    Release(#[from] microblog_release::Error),
}

/// Brings the site up to date with the database and makes it live; or, when somebody pinned the site at an earlier
/// release that readers do not see, makes that one live again.
///
/// # Errors
/// When any step fails; then nothing that readers see has changed.
pub fn build_site(desk: &mut Desk, order: Order, control: &Control) -> Result<Built, BuildError> {
    desk.releases.catch_up()?;
    let mut loaded = timed(control, Phase::Load, || load::bring_up_to_date(desk, order, control))?;
    let activated = match loaded.pinned.filter(|wanted| !shows(desk, *wanted)) {
        Some(wanted) => go_back(desk, wanted, order, control)?,
        None => make_release(desk, order, &mut loaded, control)?,
    };
    Ok(Built {
        activated,
        live: desk.releases.live().cloned(),
        kept: desk.releases.releases().unwrap_or_default(),
        pages: control.pages(),
        warnings: loaded.warnings,
    })
}

/// Makes the release live that somebody holds the site at. Tells whether it was not.
fn go_back(desk: &mut Desk, wanted: ReleaseId, order: Order, control: &Control) -> Result<bool, BuildError> {
    confirm(&desk.store, &desk.runtime, order)?;
    let committed = timed(control, Phase::Activate, || Ok(desk.releases.roll_back(wanted)?))?;
    Ok(matches!(committed, Committed::Activated(_)))
}

/// Makes a release of what differs, and makes it live unless a pin holds the site. Tells whether a new one is live.
fn make_release(desk: &mut Desk, order: Order, loaded: &mut Loaded, control: &Control) -> Result<bool, BuildError> {
    let (memory, releases, sources) = desk.parts()?;
    let draft = releases.draft(checks(&memory.site, order))?;
    let plan = Plan::make(memory, draft.live(), sources.media, order.mode);
    control.expect(plan.to_render(), plan.reused(), plan.total());
    loaded.warnings.extend(plan.warnings(sources.media));
    let committed = if plan.is_empty() {
        draft.discard()?;
        None
    } else {
        let draft = write(draft, &memory.site, &plan, &sources, loaded, control)?;
        let verified = verify(draft, loaded, control)?;
        if confirm(sources.store, sources.runtime, order)?.is_some() {
            loaded.warnings.push(HELD.to_owned());
            verified.discard()?;
            return Ok(false);
        }
        Some(timed(control, Phase::Activate, || Ok(verified.commit()?))?)
    };
    desk.settled(plan.left_out);
    Ok(matches!(committed, Some(Committed::Activated(_))))
}

/// Carries the plan out. What a failed build wrote is removed at once, or else by the next build.
fn write<'s>(
    draft: Draft<'s>,
    site: &Site,
    plan: &Plan,
    sources: &Sources<'_>,
    loaded: &mut Loaded,
    control: &Control,
) -> Result<Draft<'s>, BuildError> {
    let written = timed(control, Phase::Render, || {
        render::write_pages(site, plan, &mut loaded.snapshot, &draft, sources, control)
    });
    let Err(error) = written else { return Ok(draft) };
    if let Err(left) = draft.discard() {
        tracing::warn!(error = %left, "what a failed build wrote could not be removed; the next build does it");
    }
    Err(error)
}

fn verify<'s>(draft: Draft<'s>, loaded: &mut Loaded, control: &Control) -> Result<VerifiedDraft<'s>, BuildError> {
    let verified = timed(control, Phase::Validate, || Ok(draft.verify()?))?;
    loaded.warnings.extend(verified.warnings().iter().map(ToString::to_string));
    Ok(verified)
}

/// Whether the build is still ours. A worker that was paused finds out here that its time was over: from now on the lock
/// of the release store keeps everybody else out, so that nothing newer can be live. Gives the release that somebody holds
/// the site at: perhaps only since the build began.
fn confirm(store: &Store, runtime: &Handle, order: Order) -> Result<Option<ReleaseId>, BuildError> {
    let looked_up = runtime.block_on(in_time(async {
        let mut conn = store.read().await?;
        if let Some(lease) = &order.lease {
            leases::look_up(&mut conn, lease).await?;
        }
        releases::pinned(&mut conn).await
    }));
    looked_up.map_err(|error| match error {
        StoreError::LeaseLost { .. } => BuildError::LeaseLost,
        error => error.into(),
    })
}

/// Whether readers see what this release held.
fn shows(desk: &Desk, wanted: ReleaseId) -> bool {
    let live = desk.releases.live();
    live.is_some_and(|live| live.id == wanted || live.origin == Origin::RolledBackTo(wanted))
}

/// What the owner of a pinned site is told.
const HELD: &str = "the site is held at an earlier release: unpin it, and what was built goes live";

/// Who renders everything on purpose may also lose pages on purpose.
fn checks(site: &Site, order: Order) -> Checks {
    let usual = Checks::new(site.settings().base_url.clone());
    match order.mode {
        BuildMode::Full => Checks { page_loss: PageLoss::Any, ..usual },
        BuildMode::Incremental => usual,
    }
}

fn timed<T>(control: &Control, phase: Phase, step: impl FnOnce() -> Result<T, BuildError>) -> Result<T, BuildError> {
    control.enter(phase)?;
    let _inside = tracing::info_span!("phase", otel.name = phase.as_str()).entered();
    let start = Instant::now();
    let result = step();
    control.took(phase, start.elapsed());
    result
}
