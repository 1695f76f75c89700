//! What a build and those who watch it tell each other while it runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use microblog_domain::PageCounts;

use super::BuildError;
use super::pieces::{Piece, Pieces};

/// A step of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Reading what changed.
    Load,
    /// Rendering pages and writing them beside the live ones.
    Render,
    /// Looking whether the new release is whole.
    Validate,
    /// Making it live.
    Activate,
}

impl Phase {
    pub(crate) const ALL: [Self; 4] = [Self::Load, Self::Render, Self::Validate, Self::Activate];

    /// The word for it in the metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Render => "render",
            Self::Validate => "validate",
            Self::Activate => "activate",
        }
    }
}

/// Where a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The step it is at.
    pub phase: Phase,
    /// Pages that it has rendered, keeps, and will have.
    pub pages: PageCounts,
    /// Pages that it renders in all.
    pub to_render: u64,
}

/// Shared by the thread that builds and the task that watches over it.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    phase: AtomicU8,
    rendered: AtomicU64,
    to_render: AtomicU64,
    reused: AtomicU64,
    total: AtomicU64,
    timings: Mutex<Vec<(Phase, Duration)>>,
    pieces: Pieces,
}

impl Control {
    /// Asks the build to stop at the next opportunity, which never comes once it began to make its release live.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Where the build is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let phase = Phase::ALL.into_iter().find(|phase| *phase as u8 == self.phase.load(Ordering::Relaxed));
        Progress {
            phase: phase.unwrap_or(Phase::Load),
            pages: self.pages(),
            to_render: self.to_render.load(Ordering::Relaxed),
        }
    }

    /// How long each step took that has ended.
    #[must_use]
    pub fn timings(&self) -> Vec<(Phase, Duration)> {
        self.timings.lock().map(|timings| timings.clone()).unwrap_or_default()
    }

    /// The piece of work that takes longest, and how long it does.
    #[must_use]
    pub fn slowest(&self) -> Option<(Piece, Duration)> {
        self.pieces.slowest()
    }

    /// Does a piece of work that may crash or hang.
    pub(crate) fn guard<T>(&self, piece: Piece, work: impl FnOnce() -> T) -> Result<T, BuildError> {
        self.pieces.guard(piece, work)
    }

    pub(crate) fn pages(&self) -> PageCounts {
        PageCounts {
            rendered: self.rendered.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        if self.stop.load(Ordering::Relaxed) { Err(BuildError::Stopped) } else { Ok(()) }
    }

    pub(super) fn enter(&self, phase: Phase) -> Result<(), BuildError> {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.check()
    }

    pub(super) fn took(&self, phase: Phase, duration: Duration) {
        if let Ok(mut timings) = self.timings.lock() {
            timings.push((phase, duration));
        }
    }

    pub(super) fn expect(&self, to_render: usize, reused: usize, total: usize) {
        self.to_render.store(to_render as u64, Ordering::Relaxed);
        self.reused.store(reused as u64, Ordering::Relaxed);
        self.total.store(total as u64, Ordering::Relaxed);
    }

    pub(super) fn rendered_one(&self) {
        self.rendered.fetch_add(1, Ordering::Relaxed);
    }
}
