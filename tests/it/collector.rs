//! A collector of traces: takes OTLP over HTTP, and shows what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A span, and which service told of it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) service: String,
    pub(crate) span: Span,
}

impl Told {
    /// The value of an attribute, as text.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        value_of(&self.span.attributes, name)
    }

    pub(crate) fn trace(&self) -> String {
        self.span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Debug, Default)]
struct Received {
    spans: Vec<Told>,
    headers: Vec<HeaderMap>,
}

/// Listens until it is dropped.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Received>>,
    _runtime: Runtime,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    /// In the place of one that has gone.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let received = Arc::<Mutex<Received>>::default();
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&received));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, received, _runtime: runtime }
    }

    /// The setting that names it.
    pub(crate) fn setting(&self) -> String {
        format!("otlp.endpoint=http://{}", self.address)
    }

    pub(crate) fn spans(&self) -> Vec<Told> {
        self.received.lock().unwrap().spans.clone()
    }

    /// What came with the last spans.
    pub(crate) fn last_headers(&self) -> HeaderMap {
        self.received.lock().unwrap().headers.last().cloned().unwrap_or_default()
    }
}

async fn take(State(received): State<Arc<Mutex<Received>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut received = received.lock().unwrap();
    received.headers.push(headers);
    for of_resource in request.resource_spans {
        let service = value_of(&of_resource.resource.unwrap_or_default().attributes, "service.name").unwrap();
        let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        received.spans.extend(spans.map(|span| Told { service: service.clone(), span }));
    }
    StatusCode::OK
}

fn value_of(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}
