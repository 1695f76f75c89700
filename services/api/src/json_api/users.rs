//! The people who can log in. Only owners come here.

use axum::extract::State;
use microblog_domain::{Role, Timestamp, UserId};
use microblog_store::audit;
use microblog_store::users::{self, NewUser, User};
use serde::Serialize;
use serde_json::json;

use super::paging::PageBody;
use crate::change::{Answer, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{Fields, FromFields, Json, PathOf};
use crate::state::{App, AppState};

/// A user as clients see one.
#[derive(Debug, Serialize)]
pub(crate) struct UserBody {
    id: UserId,
    name: String,
    role: Role,
    created_at: Timestamp,
    disabled: bool,
}

impl From<User> for UserBody {
    fn from(User { id, name, role, created_at, disabled }: User) -> Self {
        Self { id, name, role, created_at, disabled }
    }
}

/// A name to log in with.
pub(crate) struct UserName(pub(crate) String);

impl UserName {
    /// Takes the field `name`.
    pub(crate) fn take(fields: &mut Fields) -> Option<Self> {
        let name = fields.required::<String>("name")?.trim().to_owned();
        let is_fine = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        fields.check(is_fine, "name", "must have 1 to 100 characters");
        Some(Self(name))
    }
}

/// A password that somebody is to have.
pub(crate) struct NewPassword(pub(crate) String);

impl NewPassword {
    /// Takes a field.
    pub(crate) fn take(fields: &mut Fields, name: &'static str) -> Option<Self> {
        let password = fields.required::<String>(name)?;
        Some(Self::checked(password, fields, name))
    }

    /// Takes a field that may be left out.
    fn take_if_there(fields: &mut Fields, name: &'static str) -> Option<Self> {
        let password = fields.optional::<String>(name)?;
        Some(Self::checked(password, fields, name))
    }

    fn checked(password: String, fields: &mut Fields, name: &'static str) -> Self {
        let is_fine = password.len() <= crate::auth::MAX_PASSWORD_BYTES;
        fields.check(is_fine, name, "must have at most 1,024 bytes");
        Self(password)
    }
}

/// How short a password may be is a setting.
pub(crate) fn check_password_length(password: &NewPassword, app: &AppState, field: &str) -> Result<(), ApiError> {
    let least = app.auth.min_password_length;
    let length = u32::try_from(password.0.chars().count()).unwrap_or(u32::MAX);
    if length >= least {
        Ok(())
    } else {
        Err(ApiError::invalid_field(field, format!("must have at least {least} characters")))
    }
}

pub(crate) struct UserCreation {
    name: UserName,
    password: NewPassword,
    role: Role,
}

impl FromFields for UserCreation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let (name, password) = (UserName::take(fields), NewPassword::take(fields, "password"));
        let role = fields.optional("role").unwrap_or(Role::Author);
        Some(Self { name: name?, password: password?, role })
    }
}

/// `GET /users`
pub(crate) async fn list_users(State(app): State<App>) -> Result<Answer, ApiError> {
    let users = users::list(&mut *app.store.read().await?).await?;
    let items: Vec<_> = users.into_iter().map(UserBody::from).collect();
    Answer::ok(&PageBody { items, next_cursor: None })
}

/// `POST /users`
pub(crate) async fn create_user(
    State(app): State<App>,
    intent: Intent,
    Json { body, .. }: Json<UserCreation>,
) -> Result<Answer, ApiError> {
    let (change, user) = create(&app, intent, body).await?;
    let answer = Answer::created(&format!("/api/v1/users/{}", user.id), &UserBody::from(user))?;
    change.finish(answer).await
}

/// Adds a user.
pub(crate) async fn create(
    app: &App,
    intent: Intent,
    UserCreation { name, password, role }: UserCreation,
) -> Result<(Change, User), ApiError> {
    check_password_length(&password, app, "password")?;
    let password_hash = app.passwords.hash(password.0).await?;
    let new = NewUser { name: name.0, password_hash, role };
    let mut change = intent.begin_anew(app).await?;
    let user = users::create(&mut change.tx, &new, change.origin.at).await?;
    let detail = json!({"role": user.role});
    audit::record(&mut change.tx, &change.origin, "user.create", &user.id.to_string(), &detail).await?;
    Ok((change, user))
}

/// What is to be changed.
pub(crate) struct UserChange {
    pub(crate) role: Option<Role>,
    pub(crate) disabled: Option<bool>,
    pub(crate) password: Option<NewPassword>,
}

impl FromFields for UserChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let (role, disabled) = (fields.optional("role"), fields.optional("disabled"));
        let password = NewPassword::take_if_there(fields, "password");
        Some(Self { role, disabled, password })
    }
}

/// `PATCH /users/{id}`: what is left out stays as it is.
pub(crate) async fn change_user(
    State(app): State<App>,
    intent: Intent,
    PathOf(id): PathOf<UserId>,
    Json { body, .. }: Json<UserChange>,
) -> Result<Answer, ApiError> {
    let (change, user) = change(&app, intent, id, body).await?;
    let answer = Answer::ok(&UserBody::from(user))?;
    change.finish(answer).await
}

/// Changes what a user is.
pub(crate) async fn change(
    app: &App,
    intent: Intent,
    id: UserId,
    body: UserChange,
) -> Result<(Change, User), ApiError> {
    let password_hash = match body.password {
        Some(password) => {
            check_password_length(&password, app, "password")?;
            Some(app.passwords.hash(password.0).await?)
        }
        None => None,
    };
    let mut change = intent.begin_anew(app).await?;
    let mut user = users::get(&mut change.tx, id).await.named("user")?;
    if let Some(role) = body.role {
        user = users::set_role(&mut change.tx, id, role).await?;
    }
    if let Some(disabled) = body.disabled {
        user = users::set_disabled(&mut change.tx, id, disabled).await?;
    }
    if let Some(hash) = &password_hash {
        users::set_password(&mut change.tx, id, hash).await?;
    }
    let detail = json!({"role": body.role, "disabled": body.disabled, "password_changed": password_hash.is_some()});
    audit::record(&mut change.tx, &change.origin, "user.change", &id.to_string(), &detail).await?;
    Ok((change, user))
}

/// `DELETE /users/{id}`: locks them out. Their posts and what they did stay theirs.
pub(crate) async fn disable_user(
    State(app): State<App>,
    intent: Intent,
    PathOf(id): PathOf<UserId>,
) -> Result<Answer, ApiError> {
    let mut change = intent.begin_anew(&app).await?;
    users::set_disabled(&mut change.tx, id, true).await.named("user")?;
    audit::record(&mut change.tx, &change.origin, "user.disable", &id.to_string(), &json!({})).await?;
    change.finish(Answer::done()).await
}
