//! What this process counts. Names of metrics stand here and, for what the database knows, in
//! [`crate::service_metrics`]; nowhere else.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use microblog_domain::Timestamp;
use microblog_store::PoolUse;

use crate::error::ErrorCode;

const REQUESTS: &str = "microblog_http_requests_total";
const REQUEST_DURATION: &str = "microblog_http_request_duration_seconds";
const IN_FLIGHT: &str = "microblog_http_requests_in_flight";
const ERRORS: &str = "microblog_errors_total";
const AUTH_FAILURES: &str = "microblog_auth_failures_total";
const CSRF_REJECTIONS: &str = "microblog_csrf_rejections_total";
const RATE_LIMITED: &str = "microblog_rate_limited_total";
const POSTS_PUBLISHED: &str = "microblog_posts_published_total";
const CERTIFICATE: &str = "microblog_certificate_expiry_timestamp_seconds";
const POOL: &str = "microblog_db_pool_connections";
const POOL_MAX: &str = "microblog_db_pool_connections_max";

/// What a request is answered with when something is wrong with us.
const FAULTS: [StatusCode; 2] = [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE];

/// Tells the recorder what the numbers mean, and lets counters begin at 0, so that their first increase is seen. What
/// clients do wrong at single routes is the exception: it is known when it happens.
pub(crate) fn describe<'a>(routes: impl IntoIterator<Item = (&'a Method, &'a str)>) {
    describe_counter!(REQUESTS, "Requests answered");
    describe_histogram!(REQUEST_DURATION, Unit::Seconds, "From a request's head to the head of its answer");
    describe_gauge!(IN_FLIGHT, "Requests that are being answered");
    describe_counter!(ERRORS, "Errors answered, by kind");
    describe_counter!(AUTH_FAILURES, "Log-ins and tokens that were refused");
    describe_counter!(CSRF_REJECTIONS, "Changes refused for want of a CSRF token");
    describe_counter!(RATE_LIMITED, "Requests refused because there were too many");
    describe_counter!(POSTS_PUBLISHED, "Posts that became public, by hand or at their time");
    describe_gauge!(CERTIFICATE, Unit::Seconds, "Until when the certificate of the site is valid, since 1970");
    describe_gauge!(POOL, "Open connections to the database, by state");
    describe_gauge!(POOL_MAX, "How many connections there may be");
    for name in [AUTH_FAILURES, CSRF_REJECTIONS, RATE_LIMITED, POSTS_PUBLISHED] {
        counter!(name).increment(0);
    }
    for code in ErrorCode::ALL {
        counter!(ERRORS, "code" => code.as_str()).increment(0);
    }
    for (method, route) in routes {
        for status in FAULTS {
            requests(known_method(method), route, status).increment(0);
        }
    }
}

fn requests(method: &'static str, route: &str, status: StatusCode) -> Counter {
    counter!(REQUESTS, "method" => method, "route" => route.to_owned(), "status" => status.as_u16().to_string())
}

/// A request was answered. `route` is the template of its address, so that there are as many series as routes. Times are
/// not told apart by status: each one would be a dozen series for each route, and anybody can provoke most of them.
pub(crate) fn request_answered(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = known_method(method);
    requests(method, route, status).increment(1);
    histogram!(REQUEST_DURATION, "method" => method, "route" => route.to_owned()).record(took.as_secs_f64());
}

/// The certificate of the site is valid until then.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
pub(crate) fn certificate_expires(host: &str, at: Timestamp) {
    gauge!(CERTIFICATE, "host" => host.to_owned()).set(at.as_second() as f64);
}

/// The site has no longer this name.
pub(crate) fn certificate_is_gone(host: &str) {
    gauge!(CERTIFICATE, "host" => host.to_owned()).set(f64::NAN);
}

/// How the connections to the database are used.
pub(crate) fn pool_is(connections: PoolUse) {
    let pool = connections.pool;
    gauge!(POOL, "pool" => pool, "state" => "used").set(f64::from(connections.used));
    gauge!(POOL, "pool" => pool, "state" => "idle").set(f64::from(connections.idle));
    gauge!(POOL_MAX, "pool" => pool).set(f64::from(connections.max));
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

/// Clients may send any word as a method; only the usual ones become labels and names of spans. HEAD is a GET whose body
/// stays away.
pub(crate) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
