//! Logging in and out, and one's own password.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use microblog_domain::{ContentHash, Role, Timestamp, UserId};
use microblog_store::{audit, users};
use serde::Serialize;
use serde_json::json;

use super::users::{NewPassword, check_password_length};
use crate::auth::{Caller, Course, Via, csrf, session};
use crate::change::{Answer, Intent};
use crate::edge::Client;
use crate::error::{ApiError, ErrorCode};
use crate::input::{Fields, FromFields, Json};
use crate::metrics;
use crate::state::App;

pub(crate) struct LogIn {
    name: String,
    password: String,
}

impl FromFields for LogIn {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let (name, password) = (fields.required("name"), fields.required("password"));
        Some(Self { name: name?, password: password? })
    }
}

/// Who is logged in.
#[derive(Debug, Serialize)]
pub(crate) struct SessionBody<'a> {
    user: UserId,
    name: &'a str,
    role: Role,
    /// For the header `X-CSRF-Token` of every change; missing for API tokens, which need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl<'a> SessionBody<'a> {
    fn of(caller: &'a Caller, expires_at: Option<Timestamp>) -> Self {
        let csrf_token = match &caller.via {
            Via::Session { csrf_secret, .. } => Some(csrf::token(csrf_secret)),
            Via::Token { .. } => None,
        };
        Self { user: caller.user, name: &caller.name, role: caller.role, csrf_token, expires_at }
    }
}

/// `POST /session`
pub(crate) async fn log_in(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    course: Course,
    Json { body, .. }: Json<LogIn>,
) -> Result<Response, ApiError> {
    let begun = begin(&app, body, client, &course).await?;
    Ok(answer(begun, StatusCode::OK))
}

/// Begins a log-in if name and password are right.
pub(crate) async fn begin(
    app: &App,
    LogIn { name, password }: LogIn,
    client: Client,
    course: &Course,
) -> Result<session::Begun, ApiError> {
    let known = users::find_by_name(&mut *app.store.read().await?, &name).await?;
    let hash = known.as_ref().filter(|known| !known.user.disabled).map(|known| known.password_hash.clone());
    let is_right = app.passwords.verify(password, hash).await?;
    let Some(known) = known.filter(|_| is_right) else {
        metrics::auth_failed();
        let origin = course.origin(app.clock.now());
        tracing::warn!(target: "security", ip = origin.ip, "a log-in was refused");
        return Err(ApiError::new(ErrorCode::WrongCredentials, "Check both; the answer is the same for either."));
    };
    session::begin(app, &known, client).await
}

/// Answers with a new log-in.
pub(super) fn answer(begun: session::Begun, status: StatusCode) -> Response {
    let body = axum::Json(SessionBody::of(&begun.caller, Some(begun.expires_at)));
    (status, [(header::SET_COOKIE, begun.set_cookie)], body).into_response()
}

/// `GET /session`
pub(crate) async fn show_session(caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&SessionBody::of(&caller, None))
}

/// `DELETE /session`
pub(crate) async fn log_out(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    caller: Caller,
) -> Result<(StatusCode, [(header::HeaderName, HeaderValue); 1]), ApiError> {
    let set_cookie = end(&app, &caller, client).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set_cookie)]))
}

/// Ends the caller's log-in, and gives the header that takes the cookie away.
pub(crate) async fn end(app: &App, caller: &Caller, client: Client) -> Result<HeaderValue, ApiError> {
    match &caller.via {
        Via::Session { token, .. } => session::end(app, token, client.scheme).await,
        Via::Token { .. } => {
            Err(ApiError::new(ErrorCode::Conflict, "A token has no log-in to end. Revoke it with DELETE /tokens/{id}."))
        }
    }
}

pub(crate) struct PasswordChange {
    current: String,
    new: NewPassword,
}

impl FromFields for PasswordChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let (current, new) = (fields.required("current_password"), NewPassword::take(fields, "new_password"));
        Some(Self { current: current?, new: new? })
    }
}

/// `PUT /session/password`: ends all log-ins of the user, this one too.
pub(crate) async fn change_own_password(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    Json { body, .. }: Json<PasswordChange>,
) -> Result<Answer, ApiError> {
    change_password(&app, &caller, intent, body).await?;
    Ok(Answer::done())
}

/// Gives the caller another password, and ends all their log-ins.
pub(crate) async fn change_password(
    app: &App,
    caller: &Caller,
    intent: Intent,
    PasswordChange { current, new }: PasswordChange,
) -> Result<(), ApiError> {
    check_password_length(&new, app, "new_password")?;
    let known = users::find_by_name(&mut *app.store.read().await?, &caller.name).await?;
    let is_right = app.passwords.verify(current, known.as_ref().map(|known| known.password_hash.clone())).await?;
    let Some(known) = known.filter(|_| is_right) else {
        metrics::auth_failed();
        tracing::warn!(target: "security", user = %caller.user, "a change of password was refused: the present one is wrong");
        return Err(ApiError::invalid_field("current_password", "is not your password"));
    };
    let hash = app.passwords.hash(new.0).await?;
    let mut change = intent.begin_anew(app).await?;
    users::replace_password(&mut change.tx, &known, &hash).await?;
    let detail = json!({"password_changed": true});
    audit::record(&mut change.tx, &change.origin, "user.change", &caller.user.to_string(), &detail).await?;
    change.keep().await
}

/// The fingerprint of a request without a body.
pub(super) fn no_body() -> ContentHash {
    ContentHash::of(b"")
}
