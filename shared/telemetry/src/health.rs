//! The model of health: checks with a time limit, and the body that probes answer with.
//!
//! A dependency is degraded when it answers slowly and unhealthy when it fails or takes too long. Only unhealthy is an
//! error to whoever probes: a degraded service still serves.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use microblog_domain::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// From here on a dependency is degraded.
pub const DEGRADED_FROM: Duration = Duration::from_millis(100);
/// From here on it is unhealthy, and not waited for any longer.
pub const UNHEALTHY_FROM: Duration = Duration::from_secs(1);

/// How well something is; the worse is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// It works, but slowly or in part.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckResult {
    /// How well it is.
    pub status: HealthStatus,
    /// How long the check took.
    pub latency_ms: f64,
    /// What else is worth knowing; never a host name or a credential.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

/// What a check found out by itself, before its latency is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How well the thing is.
    pub status: HealthStatus,
    /// What else is worth knowing.
    pub details: Map<String, Value>,
}

impl Finding {
    /// All is well.
    #[must_use]
    pub fn healthy() -> Self {
        Self { status: HealthStatus::Healthy, details: Map::new() }
    }

    /// It works in part.
    #[must_use]
    pub fn degraded(reason: &str) -> Self {
        Self { status: HealthStatus::Degraded, details: Map::new() }.with("reason", reason)
    }

    /// It does not work.
    #[must_use]
    pub fn unhealthy(reason: &str) -> Self {
        Self { status: HealthStatus::Unhealthy, details: Map::new() }.with("reason", reason)
    }

    /// Adds something worth knowing.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// Runs a check with the time limit, and judges its latency.
pub async fn check(examine: impl Future<Output = Finding>) -> CheckResult {
    let started = Instant::now();
    let finding = tokio::time::timeout(UNHEALTHY_FROM, examine)
        .await
        .unwrap_or_else(|_| Finding::unhealthy("it did not answer in time"));
    judge(finding, started.elapsed())
}

/// What a check found, once its latency is known.
#[must_use]
pub fn judge(finding: Finding, latency: Duration) -> CheckResult {
    let by_latency = match latency {
        latency if latency >= UNHEALTHY_FROM => HealthStatus::Unhealthy,
        latency if latency >= DEGRADED_FROM => HealthStatus::Degraded,
        _ => HealthStatus::Healthy,
    };
    CheckResult { status: finding.status.max(by_latency), latency_ms: milliseconds(latency), details: finding.details }
}

/// With three digits behind the point: enough to compare, few enough to read.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

/// The body of a probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthReport {
    /// The worst of all checks; healthy if there are none.
    pub status: HealthStatus,
    /// When it was asked.
    pub timestamp: Timestamp,
    /// Of the program.
    pub version: &'static str,
    /// By name.
    pub checks: BTreeMap<&'static str, CheckResult>,
    /// How long all checks took together.
    pub duration_ms: f64,
}

impl HealthReport {
    /// Sums the checks up.
    #[must_use]
    pub fn new(
        checks: BTreeMap<&'static str, CheckResult>,
        timestamp: Timestamp,
        version: &'static str,
        took: Duration,
    ) -> Self {
        let status = checks.values().map(|check| check.status).max().unwrap_or(HealthStatus::Healthy);
        Self { status, timestamp, version, checks, duration_ms: milliseconds(took) }
    }

    /// Whether whoever probes should send work elsewhere.
    #[must_use]
    pub fn is_unhealthy(&self) -> bool {
        self.status == HealthStatus::Unhealthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_alone_can_degrade_a_check() {
        for (milliseconds, status) in [
            (0, HealthStatus::Healthy),
            (99, HealthStatus::Healthy),
            (100, HealthStatus::Degraded),
            (999, HealthStatus::Degraded),
            (1_000, HealthStatus::Unhealthy),
        ] {
            let result = judge(Finding::healthy(), Duration::from_millis(milliseconds));
            assert_eq!(result.status, status, "{milliseconds} ms");
        }
        assert_eq!(judge(Finding::unhealthy("gone"), Duration::ZERO).status, HealthStatus::Unhealthy);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_given_up() {
        let result = check(std::future::pending()).await;
        assert_eq!(result.status, HealthStatus::Unhealthy);
        assert_eq!(result.details["reason"], "it did not answer in time");
    }

    #[test]
    fn a_report_is_as_bad_as_its_worst_check() {
        let result = |finding| judge(finding, Duration::from_micros(1_234));
        let checks = BTreeMap::from([
            ("database", result(Finding::healthy().with("posts", 3))),
            ("disk", result(Finding::degraded("less than 10 % is free"))),
        ]);
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let report = HealthReport::new(checks, at, "0.1.0", Duration::from_millis(2));
        assert!(!report.is_unhealthy());
        insta::assert_json_snapshot!(report, @r#"
        {
          "status": "degraded",
          "timestamp": "2027-01-15T08:00:00Z",
          "version": "0.1.0",
          "checks": {
            "database": {
              "status": "healthy",
              "latency_ms": 1.234,
              "posts": 3
            },
            "disk": {
              "status": "degraded",
              "latency_ms": 1.234,
              "reason": "less than 10 % is free"
            }
          },
          "duration_ms": 2.0
        }
        "#);
    }
}
