//! The outermost layer: gives each request its id, and tells logs and metrics what became of it.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use microblog_domain::TraceParent;
use microblog_telemetry::{RequestId, traces};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::client::Client;
use crate::metrics::{self, InFlight};
use crate::state::App;

const REQUEST_ID: &str = "x-request-id";
const TRACEPARENT: &str = "traceparent";
/// Whoever waits longer than this is told of.
const SLOW: Duration = Duration::from_secs(1);
/// The route of requests that match none, so that a crawl of unknown addresses adds no series.
const UNMATCHED: &str = "unmatched";

/// Measures and logs a request; puts its [`RequestId`] and [`Client`] among its extensions.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = InFlight::begin();
    let request_id = request_id(&request);
    let client = Client::of(&request, &app.server.trusted_proxies);
    request.extensions_mut().insert(request_id.clone());
    request.extensions_mut().insert(client);
    let method = request.method().clone();
    let route = route(&request).to_owned();
    // Of the highest level, so that whatever is logged inside has these fields.
    let span = tracing::error_span!(
        "request", %request_id, %method, route, trace_id = Empty, status = Empty,
        otel.name = endpoint(&request), otel.kind = "server", otel.status_code = Empty,
    );
    if let Some(trace) = traces::follow(&span, trace_of(&request)) {
        request.extensions_mut().insert(trace);
    }
    async move {
        let mut response = next.run(request).await;
        let took = started.elapsed();
        metrics::request_answered(&method, counted_as(&route, response.status()), response.status(), took);
        log(&method, &route, response.status(), took);
        tell_span(response.status());
        if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

fn route(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str)
}

/// What a request is for: method and route, of which there are few.
pub(crate) fn endpoint(request: &Request) -> String {
    format!("{} {}", metrics::known_method(request.method()), route(request))
}

fn request_id(request: &Request) -> RequestId {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    given.and_then(RequestId::from_client).unwrap_or_else(RequestId::generate)
}

/// What the client told of a trace that its request belongs to.
fn trace_of(request: &Request) -> Option<TraceParent> {
    request.headers().get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}

fn tell_span(status: StatusCode) {
    let span = Span::current();
    span.record("status", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// No route has this address with this method, though one may have the address.
fn counted_as(route: &str, status: StatusCode) -> &str {
    if status == StatusCode::METHOD_NOT_ALLOWED { UNMATCHED } else { route }
}

/// Probes come every few seconds and would hide the rest.
fn log(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let (status, duration_seconds) = (status.as_u16(), took.as_secs_f64());
    if took > SLOW {
        tracing::warn!(target: "performance", status, duration_seconds, "{method} {route} took long");
    }
    if route.starts_with("/health") || route == "/metrics" {
        tracing::debug!(status, duration_seconds, "{method} {route} answered");
    } else {
        tracing::info!(status, duration_seconds, "{method} {route} answered");
    }
}
