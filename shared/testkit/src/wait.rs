//! Waiting for a condition rather than for a time.

use std::time::Duration;

use tokio::time::Instant;

/// No condition that a test waits for takes this long on a machine that works at all.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until the condition holds.
///
/// # Panics
/// When it has not come true after a minute.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition().await {
        assert!(Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
