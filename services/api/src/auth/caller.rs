//! The person or program that is asking.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use microblog_domain::{ContentHash, Role, Scope, Timestamp, TokenId, UserId};
use microblog_store::Origin;
use microblog_telemetry::RequestId;

use crate::edge::Client;
use crate::error::ApiError;

/// How a caller proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// With the cookie of a log-in.
    Session {
        /// What is kept of the cookie.
        token: ContentHash,
        /// What CSRF tokens are made of.
        csrf_secret: String,
    },
    /// With an API token.
    Token {
        /// Which one.
        id: TokenId,
        /// What it may be used for.
        scopes: Vec<Scope>,
    },
}

/// Somebody known. As an extractor it gives whom the route's guard let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// The name to log in with.
    pub name: String,
    /// What they are to the site.
    pub role: Role,
    /// How they proved it.
    pub via: Via,
}

impl Caller {
    /// Whether what they came with may be used for this. A log-in may be used for everything.
    #[must_use]
    pub fn has_scope(&self, scope: Scope) -> bool {
        match &self.via {
            Via::Session { .. } => true,
            Via::Token { scopes, .. } => scopes.contains(&scope),
        }
    }

    /// Whether they may change what `owner` made: authors only their own, editors everything.
    #[must_use]
    pub fn may_change(&self, owner: Option<UserId>) -> bool {
        self.role >= Role::Editor || owner == Some(self.user)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            ApiError::internal(format!(
                "the route {} needs a caller, but its guard lets everybody in",
                parts.uri.path()
            ))
        })
    }
}

/// The course of a request, to go with what it changes. Also for requests of nobody known.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    user: Option<UserId>,
    address: Option<IpAddr>,
    request_id: Option<String>,
    traceparent: Option<String>,
}

impl Course {
    /// The origin of a change that is made now.
    pub(crate) fn origin(&self, at: Timestamp) -> Origin {
        Origin {
            at,
            user: self.user,
            ip: self.address.map(|address| address.to_string()),
            request_id: self.request_id.clone(),
            traceparent: self.traceparent.clone(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Course {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self {
            user: parts.extensions.get::<Caller>().map(|caller| caller.user),
            address: parts.extensions.get::<Client>().map(|client| client.address),
            request_id: parts.extensions.get::<RequestId>().map(ToString::to_string),
            traceparent: traceparent(&parts.headers),
        })
    }
}

/// The W3C trace context, if it has the form of one: `00-` + 32 digits + `-` + 16 digits + `-` + 2 digits.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let parts: Vec<&str> = text.split('-').collect();
    let has_form = parts.iter().map(|part| part.len()).eq([2, 32, 16, 2])
        && parts.iter().all(|part| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    has_form.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trace_context_of_the_right_form_goes_on() {
        let given =
            |text: &str| traceparent(&HeaderMap::from_iter([("traceparent".parse().unwrap(), text.parse().unwrap())]));
        let right = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(given(right).as_deref(), Some(right));
        for wrong in ["", "00", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-1-2-3"] {
            assert_eq!(given(wrong), None, "{wrong}");
        }
    }
}
