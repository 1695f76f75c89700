//! Opening what a process depends on, for as long as it takes.
//!
//! Databases and disks come back; a process that ended because one was away would be started again into the same, and
//! tell nobody why. So it stays, tries again ever less often, and says what it waits for: in the log once for each reason,
//! and to whoever probes.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use microblog_store::StoreError;
use microblog_telemetry::Trouble;

use crate::lifecycle::Lifecycle;
use crate::metrics;

/// The rest after the first attempt; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_millis(100);
/// No rest is longer: what has come back is to be used soon.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// Why something could not be opened.
#[derive(Debug)]
pub struct Obstacle {
    /// The whole reason, for the log of whoever runs the process.
    pub told: String,
    /// What everybody may know: no names of hosts, people or files.
    pub shown: String,
    /// Whether it may pass without somebody doing something.
    pub passes_by_itself: bool,
}

/// What to do about an obstacle that will not pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Wait: somebody may mend it, and the process is watched.
    Endless,
    /// End with the reason: somebody sits before it.
    WhileItMayPass,
}

impl Obstacle {
    /// Something that may pass.
    #[must_use]
    pub fn passing(told: impl Display, shown: &str) -> Self {
        Self { told: told.to_string(), shown: shown.to_owned(), passes_by_itself: true }
    }

    /// Something that somebody has to mend.
    #[must_use]
    pub fn lasting(told: impl Display, shown: &str) -> Self {
        Self { passes_by_itself: false, ..Self::passing(told, shown) }
    }
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self { told: error.to_string(), shown: error.shown(), passes_by_itself: error.passes_by_itself() }
    }
}

/// Makes the folder of the uploads where it is missing.
///
/// # Errors
/// When it can not be made.
pub fn make_folder(data_dir: &Path) -> Result<(), Obstacle> {
    std::fs::create_dir_all(data_dir).map_err(|error| {
        let told = format!("the data folder {} can not be made: {error}", data_dir.display());
        Obstacle::lasting(told, "the data folder can not be made")
    })
}

/// Opens something that the process depends on: tries again until it succeeds or, with less than endless patience, until
/// that makes no sense.
///
/// # Errors
/// When somebody has to mend it, and the patience is not endless.
pub async fn patiently<T>(
    what: &'static str,
    lifecycle: &Lifecycle,
    patience: Patience,
    open: impl AsyncFn() -> Result<T, Obstacle>,
) -> anyhow::Result<T> {
    lifecycle.lacks(what, "it is being opened");
    let mut trouble = Trouble::default();
    let mut rest = FIRST_REST;
    loop {
        let obstacle = match open().await {
            Ok(opened) => {
                lifecycle.has(what);
                metrics::dependency_up(what, true);
                if trouble.is_over() {
                    tracing::info!("the {what} is there now");
                }
                return Ok(opened);
            }
            Err(obstacle) => obstacle,
        };
        if patience == Patience::WhileItMayPass && !obstacle.passes_by_itself {
            return Err(anyhow!(obstacle.told));
        }
        if trouble.is_news(&obstacle.told) {
            tracing::warn!(error = obstacle.told, "the {what} can not be used yet; trying again until it can");
        }
        lifecycle.lacks(what, &obstacle.shown);
        metrics::dependency_up(what, false);
        tokio::time::sleep(rest).await;
        rest = LONGEST_REST.min(rest * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::lifecycle::Stage;

    #[tokio::test(start_paused = true)]
    async fn what_is_away_is_waited_for_and_the_reason_is_shown_meanwhile() {
        let (life, tries) = (Lifecycle::new(), Cell::new(0));
        let open = async || {
            tries.set(tries.get() + 1);
            if let Stage::Starting(missing) = life.stage() {
                let expected = if tries.get() == 1 { "it is being opened" } else { "it does not answer" };
                assert_eq!(missing["database"], expected);
            }
            if tries.get() < 20 { Err(Obstacle::passing("db.internal refuses", "it does not answer")) } else { Ok(()) }
        };
        patiently("database", &life, Patience::WhileItMayPass, open).await.unwrap();
        assert_eq!(tries.get(), 20);
        assert!(matches!(life.stage(), Stage::Starting(missing) if missing.is_empty()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_has_to_mend_ends_only_who_is_watched_by_a_person() {
        let life = Lifecycle::new();
        let lasting = async || Err::<(), _>(Obstacle::lasting("it is a shopping list", "it can not be opened"));
        let error = patiently("database", &life, Patience::WhileItMayPass, lasting).await.unwrap_err();
        assert_eq!(error.to_string(), "it is a shopping list");
        let endless = patiently("database", &life, Patience::Endless, lasting);
        tokio::time::timeout(Duration::from_secs(3_600), endless).await.unwrap_err();
    }
}
