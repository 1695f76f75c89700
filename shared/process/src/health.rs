//! What every service examines when it is probed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Json;
use axum::http::StatusCode;
use microblog_domain::Clock;
use microblog_store::migrate::newest_schema;
use microblog_store::{Store, StoreError};
use microblog_telemetry::health::{CheckResult, Finding, HealthReport};
use rustix::fs::{Access, access};

use crate::space::Space;
use crate::{Trouble, VERSION};

/// With less of a disk free than this it is degraded.
const LOW_SPACE: f64 = 0.10;
/// With less of a disk free than this, or less than [`LEAST_BYTES`], it is unhealthy.
const LEAST_SPACE: f64 = 0.01;
/// Enough for the database to finish what it does.
const LEAST_BYTES: u64 = 64 * 1024 * 1024;

/// What was examined, by name.
pub type Checks = BTreeMap<&'static str, CheckResult>;
/// The answer to a probe.
pub type Probed = (StatusCode, Json<HealthReport>);

/// Sums the checks up that were made since `started`.
pub fn report(checks: Checks, clock: &dyn Clock, started: Instant) -> Probed {
    let report = HealthReport::new(checks, clock.now(), VERSION, started.elapsed());
    let status = if report.is_unhealthy() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(report))
}

/// What probes found out about the database. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<&'static str, Trouble>>>);

impl Troubles {
    /// Whether the database answers and can be used, and if not, why.
    pub async fn database(&self, store: &Store) -> Finding {
        let examined = store.examine().await.map(|found| {
            let known = newest_schema();
            if found > known {
                Finding::degraded(&StoreError::SchemaTooNew { found, known }.shown())
            } else {
                Finding::healthy()
            }
        });
        self.found(examined, "database")
    }

    /// Why something could not be examined is logged, once for each reason and not with each probe; whoever probes learns
    /// as much of it as everybody may know.
    pub fn found(&self, result: Result<Finding, StoreError>, what: &'static str) -> Finding {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = troubles.entry(what).or_default();
        match result {
            Ok(finding) => {
                if trouble.is_over() {
                    tracing::info!("the {what} can be examined again");
                }
                finding
            }
            Err(error) => {
                if trouble.is_news(&error) {
                    tracing::error!(%error, "the {what} can not be examined");
                }
                Finding::unhealthy(&error.shown())
            }
        }
    }
}

/// All of these folders must be there and take files.
pub async fn folders(folders: Vec<(&'static str, PathBuf)>) -> Finding {
    for (name, folder) in folders {
        let allowed = tokio::task::spawn_blocking(move || access(&folder, Access::WRITE_OK | Access::EXEC_OK)).await;
        if !matches!(allowed, Ok(Ok(()))) {
            return Finding::unhealthy(&format!("the {name} folder is missing or can not be written"));
        }
    }
    Finding::healthy()
}

/// How much room is left on the disk that holds the folder of this name.
pub async fn disk(name: &str, folder: &Path) -> Finding {
    let Some(space) = Space::of(folder).await else {
        return Finding::unhealthy(&format!("the free space of the {name} folder can not be read"));
    };
    let share = space.share_free();
    let finding = if share < LEAST_SPACE || space.free < LEAST_BYTES {
        Finding::unhealthy("the disk is full")
    } else if share < LOW_SPACE {
        Finding::degraded("less than 10 % of the disk is free")
    } else {
        Finding::healthy()
    };
    finding.with("free_bytes", space.free).with("total_bytes", space.total)
}
