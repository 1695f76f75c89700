//! The progress of builds, told to whoever watches. The database keeps the same events for those who come later.
//!
//! What happens in other processes comes in, and what happens here goes out, by way of the queue's
//! [`EventBridge`](crate::EventBridge), if there is one.

use microblog_domain::BuildId;
use tokio::sync::broadcast;

/// Events that a slow watcher may fall behind by, before it has to look into the database.
const CAPACITY: usize = 256;

/// Tells watchers which build has something new to read.
#[derive(Debug, Clone)]
pub struct BuildEvents {
    all: broadcast::Sender<BuildId>,
    own: broadcast::Sender<BuildId>,
}

impl Default for BuildEvents {
    fn default() -> Self {
        Self { all: broadcast::Sender::new(CAPACITY), own: broadcast::Sender::new(CAPACITY) }
    }
}

impl BuildEvents {
    /// Says that events of this build were stored by this process.
    pub fn announce(&self, build: BuildId) {
        self.pass_on(build);
        let _ = self.own.send(build);
    }

    /// Says that events of this build were stored by another process.
    pub(crate) fn pass_on(&self, build: BuildId) {
        // Nobody may be watching, which is fine.
        let _ = self.all.send(build);
    }

    /// Hears of all builds from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<BuildId> {
        self.all.subscribe()
    }

    /// Hears of what this process announces.
    pub(crate) fn watch_own(&self) -> broadcast::Receiver<BuildId> {
        self.own.subscribe()
    }
}
