//! The gate before each route: who is it, have they asked too often, may they do this, did they mean to.
//!
//! The route table says what a route needs; the gate is put before it by the table itself, so the table can not say
//! one thing and the code do another.

use std::fmt;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use microblog_config::ByteSize;
use microblog_domain::{Role, Scope};
use microblog_store::tokens;
use subtle::ConstantTimeEq as _;

use super::caller::{Caller, Via};
use super::secret::Secret;
use super::{csrf, session};
use crate::edge::{Allowance, Client, ClientKey};
use crate::error::{ApiError, ErrorCode};
use crate::metrics;
use crate::state::{App, AppState};

/// How long a token may be used without a note of it: notes are writes.
const NOTE_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Whom a route lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Everybody.
    Public,
    /// Whoever has at least this role; with a token, only if that has the scope.
    Needs(Role, Scope),
    /// The program that brings the secret of `alerts.webhook_secret`.
    Alertmanager,
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Needs(role, scope) => write!(f, "{role}, {scope}"),
            Self::Alertmanager => f.write_str("alerts.webhook_secret"),
        }
    }
}

/// What a route's requests are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Nothing: probes must not be refused.
    Free,
    /// The client's requests.
    AsRequest,
    /// The client's attempts to log in.
    AsLogIn,
    /// The client's requests and the builds asked for by hand.
    AsBuild,
}

/// The gate before one route.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) guard: Guard,
    pub(crate) counted: Counted,
}

/// Lets a request through, with its [`Caller`] among its extensions, or says why not.
pub(crate) async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Result<Response, ApiError> {
    let client = request.extensions().get::<Client>().copied();
    let identified = match gate.guard {
        Guard::Public => Ok(None),
        Guard::Needs(..) => identify(&gate.app, request.headers(), client).await,
        // However much there is to tell, it must arrive.
        Guard::Alertmanager if brings_secret(&gate.app, request.headers()) => return Ok(next.run(request).await),
        Guard::Alertmanager => Err(refuse("This needs the secret of the setting alerts.webhook_secret.", client)),
    };
    // Whoever meets a fault of ours is told so, not that they ask too often: nobody knows yet who they are.
    let identified = match identified {
        Err(fault) if fault.code().status().is_server_error() => return Err(fault),
        identified => identified,
    };
    gate.count(client, identified.as_ref().ok().and_then(Option::as_ref)).await?;
    let (Guard::Needs(role, scope), caller) = (gate.guard, identified?) else { return Ok(next.run(request).await) };
    let caller = caller.ok_or_else(|| {
        ApiError::new(ErrorCode::Unauthenticated, "Log in, or send an API token in the header Authorization: Bearer ….")
    })?;
    check_rights(&caller, role, scope)?;
    let mut request = check_intent(request, &caller, gate.app.server.max_body).await?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

impl Gate {
    async fn count(&self, client: Option<Client>, caller: Option<&Caller>) -> Result<(), ApiError> {
        let network = client.map(|client| ClientKey::Network(client.network()));
        let Some(key) = caller.map(|caller| ClientKey::User(caller.user)).or(network) else { return Ok(()) };
        let requests = match caller {
            Some(caller) if caller.role == Role::Owner => Allowance::Owner,
            _ => Allowance::Api,
        };
        let limiters = &self.app.limiters;
        match self.counted {
            Counted::Free => Ok(()),
            Counted::AsRequest => limiters.spend(requests, key).await,
            Counted::AsLogIn => limiters.spend(Allowance::LogIn, key).await,
            Counted::AsBuild => {
                limiters.spend(requests, key).await?;
                limiters.spend(Allowance::Builds, key).await
            }
        }
    }
}

/// Who sent the request, if it brought a token or a cookie. A wrong token is an error; an old cookie counts as none.
async fn identify(app: &AppState, headers: &HeaderMap, client: Option<Client>) -> Result<Option<Caller>, ApiError> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return session::find(app, headers).await;
    }
    let found = match bearer(headers) {
        Some(token) => find_token(app, &token).await?,
        None => None,
    };
    found.map(Some).ok_or_else(|| refuse("This API token is unknown, expired or revoked.", client))
}

/// What stands behind `Bearer`.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::from_client(secret.trim()))
}

/// Compares hashes, in a time that tells nothing.
fn brings_secret(app: &AppState, headers: &HeaderMap) -> bool {
    let (Some(wanted), Some(brought)) = (&app.alerts.webhook_secret, bearer(headers)) else { return false };
    let wanted = Secret::from_client(wanted.reveal()).hash();
    brought.hash().as_bytes().ct_eq(wanted.as_bytes()).into()
}

fn refuse(why: &str, client: Option<Client>) -> ApiError {
    metrics::auth_failed();
    tracing::warn!(target: "security", ip = client.map(|client| client.address.to_string()), "a bearer token was refused");
    ApiError::new(ErrorCode::Unauthenticated, why)
}

async fn find_token(app: &AppState, secret: &Secret) -> Result<Option<Caller>, ApiError> {
    let now = app.clock.now();
    let found = tokens::find(&mut *app.store.read().await?, &secret.hash(), now).await?;
    let Some((token, user)) = found else { return Ok(None) };
    if token.last_used_at.is_none_or(|last| now.duration_since(last) > NOTE_EVERY) {
        note_use(app, &token).await;
    }
    let via = Via::Token { id: token.id, scopes: token.scopes };
    Ok(Some(Caller { user: user.id, name: user.name, role: user.role, via }))
}

/// Reading must work where writing fails, on a full disk say.
async fn note_use(app: &AppState, token: &tokens::Token) {
    let noted = async {
        let mut tx = app.store.begin().await?;
        tokens::touch(&mut tx, token.id, app.clock.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "the use of an API key could not be noted");
    }
}

fn check_rights(caller: &Caller, role: Role, scope: Scope) -> Result<(), ApiError> {
    if caller.role < role {
        return Err(ApiError::forbidden(format!("This needs the role {role}; yours is {}.", caller.role)));
    }
    if !caller.has_scope(scope) {
        return Err(ApiError::forbidden(format!("This needs a token with the scope {scope}.")));
    }
    Ok(())
}

/// A browser sends its cookie with every request, also with those that a foreign page makes it send. So a change needs
/// the session's CSRF token too, in a header or, from plain forms, in the field `csrf_token`.
async fn check_intent(request: Request, caller: &Caller, largest: ByteSize) -> Result<Request, ApiError> {
    let Via::Session { csrf_secret, .. } = &caller.via else { return Ok(request) };
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(request);
    }
    let (request, token) = csrf_token(request, largest).await?;
    if token.is_some_and(|token| csrf::is_valid(&token, csrf_secret)) {
        return Ok(request);
    }
    metrics::csrf_rejected();
    let ip = request.extensions().get::<Client>().map(|client| client.address.to_string());
    tracing::warn!(target: "security", user = %caller.user, ip, "a change without a valid CSRF token was refused");
    Err(ApiError::new(ErrorCode::CsrfRejected, "Send the token of your session in the header X-CSRF-Token."))
}

async fn csrf_token(request: Request, largest: ByteSize) -> Result<(Request, Option<String>), ApiError> {
    if let Some(value) = request.headers().get(csrf::HEADER) {
        let token = value.to_str().ok().map(str::to_owned);
        return Ok((request, token));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_owned());
    if !content_type.is_some_and(|of_type| of_type.starts_with(b"application/x-www-form-urlencoded")) {
        return Ok((request, None));
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::try_from(largest.0).unwrap_or(usize::MAX))
        .await
        .map_err(|_| ApiError::new(ErrorCode::TooLarge, "The form is larger than this server takes."))?;
    let fields = serde_urlencoded::from_bytes::<Vec<(String, String)>>(&bytes).unwrap_or_default();
    let token = fields.into_iter().find(|(name, _)| name == "csrf_token").map(|(_, token)| token);
    Ok((Request::from_parts(parts, Body::from(bytes)), token))
}
