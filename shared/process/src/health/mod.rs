//! What every service tells when it is probed, and how it finds out.
//!
//! Probes come from load balancers, container engines, dashboards and people, several a second, and must not be a load of
//! their own: a service is examined at most twice a second, by one asker at a time, and all probes and scrapes tell what
//! was found ([`Probes`]). What a service is made of is its own to say; what most have is here ([`Troubles`], [`Volumes`]).

mod volumes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use microblog_domain::{Clock, Timestamp};
use microblog_store::migrate::newest_schema;
use microblog_store::{Store, StoreError};
use microblog_telemetry::health::{CheckResult, Finding, HealthReport, HealthStatus, check};

pub use self::volumes::{Examined, Volumes};
use crate::recent::Recent;
use crate::{Trouble, VERSION, metrics};

/// What was examined, by name.
pub type Checks = BTreeMap<&'static str, CheckResult>;
/// The answer to a probe.
pub type Probed = (StatusCode, Json<HealthReport>);

/// Which of the checks count for one kind of probe.
pub type Needs = &'static [&'static str];

/// Answers probes from what was found when the service was last examined.
#[derive(Debug, Default)]
pub struct Probes(Recent<Examination>);

/// What was found out, and when.
#[derive(Debug)]
struct Examination {
    checks: Checks,
    at: Timestamp,
    took: Duration,
}

impl Probes {
    /// Whether the process lives: no dependency is asked, since a restart mends none.
    pub fn live(clock: &dyn Clock) -> Probed {
        answer(HealthReport::new(Checks::new(), clock.now(), VERSION, Duration::ZERO))
    }

    /// How the service is, as far as `needs` go.
    pub async fn about(&self, needs: Needs, clock: &dyn Clock, examine: impl Future<Output = Checks>) -> Probed {
        let found = self.0.get(Examination::make(clock, examine)).await;
        answer(found.report(|name| needs.contains(&name)))
    }

    /// How everything is.
    pub async fn summary(&self, clock: &dyn Clock, examine: impl Future<Output = Checks>) -> Probed {
        let found = self.0.get(Examination::make(clock, examine)).await;
        answer(found.report(|_| true))
    }

    /// Tells the metrics whether the service can work, which is what a probe of `needs` would hear.
    pub async fn measure(&self, needs: Needs, clock: &dyn Clock, examine: impl Future<Output = Checks>) {
        let found = self.0.get(Examination::make(clock, examine)).await;
        metrics::ready(!found.report(|name| needs.contains(&name)).is_unhealthy());
    }
}

impl Examination {
    async fn make(clock: &dyn Clock, examine: impl Future<Output = Checks>) -> Self {
        let (started, at) = (Instant::now(), clock.now());
        let checks = examine.await;
        Self { checks, at, took: started.elapsed() }
    }

    fn report(&self, is_wanted: impl Fn(&str) -> bool) -> HealthReport {
        let wanted = self.checks.iter().filter(|(name, _)| is_wanted(name));
        let checks = wanted.map(|(name, check)| (*name, check.clone())).collect();
        HealthReport::new(checks, self.at, VERSION, self.took)
    }
}

fn answer(report: HealthReport) -> Probed {
    let status = if report.is_unhealthy() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(report))
}

/// What probes found out about the database. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<&'static str, Trouble>>>);

impl Troubles {
    /// Whether the database answers in time and can be used, and if not, why.
    pub async fn database(&self, store: &Store) -> CheckResult {
        let result = check(self.ask(store)).await;
        metrics::dependency_up("database", result.status != HealthStatus::Unhealthy);
        result
    }

    async fn ask(&self, store: &Store) -> Finding {
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
