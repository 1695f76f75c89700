//! Watching over the worker that has the build, to take over when it dies.

use std::time::{Duration, Instant};

use microblog_store::builds::Heartbeat;

/// The last sign of life that was seen, and when it was seen first: by a clock that nobody sets.
#[derive(Debug, Default)]
pub(crate) struct Vigil(Option<(Heartbeat, Instant)>);

impl Vigil {
    /// Takes note of a sign of life. Tells whether it has been the last one for this long.
    pub(crate) fn is_dead(&mut self, heartbeat: Heartbeat, after: Duration) -> bool {
        match self.0 {
            Some((last, since)) if last == heartbeat => since.elapsed() >= after,
            _ => {
                self.0 = Some((heartbeat, Instant::now()));
                after.is_zero()
            }
        }
    }
}
