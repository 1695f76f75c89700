//! The router that a process listens with: it answers before there is anything else to answer, passes requests on once
//! there is, and says when the process is about to stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use microblog_domain::Clock;
use microblog_telemetry::health::{CheckResult, Finding, HealthReport, judge};
use microblog_telemetry::{Recorder, RequestId};
use serde_json::json;
use tower::ServiceExt as _;

use crate::lifecycle::{Lifecycle, Stage};
use crate::{VERSION, metrics};

const LIVE: &str = "/health/live";
const READY: &str = "/health/ready";
const HEALTH: &str = "/health";
const METRICS: &str = "/metrics";

/// How many seconds whoever comes too early or too late should wait.
const COME_BACK_AFTER: HeaderValue = HeaderValue::from_static("1");

#[derive(Clone)]
struct Front {
    lifecycle: Lifecycle,
    recorder: Recorder,
    clock: Arc<dyn Clock>,
}

/// The router of a process with this life.
pub fn front(lifecycle: Lifecycle, recorder: Recorder, clock: Arc<dyn Clock>) -> Router {
    Router::new().fallback(answer).with_state(Front { lifecycle, recorder, clock })
}

async fn answer(State(front): State<Front>, request: Request) -> Response {
    match front.lifecycle.stage() {
        Stage::Serving(app) => pass_on(app, request).await,
        Stage::Draining(_) if matches!(request.uri().path(), READY | HEALTH) => {
            front.report(BTreeMap::from([("process", "it is stopping".to_owned())]))
        }
        // What all processes of the installation tell is for the others to tell: the database may be closed meanwhile.
        Stage::Draining(_) if request.uri().path() == METRICS => front.metrics(),
        Stage::Draining(app) => pass_on(app, request).await,
        Stage::Starting(missing) => front.answer_early(&request, missing),
    }
}

async fn pass_on(app: Router, request: Request) -> Response {
    match app.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl Front {
    fn answer_early(&self, request: &Request, mut missing: BTreeMap<&'static str, String>) -> Response {
        if missing.is_empty() {
            missing.insert("process", "it is starting".to_owned());
        }
        match request.uri().path() {
            LIVE => self.report(BTreeMap::new()),
            READY | HEALTH | "/health/startup" => self.report(missing),
            // Whoever watches should see which dependency is down, not that the service is.
            METRICS => self.metrics(),
            _ => problem(&missing),
        }
    }

    /// What this process counted; it can not work now.
    fn metrics(&self) -> Response {
        metrics::ready(false);
        ([(header::CONTENT_TYPE, Recorder::FORMAT)], self.recorder.render()).into_response()
    }

    /// The body of a probe: unhealthy if anything is missing.
    fn report(&self, missing: BTreeMap<&'static str, String>) -> Response {
        let unhealthy = |(what, reason): (&'static str, String)| (what, lacking(&reason));
        let checks: BTreeMap<_, _> = missing.into_iter().map(unhealthy).collect();
        let report = HealthReport::new(checks, self.clock.now(), VERSION, Duration::ZERO);
        match report.is_unhealthy() {
            true => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, COME_BACK_AFTER)], Json(report))
                .into_response(),
            false => Json(report).into_response(),
        }
    }
}

fn lacking(reason: &str) -> CheckResult {
    judge(Finding::unhealthy(reason), Duration::ZERO)
}

fn problem(missing: &BTreeMap<&'static str, String>) -> Response {
    let reasons: Vec<String> = missing.iter().map(|(what, reason)| format!("{what}: {reason}")).collect();
    let request_id = RequestId::generate();
    let body = json!({
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": StatusCode::SERVICE_UNAVAILABLE.as_u16(),
        "detail": format!("The service is starting ({}). Try again in a moment.", reasons.join("; ")),
        "code": "unavailable",
        "request_id": request_id.as_str(),
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (header::RETRY_AFTER, COME_BACK_AFTER),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, headers, body.to_string()).into_response();
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use microblog_domain::SystemClock;
    use serde_json::Value;

    use super::*;

    async fn respond(lifecycle: &Lifecycle, path: &str) -> Response {
        let router = front(lifecycle.clone(), Recorder::of_this_process().unwrap(), Arc::new(SystemClock));
        router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn ask(lifecycle: &Lifecycle, path: &str) -> (u16, String) {
        let response = respond(lifecycle, path).await;
        let is_error = response.status() == StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(response.headers().contains_key("retry-after"), is_error, "{path}");
        let status = response.status().as_u16();
        (status, String::from_utf8(to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_process_that_starts_lives_and_says_what_it_waits_for() {
        let life = Lifecycle::new();
        life.lacks("database", "it does not answer");
        assert_eq!(ask(&life, LIVE).await.0, 200);
        let metrics = respond(&life, "/metrics").await;
        assert_eq!(metrics.status(), StatusCode::OK);
        assert_eq!(metrics.headers()["content-type"], Recorder::FORMAT);
        for probe in [READY, "/health/startup", "/health"] {
            let (status, body) = ask(&life, probe).await;
            let report: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((status, &report["status"]), (503, &"unhealthy".into()), "{probe}");
            assert_eq!(report["checks"]["database"]["reason"], "it does not answer");
        }
        let (status, problem) = ask(&life, "/api/v1/posts").await;
        assert!(status == 503 && problem.contains("database: it does not answer"), "{problem}");
        life.has("database");
        assert!(ask(&life, READY).await.1.contains("it is starting"));
    }

    #[tokio::test]
    async fn a_process_that_drains_is_not_ready_but_serves_on() {
        let life = Lifecycle::new();
        life.serve(Router::new().route("/work", get(|| async { "done" })).route(READY, get(|| async { "ready" })));
        assert_eq!(ask(&life, READY).await, (200, "ready".to_owned()));
        life.drain();
        for probe in [READY, HEALTH] {
            let (status, body) = ask(&life, probe).await;
            assert!(status == 503 && body.contains("it is stopping"), "{probe}: {body}");
        }
        assert_eq!(ask(&life, "/work").await, (200, "done".to_owned()));
    }
}
