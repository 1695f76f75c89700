//! The first run: whoever has the set-up link becomes the owner.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use microblog_config::AuthSettings;
use microblog_store::users::Credentials;
use microblog_store::{Store, StoreError, setup, users};

use super::session;
use super::users::{NewPassword, UserName, check_password_length};
use crate::auth::session::Begun;
use crate::auth::{self, Secret};
use crate::change::Intent;
use crate::edge::Client;
use crate::error::ApiError;
use crate::input::{Fields, FromFields, Json};
use crate::state::{App, AppState};

pub(crate) struct Setup {
    token: String,
    name: UserName,
    password: NewPassword,
}

impl FromFields for Setup {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token");
        let (name, password) = (UserName::take(fields), NewPassword::take(fields, "password"));
        Some(Self { token: token?, name: name?, password: password? })
    }
}

/// `POST /setup`: makes the owner, once, and logs them in.
pub(crate) async fn set_up(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    intent: Intent,
    Json { body, .. }: Json<Setup>,
) -> Result<Response, ApiError> {
    let begun = make_owner(&app, body, client, intent).await?;
    Ok(session::answer(begun, StatusCode::CREATED))
}

/// Whether a link with this secret may be used.
pub(crate) async fn is_open(app: &AppState, token: &str) -> Result<bool, ApiError> {
    Ok(setup::is_open(&mut *app.store.read().await?, &Secret::from_client(token).hash()).await?)
}

/// Makes the owner and logs them in.
pub(crate) async fn make_owner(
    app: &App,
    Setup { token, name, password }: Setup,
    client: Client,
    intent: Intent,
) -> Result<Begun, ApiError> {
    check_password_length(&password, app, "password")?;
    let token = Secret::from_client(&token).hash();
    if !setup::is_open(&mut *app.store.read().await?, &token).await? {
        return Err(StoreError::from(microblog_store::Refusal::SetupIsOver).into());
    }
    let hash = app.passwords.hash(password.0).await?;
    let mut change = intent.begin_anew(app).await?;
    let owner = setup::finish(&mut change.tx, &token, &name.0, &hash, change.origin.at).await?;
    let known = Credentials { user: owner, password_hash: hash };
    let begun = auth::session::begin_with(app, &mut change.tx, &known, client).await?;
    change.keep().await?;
    begun.tell(client);
    Ok(begun)
}

/// Makes a new set-up link while there is nobody yet, which replaces the one before: the secret in it, to be shown once;
/// `None` once there is somebody. Where the settings name the secret, that is it.
pub async fn offer_setup(store: &Store, auth: &AuthSettings) -> Result<Option<Secret>, StoreError> {
    let mut tx = store.begin().await?;
    if !users::are_missing(&mut tx).await? {
        return Ok(None);
    }
    let given = auth.setup_token.as_ref().map(|token| Secret::from_client(token.reveal()));
    let secret = given.unwrap_or_else(Secret::generate);
    setup::offer(&mut tx, &secret.hash()).await?;
    tx.commit().await?;
    Ok(Some(secret))
}

/// Where whoever has the secret makes themselves the owner.
#[must_use]
pub fn setup_link(dashboard: &str, secret: &Secret) -> String {
    format!("{dashboard}/setup?token={}", secret.reveal())
}
