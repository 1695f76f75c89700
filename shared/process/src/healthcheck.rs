//! `healthcheck`: asks a service how it is. For containers, which have no shell to ask with, and for people.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::report;

/// Longer than any check takes before it counts as failed.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// Larger than any report.
const LARGEST_REPORT: u64 = 64 * 1024;

/// Ask a service whether it can work: exit status 0 if so, else 1, with the reason.
#[derive(Debug, Clone, Args)]
pub struct HealthcheckArgs {
    /// What to ask, such as http://127.0.0.1:8000/health/live; without a path, /health/ready.
    #[arg(value_name = "URL", value_parser = probe_url)]
    url: Option<String>,
}

fn probe_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").ok_or("it must begin with http://")?;
    match rest.find('/') {
        None => Ok(format!("{text}/health/ready")),
        Some(end) if end + 1 == rest.len() => Ok(format!("{text}health/ready")),
        Some(_) => Ok(text.to_owned()),
    }
}

impl HealthcheckArgs {
    /// Asks, and says what came of it. Without an URL it asks the service that listens on `own`.
    #[must_use]
    pub fn run(&self, own: SocketAddr) -> ExitCode {
        let url = self.url.clone().unwrap_or_else(|| format!("http://{}/health/ready", reachable(own)));
        match ask(&url) {
            Ok(said) => {
                report::print(said);
                ExitCode::SUCCESS
            }
            Err(said) => {
                report::print(said);
                ExitCode::FAILURE
            }
        }
    }
}

/// Where a service that listens on all addresses is found from its own machine.
#[must_use]
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(url: &str) -> Result<String, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIME_LIMIT))
        .proxy(None)
        .build()
        .into();
    let mut answer = agent.get(url).call().map_err(|error| format!("{url} does not answer: {error}"))?;
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(LARGEST_REPORT).read_to_string().unwrap_or_default();
    let said = summary(&body).unwrap_or_else(|| format!("{url} answered {status}"));
    if status.is_success() { Ok(said) } else { Err(said) }
}

/// `unhealthy: database does not answer`, as far as the body is a report.
fn summary(body: &str) -> Option<String> {
    let report: Value = serde_json::from_str(body).ok()?;
    let mut said = report["status"].as_str()?.to_owned();
    for (name, check) in report["checks"].as_object()? {
        if check["status"] != "healthy" {
            let reason = check["reason"].as_str().unwrap_or("it is slow");
            let _ = write!(said, "; {name}: {reason}");
        }
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_healthy_is_named() {
        let body = r#"{"status": "unhealthy", "checks": {"database": {"status": "unhealthy", "reason": "it does not answer"},
            "disk": {"status": "healthy"}, "broker": {"status": "degraded"}}}"#;
        assert_eq!(summary(body).unwrap(), "unhealthy; database: it does not answer; broker: it is slow");
        assert_eq!(summary("<html>"), None);
    }

    #[test]
    fn an_address_needs_no_path() {
        assert_eq!(probe_url("http://a:1").unwrap(), "http://a:1/health/ready");
        assert_eq!(probe_url("http://a:1/").unwrap(), "http://a:1/health/ready");
        assert_eq!(probe_url("http://a:1/health/live").unwrap(), "http://a:1/health/live");
        assert!(probe_url("a:1").is_err());
    }

    #[test]
    fn a_service_that_listens_everywhere_is_asked_on_its_own_machine() {
        for (listen, asked) in [("0.0.0.0:8000", "127.0.0.1:8000"), ("[::]:1", "[::1]:1"), ("10.0.0.1:2", "10.0.0.1:2")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
