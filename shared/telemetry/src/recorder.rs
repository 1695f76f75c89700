//! Where metrics are counted, and how they are shown to Prometheus.
//!
//! The recorder is one for the whole process, because counting must be possible everywhere without carrying it along. What
//! the system knows of the process (processor time, memory, files) is read whenever somebody looks.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

/// How often histograms are emptied into their buckets when nobody asks for them; else they would grow for ever.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Answers to requests: from a cached page to the time-out. Each is a series for every route.
const REQUEST_SECONDS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 3.0, 10.0];
/// Builds and their phases: from one changed post to a site of 100,000.
const BUILD_SECONDS: [f64; 13] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0];

static HANDLE: OnceLock<Result<PrometheusHandle, RecorderError>> = OnceLock::new();

/// The recorder of this process could not be set up.
#[derive(Debug, Clone, thiserror::Error)]
#[error("metrics can not be recorded: {0}")]
pub struct RecorderError(String);

/// Shows what was counted.
#[derive(Debug, Clone)]
pub struct Recorder {
    handle: PrometheusHandle,
    process: Collector,
}

impl Recorder {
    /// What [`Self::render`] gives, as the header of an answer says it.
    pub const FORMAT: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// The recorder of this process; the first call sets it up.
    pub fn of_this_process() -> Result<Self, RecorderError> {
        let handle = HANDLE.get_or_init(install).clone()?;
        Ok(Self { handle, process: Collector::default() })
    }

    /// All metrics in the text format of Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }

    /// Keeps the memory of histograms bounded; to be spawned once for the life of the process.
    pub async fn upkeep(self) {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }
}

fn install() -> Result<PrometheusHandle, RecorderError> {
    let suffix = |suffix: &str| Matcher::Suffix(suffix.to_owned());
    let full = |name: &str| Matcher::Full(name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(suffix("_seconds"), &BUILD_SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(full("microblog_http_request_duration_seconds"), &REQUEST_SECONDS)
        })
        .map_err(|error| RecorderError(error.to_string()))
        .and_then(|builder| {
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).map_err(|error| RecorderError(error.to_string()))?;
            Collector::default().describe();
            Ok(handle)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown_with_buckets() {
        let recorder = Recorder::of_this_process().unwrap();
        metrics::counter!("microblog_test_total", "kind" => "a").increment(2);
        metrics::histogram!("microblog_test_duration_seconds").record(0.02);
        assert!(recorder.render().contains("microblog_test_total"));
        let text = Recorder::of_this_process().unwrap().render();
        assert!(text.contains("microblog_test_total{kind=\"a\"} 2"), "{text}");
        assert!(text.contains("microblog_test_duration_seconds_bucket{le=\"0.025\"} 1"), "{text}");
        assert!(text.contains("microblog_test_duration_seconds_bucket{le=\"0.01\"} 0"), "{text}");
        for name in
            ["cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "threads", "start_time_seconds"]
        {
            assert!(text.contains(&format!("\nprocess_{name} ")), "{name} in {text}");
        }
    }
}
