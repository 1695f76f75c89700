//! The person or program that is asking.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use microblog_domain::{ContentHash, Role, Scope, Timestamp, TokenId, TraceParent, UserId};
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
    trace: Option<TraceParent>,
}

impl Course {
    /// The origin of a change that is made now.
    pub(crate) fn origin(&self, at: Timestamp) -> Origin {
        Origin {
            at,
            user: self.user,
            ip: self.address.map(|address| address.to_string()),
            request_id: self.request_id.clone(),
            trace: self.trace,
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
            trace: parts.extensions.get::<TraceParent>().copied(),
        })
    }
}
