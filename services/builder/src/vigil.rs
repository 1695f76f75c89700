//! Watching over the worker that has the build, to take over when it dies.

use std::time::{Duration, Instant};

use microblog_store::builds::Heartbeat;

/// While nobody looked for so long, the database may have been away: for the other worker, too, who could give no sign.
const LONGEST_GAP: Duration = Duration::from_secs(3);

/// Watches one worker at a time, by a clock that nobody sets.
#[derive(Debug, Default)]
pub(crate) struct Vigil(Option<Watch>);

#[derive(Debug, Clone, Copy)]
struct Watch {
    /// The last sign of life.
    heartbeat: Heartbeat,
    since: Instant,
    last_look: Instant,
}

impl Vigil {
    /// Takes note of a sign of life. Tells whether it has been the last one for this long, and was looked at all the while.
    pub(crate) fn is_dead(&mut self, heartbeat: Heartbeat, after: Duration) -> bool {
        let now = Instant::now();
        let goes_on = |watch: &Watch| watch.heartbeat == heartbeat && now - watch.last_look < LONGEST_GAP;
        let since = self.0.filter(goes_on).map_or(now, |watch| watch.since);
        self.0 = Some(Watch { heartbeat, since, last_look: now });
        now - since >= after
    }
}
