//! The progress of builds, told to whoever watches in this process. The database keeps the same events for those who
//! come later.

use microblog_domain::BuildId;
use tokio::sync::broadcast;

/// Events that a slow watcher may fall behind by, before it has to look into the database.
const CAPACITY: usize = 256;

/// Tells watchers which build has something new to read.
#[derive(Debug, Clone)]
pub struct BuildEvents(broadcast::Sender<BuildId>);

impl Default for BuildEvents {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl BuildEvents {
    /// Says that events of this build were stored.
    pub fn announce(&self, build: BuildId) {
        // Nobody may be watching, which is fine.
        let _ = self.0.send(build);
    }

    /// Hears of all builds from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<BuildId> {
        self.0.subscribe()
    }
}
