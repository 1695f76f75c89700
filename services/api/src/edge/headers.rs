//! Headers that make browsers careful.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::client::{Client, Scheme};

/// Only what comes from here is loaded, nothing written into a page runs, and nobody frames us. Pictures may also be
/// made in the page, for previews of uploads.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What a handler may set otherwise.
const DEFAULTS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
];

/// For files that pages of other origins show: the site, and previews in a sandbox.
pub(crate) const SHOWN_ELSEWHERE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));

/// Adds the headers that the answer does not have.
pub(crate) async fn set_security_headers(request: Request, next: Next) -> Response {
    let is_encrypted = request.extensions().get::<Client>().is_some_and(|client| client.scheme == Scheme::Https);
    let mut response = next.run(request).await;
    for (name, value) in DEFAULTS {
        set_if_missing(response.headers_mut(), name, value);
    }
    if is_encrypted {
        set_if_missing(response.headers_mut(), header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

fn set_if_missing(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
