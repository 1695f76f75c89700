//! The people who can log in.

use axum::http::StatusCode;
use axum::response::Response;
use microblog_domain::UserId;
use microblog_store::users::{self, User};

use super::flash::Flash;
use super::form::FormData;
use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{UserRow, UsersPage};
use super::problem::Problem;
use crate::change::Intent;
use crate::error::ApiError;
use crate::input::PathOf;
use crate::json_api::users::{UserChange, change, create};

const PATH: &str = "/dashboard/users";

/// `GET /dashboard/users`
pub(crate) async fn show_users(visit: Visit) -> Result<Response, ApiError> {
    show(&visit, StatusCode::OK, None, &FormData::default()).await
}

/// `POST /dashboard/users`
pub(crate) async fn add_user_from_form(visit: Visit, intent: Intent, form: FormData) -> Result<Response, ApiError> {
    match add(&visit, intent, &form).await {
        Ok(()) => visit.go(PATH, Flash::UserAdded),
        Err(error) => refused(&visit, &form, error).await,
    }
}

async fn add(visit: &Visit, intent: Intent, form: &FormData) -> Result<(), ApiError> {
    let (change, _) = create(&visit.app, intent, form.read(&["name", "password", "role"])?).await?;
    change.keep().await
}

/// `POST /dashboard/users/{id}`
pub(crate) async fn change_user_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<UserId>,
    form: FormData,
) -> Result<Response, ApiError> {
    match alter(&visit, intent, id, &form).await {
        Ok(()) => visit.go(PATH, Flash::UserChanged),
        Err(error) => refused(&visit, &FormData::default(), error).await,
    }
}

async fn alter(visit: &Visit, intent: Intent, id: UserId, form: &FormData) -> Result<(), ApiError> {
    let wish: UserChange = form.read(&["role", "password"])?;
    let disabled = match form.text("do") {
        "lock_out" => Some(true),
        "let_in" => Some(false),
        _ => None,
    };
    let (change, _) = change(&visit.app, intent, id, UserChange { disabled, ..wish }).await?;
    change.keep().await
}

async fn refused(visit: &Visit, form: &FormData, error: ApiError) -> Result<Response, ApiError> {
    let (status, problem) = Problem::with_form(error)?;
    show(visit, status, Some(problem), form).await
}

async fn show(
    visit: &Visit,
    status: StatusCode,
    problem: Option<Problem>,
    form: &FormData,
) -> Result<Response, ApiError> {
    let mut conn = visit.app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Users).await?;
    let moments = visit.moments(&site);
    let users = users::list(&mut conn).await?.into_iter().map(|user| row(visit, user, &moments)).collect();
    let page = UsersPage {
        frame,
        users,
        name: form.text("name").to_owned(),
        role: form.given("role").unwrap_or("author").to_owned(),
        min_password_length: visit.app.auth.min_password_length,
        problem,
    };
    visit.show_with(status, &page)
}

fn row(visit: &Visit, User { id, name, role, created_at, disabled }: User, moments: &Moments) -> UserRow {
    let is_self = id == visit.caller.user;
    UserRow { id, name, role, at: moments.of(created_at), is_disabled: disabled, is_self }
}
