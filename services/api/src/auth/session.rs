//! Log-ins: a cookie in the browser, a row in the database.

use axum::http::{HeaderMap, HeaderValue};
use microblog_domain::{ContentHash, Timestamp};
use microblog_store::Transaction;
use microblog_store::sessions::{self, Session};
use microblog_store::users::{Credentials, User};

use super::caller::{Caller, Via};
use super::cookies;
use super::secret::Secret;
use crate::edge::{Client, Scheme};
use crate::error::ApiError;
use crate::state::AppState;

const COOKIE: &str = "microblog_session";
/// How long a session may go on without a note of its use: notes are writes.
const NOTE_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// A log-in that has just begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The header that gives the browser its cookie.
    pub(crate) set_cookie: HeaderValue,
    /// Who is logged in, and how.
    pub(crate) caller: Caller,
    /// When the log-in ends unless it is used.
    pub(crate) expires_at: Timestamp,
}

impl Begun {
    /// To whoever looks who logged in when.
    pub(crate) fn tell(&self, client: Client) {
        let (user, ip) = (self.caller.user, client.address);
        tracing::info!(target: "audit", action = "session.begin", %user, %ip, "logged in");
    }
}

/// Begins a log-in of somebody whose password was right.
pub(crate) async fn begin(app: &AppState, known: &Credentials, client: Client) -> Result<Begun, ApiError> {
    let mut tx = app.store.begin().await?;
    let begun = begin_with(app, &mut tx, known, client).await?;
    tx.commit().await?;
    begun.tell(client);
    Ok(begun)
}

/// Begins a log-in with a change of which it is part. To be told of once that is kept.
pub(crate) async fn begin_with(
    app: &AppState,
    tx: &mut Transaction,
    known: &Credentials,
    client: Client,
) -> Result<Begun, ApiError> {
    let user = &known.user;
    let secret = Secret::generate();
    let now = app.clock.now();
    let session = Session {
        token: secret.hash(),
        user: user.id,
        csrf_secret: Secret::generate().reveal().to_owned(),
        created_at: now,
        last_seen_at: now,
        expires_at: expiry(app, now)?,
    };
    sessions::begin(tx, known, &session).await?;
    let max_age = app.auth.session_lifetime.as_secs();
    let set_cookie = cookie(secret.reveal(), max_age, client.scheme)?;
    Ok(Begun { set_cookie, expires_at: session.expires_at, caller: caller(&session, user) })
}

/// Ends a log-in, and gives the header that takes the cookie away.
pub(crate) async fn end(app: &AppState, token: &ContentHash, scheme: Scheme) -> Result<HeaderValue, ApiError> {
    let mut tx = app.store.begin().await?;
    sessions::end(&mut tx, token).await?;
    tx.commit().await?;
    cookie("", 0, scheme)
}

/// Whom the cookie of a request belongs to, if it has one that is valid.
pub(super) async fn find(app: &AppState, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
    let Some(secret) = cookies::find(headers, COOKIE).map(|value| Secret::from_client(&value)) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let found = sessions::find(&mut *app.store.read().await?, &secret.hash(), now).await?;
    let Some((session, user)) = found else { return Ok(None) };
    if now.duration_since(session.last_seen_at) > NOTE_EVERY {
        note_use(app, &session.token, now).await;
    }
    Ok(Some(caller(&session, &user)))
}

/// Lets the log-in go on. Reading must work where writing fails, on a full disk say.
async fn note_use(app: &AppState, token: &ContentHash, now: Timestamp) {
    let noted = async {
        let mut tx = app.store.begin().await?;
        sessions::prolong(&mut tx, token, now, expiry(app, now)?).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "the use of a session could not be noted");
    }
}

fn expiry(app: &AppState, now: Timestamp) -> Result<Timestamp, ApiError> {
    now.checked_add(app.auth.session_lifetime).map_err(ApiError::internal)
}

fn caller(session: &Session, user: &User) -> Caller {
    let via = Via::Session { token: session.token, csrf_secret: session.csrf_secret.clone() };
    Caller { user: user.id, name: user.name.clone(), role: user.role, via }
}

fn cookie(value: &str, seconds: u64, scheme: Scheme) -> Result<HeaderValue, ApiError> {
    cookies::give(COOKIE, value, seconds, scheme)
}
