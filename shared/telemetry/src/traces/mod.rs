//! Which spans belong together, over all processes that a request passes through.
//!
//! Every request and every job has a place in a trace, whether traces are exported or not: log lines carry its id.
//! [`follow`] puts a span there and says what to tell to those who go on with the work. Export is by OTLP over HTTP
//! (`export`), beside the work: a collector that is away costs nothing but spans.

mod export;

use std::time::Duration;

use microblog_domain::TraceParent;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, Sampler, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

pub use export::{CollectorOptions, ExportError};

/// The field of log lines that has the id; a span that is followed must declare it.
const TRACE_ID: &str = "trace_id";
/// Spans of libraries are not ours to explain.
const OWN_SPANS: &str = "microblog";
/// How long the end of the process waits for the collector.
const LAST_EXPORT: Duration = Duration::from_millis(500);

/// Which traces are recorded, and where they go.
#[derive(Debug, Clone, Default)]
pub struct TraceOptions {
    /// Nothing is recorded without one.
    pub collector: Option<CollectorOptions>,
    /// Names the process: `service.name` and `service.version`.
    pub service: &'static str,
    /// Of the program.
    pub version: &'static str,
}

/// Exports until it is dropped, and then what is left: to be kept until the process ends. Without a collector there is
/// nothing to record: requests and jobs have their ids all the same.
#[derive(Debug)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    pub(crate) fn start(options: TraceOptions) -> Result<Self, ExportError> {
        let Some(collector) = options.collector else { return Ok(Self(None)) };
        let resource = Resource::builder()
            .with_service_name(options.service)
            .with_attribute(KeyValue::new("service.version", options.version))
            .build();
        let sampler = Sampler::TraceIdRatioBased(collector.sample);
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_span_processor(export::processor(collector)?);
        Ok(Self(Some(provider.build())))
    }

    /// The part of the subscriber that makes spans of a trace from spans of the program.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(&self) -> Option<impl Layer<S> + use<S>> {
        let recorded = |provider: &SdkTracerProvider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer(OWN_SPANS))
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_context_activation(false)
                .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with(OWN_SPANS)))
        };
        self.0.as_ref().map(recorded)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0 {
            // Whoever exports has told what went wrong.
            let _ = provider.shutdown_with_timeout(LAST_EXPORT);
        }
    }
}

/// Puts a span, which is not entered yet, behind its parent or at the beginning of a new trace. Gives what those have to
/// know who go on with the work. The span has to declare the field `trace_id`.
pub fn follow(span: &Span, parent: Option<TraceParent>) -> Option<TraceParent> {
    if let Some(parent) = parent {
        // Where nothing is recorded, there is nothing to put.
        let _ = span.set_parent(Context::new().with_remote_span_context(context_of(parent)));
    }
    let here = parent_of(span.context().span().span_context()).or(parent).or_else(begin);
    if let Some(here) = here {
        span.record(TRACE_ID, format_args!("{:032x}", here.trace()).to_string());
    }
    here
}

/// The beginning of a trace that nobody records here.
fn begin() -> Option<TraceParent> {
    let ids = RandomIdGenerator::default();
    let trace = u128::from_be_bytes(ids.new_trace_id().to_bytes());
    let span = u64::from_be_bytes(ids.new_span_id().to_bytes());
    TraceParent::new(trace, span, false)
}

fn context_of(parent: TraceParent) -> SpanContext {
    let flags = if parent.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from(parent.trace()), SpanId::from(parent.span()));
    SpanContext::new(trace, span, flags, true, TraceState::default())
}

fn parent_of(context: &SpanContext) -> Option<TraceParent> {
    let trace = u128::from_be_bytes(context.trace_id().to_bytes());
    let span = u64::from_be_bytes(context.span_id().to_bytes());
    TraceParent::new(trace, span, context.is_sampled())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_records_has_a_trace_too_and_stays_in_the_one_that_it_came_with() {
        let none = Traces::start(TraceOptions::default()).unwrap();
        assert!(none.layer::<tracing_subscriber::Registry>().is_none());
        let (first, second) = (follow(&Span::none(), None).unwrap(), follow(&Span::none(), None).unwrap());
        assert!(first.trace() != second.trace() && !first.is_sampled());
        let given = TraceParent::new(1, 2, true);
        assert_eq!(follow(&Span::none(), given), given);
    }
}
