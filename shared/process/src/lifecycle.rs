//! Where a process is in its life, as those who probe it see it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;

/// Starting, serving or draining. Clones are the same life.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    missing: Mutex<BTreeMap<&'static str, String>>,
    app: OnceLock<Router>,
    is_draining: AtomicBool,
}

/// What a request meets.
#[derive(Debug)]
pub(crate) enum Stage {
    /// What the process depends on is not there yet: what is missing, and why.
    Starting(BTreeMap<&'static str, String>),
    /// It works.
    Serving(Router),
    /// It still works, but is about to stop.
    Draining(Router),
}

impl Lifecycle {
    /// A life that begins.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that something the process depends on is not there. The reason is shown to everybody.
    pub(crate) fn lacks(&self, what: &'static str, reason: &str) {
        self.missing().insert(what, reason.to_owned());
    }

    /// Notes that it is there now.
    pub(crate) fn has(&self, what: &'static str) {
        self.missing().remove(what);
    }

    /// From now on requests are answered by this.
    pub fn serve(&self, app: Router) {
        // A process begins to serve once; whoever calls this again finds it serving already.
        let _ = self.0.app.set(app);
    }

    /// From now on the process says that it is not ready, and serves those who come all the same.
    pub fn drain(&self) {
        self.0.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.0.app.get() {
            None => Stage::Starting(self.missing().clone()),
            Some(app) if self.0.is_draining.load(Ordering::Relaxed) => Stage::Draining(app.clone()),
            Some(app) => Stage::Serving(app.clone()),
        }
    }

    fn missing(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
