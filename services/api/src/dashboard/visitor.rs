//! Somebody who is not logged in, and the forms that they may send: a foreign page must not log anybody in or take the
//! set-up over. There is no session yet whose secret could tell our forms apart, so the browser gets one for the forms.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;

use super::form::FormData;
use crate::auth::{Secret, cookies, csrf};
use crate::edge::{Client, Scheme};
use crate::error::{ApiError, ErrorCode};
use crate::metrics;

const COOKIE: &str = "microblog_visitor";
/// How long a form may stay open: a day.
const SECONDS: u64 = 24 * 60 * 60;
/// Longer values are not ours.
const MAX_BYTES: usize = 100;

/// A browser without a log-in.
#[derive(Debug)]
pub(crate) struct Visitor {
    secret: String,
    scheme: Scheme,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let known = cookies::find(&parts.headers, COOKIE).filter(|value| (1..=MAX_BYTES).contains(&value.len()));
        let secret = known.unwrap_or_else(|| Secret::generate().reveal().to_owned());
        let scheme = parts.extensions.get::<Client>().map_or(Scheme::Http, |client| client.scheme);
        Ok(Self { secret, scheme })
    }
}

impl Visitor {
    /// For the field `csrf_token` of a form.
    pub(super) fn token(&self) -> String {
        csrf::token(&self.secret)
    }

    /// The header that goes with the page of the form.
    pub(super) fn cookie(&self) -> Result<HeaderValue, ApiError> {
        cookies::give(COOKIE, &self.secret, SECONDS, self.scheme)
    }

    /// Whether the form is one of ours, shown to this browser.
    pub(super) fn check(&self, form: &FormData) -> Result<(), ApiError> {
        if csrf::is_valid(form.text("csrf_token"), &self.secret) {
            return Ok(());
        }
        metrics::csrf_rejected();
        let detail = "The form was open for too long, or your browser keeps no cookies for this site. \
                      Open the page again, and send the form from there.";
        Err(ApiError::new(ErrorCode::CsrfRejected, detail))
    }
}
