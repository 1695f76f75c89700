//! To a collector, by OTLP over HTTP. A thread of its own sends what was recorded, a second or two later.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter};

use crate::metrics;

/// Where OTLP has traces, below the address of a collector.
const PATH: &str = "/v1/traces";
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long spans are gathered before they are sent.
const GATHER: Duration = Duration::from_secs(1);

/// Where traces are sent, and how many of them.
#[derive(Clone)]
pub struct CollectorOptions {
    /// The collector's address, such as `http://127.0.0.1:4318`; or that of its traces, with its path.
    pub endpoint: String,
    /// What goes with each request: most often an authorisation.
    pub headers: HashMap<String, String>,
    /// How many of the traces that begin here are recorded, from 0 to 1.
    pub sample: f64,
}

/// Shows no secret.
impl fmt::Debug for CollectorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectorOptions").field("sample", &self.sample).finish_non_exhaustive()
    }
}

/// Traces can not be exported.
#[derive(Debug, thiserror::Error)]
#[error("otlp.endpoint: traces can not be sent there: {0}")]
pub struct ExportError(#[from] opentelemetry_otlp::ExporterBuildError);

pub(super) fn processor(options: CollectorOptions) -> Result<BatchSpanProcessor, ExportError> {
    metrics::describe_collector();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new())
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(address_of(&options.endpoint))
        .with_headers(options.headers)
        .with_timeout(PATIENCE)
        .build()?;
    let config = BatchConfigBuilder::default().with_scheduled_delay(GATHER).build();
    let exporter = Telling { exporter, is_failing: AtomicBool::new(false) };
    Ok(BatchSpanProcessor::builder(exporter).with_batch_config(config).build())
}

/// With the path of traces, unless it has one.
fn address_of(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    let has_path = endpoint.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { endpoint.to_owned() } else { format!("{endpoint}{PATH}") }
}

/// Says once when the collector takes nothing, and once when it does again.
#[derive(Debug)]
struct Telling<E> {
    exporter: E,
    is_failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Telling<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let sent = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        if let Err(error) = &sent {
            metrics::spans_dropped(spans);
            if !was_failing {
                tracing::warn!(%error, "the collector takes no traces; spans are dropped until it does");
            }
        } else if was_failing {
            tracing::info!("the collector takes traces again");
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Waits for answers: the thread that sends has nothing else to do.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Client {
    fn new() -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        Self(config.max_redirects(0).build().new_agent())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let (parts, mut body) = self.0.run(Request::from_parts(parts, body.to_vec()))?.into_parts();
        Ok(Response::from_parts(parts, Bytes::from(body.read_to_vec()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_with_or_without_the_path_of_traces() {
        assert_eq!(address_of("http://127.0.0.1:4318/"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(address_of("https://example.org/otlp/v1/traces"), "https://example.org/otlp/v1/traces");
    }
}
