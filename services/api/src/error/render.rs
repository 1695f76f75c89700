//! Gives every error its final form: problem details (RFC 9457) with the request id, or a page of the dashboard.
//!
//! Errors that no handler made (an unknown method, a panic, a library's bare status) get the same form here.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use microblog_process::{ErrorReport, ErrorReports};
use microblog_telemetry::RequestId;
use serde::Serialize;

use super::{ApiError, ErrorCode, FieldError};
use crate::dashboard::{self, Asked};
use crate::{edge, metrics};

/// An error on its way to the edge. Extensions must be cloneable, errors are not: hence the slot.
#[derive(Debug, Clone)]
pub(crate) struct Pending(Arc<Mutex<Option<ApiError>>>);

impl Pending {
    pub(super) fn new(error: ApiError) -> Self {
        Self(Arc::new(Mutex::new(Some(error))))
    }

    /// Whether the change that failed may be made again.
    pub(crate) fn is_undone(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|error| error.is_undone)
    }

    fn take(&self) -> Option<ApiError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Debug, Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

/// Turns errors into problem details, logs and counts them; tells people of those that are the service's own.
pub(crate) async fn render_errors(State(reports): State<ErrorReports>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::generate);
    let (asked, place) = (Asked::of(&request), edge::endpoint(&request));
    let mut response = next.run(request).await;
    let pending = response.extensions_mut().remove::<Pending>().and_then(|pending| pending.take());
    let Some(error) = pending.or_else(|| bare_error(&response)) else { return response };
    report(&error);
    tell_people(&reports, &error, &place, &request_id);
    let for_people = dashboard::render_error(&asked, &error, request_id.as_str());
    let mut rendered = for_people.unwrap_or_else(|| problem(&error, &request_id));
    tell_more(&error, rendered.headers_mut());
    keep_header(&response, &mut rendered, header::ALLOW);
    rendered
}

/// The error that an answer without a form stands for.
fn bare_error(response: &Response) -> Option<ApiError> {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let has_form = content_type.is_some_and(|of_type| !of_type.starts_with("text/plain"));
    let is_error = status.is_client_error() || status.is_server_error();
    (is_error && !has_form).then(|| match ErrorCode::of_status(status) {
        ErrorCode::MethodNotAllowed => {
            ApiError::new(ErrorCode::MethodNotAllowed, "The header Allow lists the methods for this address.")
        }
        code => ApiError::new(code, status.canonical_reason().unwrap_or("The request can not be answered.")),
    })
}

/// Mistakes of the program are told to the operator with all causes; mistakes of clients are counted.
pub(crate) fn report(error: &ApiError) {
    metrics::error_answered(error.code);
    let status = error.code.status();
    if status.is_server_error() {
        let causes = error.cause.as_deref().map(|cause| causes(cause)).unwrap_or_default();
        tracing::error!(code = error.code.as_str(), error = causes, "{}", error.code.title());
    } else {
        tracing::debug!(code = error.code.as_str(), detail = error.detail, "{}", error.code.title());
    }
}

fn tell_people(reports: &ErrorReports, error: &ApiError, place: &str, request_id: &RequestId) {
    if error.code.status().is_server_error() {
        let message = error.cause.as_deref().map_or_else(|| error.detail.clone(), |cause| causes(cause));
        let (code, request_id) = (error.code.as_str(), Some(request_id.as_str()));
        reports.report(ErrorReport { code, place, message: &message, request_id });
    }
}

fn causes(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn problem(error: &ApiError, request_id: &RequestId) -> Response {
    let status = error.code.status();
    let body = ProblemBody {
        r#type: format!("/api/docs#{}", error.code.as_str()),
        title: error.code.title(),
        status: status.as_u16(),
        detail: &error.detail,
        code: error.code.as_str(),
        request_id: request_id.as_str(),
        errors: &error.fields,
    };
    let text = serde_json::to_string(&body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], text).into_response()
}

/// What a status needs to be understood by programs that read no more than that.
fn tell_more(error: &ApiError, headers: &mut HeaderMap) {
    if error.code.status() == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"microblog\""));
    }
    if let Some(wait) = error.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    if let Some(etag) = error.current.and_then(|version| HeaderValue::try_from(format!("\"{version}\"")).ok()) {
        headers.insert(header::ETAG, etag);
    }
}

fn keep_header(from: &Response, to: &mut Response, name: header::HeaderName) {
    if let Some(value) = from.headers().get(&name) {
        to.headers_mut().insert(name, value.clone());
    }
}

/// What a handler that panicked answers with.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(crate) fn panicked(payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned();
    ApiError::internal(format!("a handler panicked: {message}")).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use serde_json::Value;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn answer(path: &str) -> (StatusCode, Value) {
        let internal = || async { ApiError::internal("the password is hunter2") };
        let panicking = || async {
            if true {
                panic!("the password is hunter2")
            }
        };
        let router = Router::new()
            .route("/internal", get(internal))
            .route("/panic", get(panicking))
            .route(
                "/closed",
                get(|| async { ApiError::from(std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem)) }),
            )
            .route("/bare", get(|| async { StatusCode::IM_A_TEAPOT }))
            .route("/own", get(|| async { (StatusCode::NOT_FOUND, axum::Json("own form")) }))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(ErrorReports::default(), render_errors));
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(RequestId::from_client("quoted-1").unwrap());
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn what_went_wrong_inside_stays_inside() {
        for path in ["/internal", "/panic"] {
            let (status, body) = answer(path).await;
            assert_eq!((status, &body["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &Value::from("internal")));
            assert!(!body.to_string().contains("hunter2"), "{body}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_the_id_that_people_quote() {
        let (_, body) = answer("/panic").await;
        assert_eq!((&body["request_id"], &body["status"]), (&Value::from("quoted-1"), &Value::from(500)));
    }

    #[tokio::test]
    async fn a_folder_that_is_closed_to_the_server_is_named() {
        let (status, body) = answer("/closed").await;
        assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &Value::from("unavailable")));
        assert!(body["detail"].as_str().unwrap().contains("folder of uploads"), "{body}");
    }

    #[tokio::test]
    async fn an_error_without_a_form_gets_one_and_others_keep_theirs() {
        assert_eq!(answer("/bare").await.1["code"], "invalid_input");
        assert_eq!(answer("/own").await.1, "own form");
    }
}
