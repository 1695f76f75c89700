//! What this process counts. Names of metrics stand here and, for what the database knows, in
//! [`crate::service_metrics`]; nowhere else.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::error::ErrorCode;

const REQUESTS: &str = "microblog_http_requests_total";
const REQUEST_DURATION: &str = "microblog_http_request_duration_seconds";
const IN_FLIGHT: &str = "microblog_http_requests_in_flight";
const ERRORS: &str = "microblog_errors_total";
const AUTH_FAILURES: &str = "microblog_auth_failures_total";
const CSRF_REJECTIONS: &str = "microblog_csrf_rejections_total";
const RATE_LIMITED: &str = "microblog_rate_limited_total";
const POSTS_PUBLISHED: &str = "microblog_posts_published_total";
/// Tells the recorder what the numbers mean, and makes those that have no labels appear before they first count.
pub(crate) fn describe() {
    describe_counter!(REQUESTS, "Requests answered");
    describe_histogram!(REQUEST_DURATION, Unit::Seconds, "From a request's head to the head of its answer");
    describe_gauge!(IN_FLIGHT, "Requests that are being answered");
    describe_counter!(ERRORS, "Errors answered, by kind");
    describe_counter!(AUTH_FAILURES, "Log-ins and tokens that were refused");
    describe_counter!(CSRF_REJECTIONS, "Changes refused for want of a CSRF token");
    describe_counter!(RATE_LIMITED, "Requests refused because there were too many");
    describe_counter!(POSTS_PUBLISHED, "Posts that became public, by hand or at their time");
    for name in [AUTH_FAILURES, CSRF_REJECTIONS, RATE_LIMITED, POSTS_PUBLISHED] {
        counter!(name).increment(0);
    }
}

/// A request was answered. `route` is the template of its address, so that there are as many series as routes.
pub(crate) fn request_answered(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let labels = [
        ("method", known_method(method).to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    counter!(REQUESTS, &labels).increment(1);
    histogram!(REQUEST_DURATION, &labels).record(took.as_secs_f64());
}

/// Counts a request while it is being answered.
#[derive(Debug)]
pub(crate) struct InFlight(());

impl InFlight {
    pub(crate) fn begin() -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
    }
}

/// An error was answered.
pub(crate) fn error_answered(code: ErrorCode) {
    counter!(ERRORS, "code" => code.as_str()).increment(1);
}

/// A log-in or a token was refused.
pub(crate) fn auth_failed() {
    counter!(AUTH_FAILURES).increment(1);
}

/// A change came without its CSRF token.
pub(crate) fn csrf_rejected() {
    counter!(CSRF_REJECTIONS).increment(1);
}

/// A client asked too often.
pub(crate) fn rate_limited() {
    counter!(RATE_LIMITED).increment(1);
}

/// So many posts became public.
pub(crate) fn posts_published(count: u64) {
    counter!(POSTS_PUBLISHED).increment(count);
}

/// Clients may send any word as a method; only the usual ones become labels and names of spans.
pub(crate) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
