//! One's own account: the password, and API tokens.

use axum::http::StatusCode;
use axum::response::Response;
use microblog_domain::{Timestamp, TokenId};
use microblog_store::tokens::Token;
use serde_json::{Map, Value, json};

use super::flash::{Flash, redirect};
use super::form::FormData;
use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{AccountPage, TokenRow};
use super::problem::Problem;
use crate::change::Intent;
use crate::error::ApiError;
use crate::input::{Fields, PathOf};
use crate::json_api::session::{change_password, end};
use crate::json_api::tokens::{create, revoke, visible};

/// `GET /dashboard/account`
pub(crate) async fn show_account(visit: Visit) -> Result<Response, ApiError> {
    let page = page(&visit).await?;
    visit.show(&page)
}

/// `POST /dashboard/logout`
pub(crate) async fn log_out_from_form(visit: Visit) -> Result<Response, ApiError> {
    let cookie = end(&visit.app, &visit.caller, visit.client()).await?;
    let mut response = redirect("/dashboard/login", Some(Flash::LoggedOut), visit.client())?;
    response.headers_mut().append(axum::http::header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /dashboard/account/password`
pub(crate) async fn change_password_from_form(
    visit: Visit,
    intent: Intent,
    form: FormData,
) -> Result<Response, ApiError> {
    let change = async {
        let wish = form.read(&["current_password", "new_password"])?;
        change_password(&visit.app, &visit.caller, intent, wish).await
    };
    match change.await {
        Ok(()) => redirect("/dashboard/login", Some(Flash::PasswordChanged), visit.client()),
        Err(error) => {
            let (status, problem) = Problem::with_form(error)?;
            let page = AccountPage { password_problem: Some(problem), ..page(&visit).await? };
            visit.show_with(status, &page)
        }
    }
}

/// `POST /dashboard/account/tokens`: the page that answers is the only place where the token can be read.
pub(crate) async fn create_token_from_form(visit: Visit, intent: Intent, form: FormData) -> Result<Response, ApiError> {
    let make = async {
        let wish = Fields::read(token_wish(&form, visit.app.clock.now()))?;
        let (change, _, secret) = create(&visit.app, &visit.caller, intent, wish).await?;
        change.keep().await.map(|()| secret)
    };
    match make.await {
        Ok(secret) => {
            let page = AccountPage { new_token: Some(secret.reveal().to_owned()), ..page(&visit).await? };
            visit.show_with(StatusCode::CREATED, &page)
        }
        Err(error) => {
            let (status, problem) = Problem::with_form(error)?;
            let page = AccountPage { token_problem: Some(problem), ..page(&visit).await? };
            visit.show_with(status, &page)
        }
    }
}

/// The wish in the form that programs send it in.
fn token_wish(form: &FormData, now: Timestamp) -> Map<String, Value> {
    let days = form.given("days").and_then(|days| days.parse::<u32>().ok());
    let end = days.and_then(|days| now.checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days))).ok());
    let mut wish = Map::from_iter([("scopes".to_owned(), json!(form.all("scopes").collect::<Vec<_>>()))]);
    wish.extend(form.given("name").map(|name| ("name".to_owned(), json!(name))));
    wish.extend(end.map(|end| ("expires_at".to_owned(), json!(end.to_string()))));
    wish
}

/// `POST /dashboard/account/tokens/{id}/revoke`
pub(crate) async fn revoke_token_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<TokenId>,
) -> Result<Response, ApiError> {
    revoke(&visit.app, &visit.caller, intent, id).await?;
    visit.go("/dashboard/account", Flash::TokenRevoked)
}

async fn page(visit: &Visit) -> Result<AccountPage, ApiError> {
    let tokens = visible(&visit.app, &visit.caller).await?;
    let mut conn = visit.app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Account).await?;
    let moments = visit.moments(&site);
    let now = visit.app.clock.now();
    let works = |token: &Token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now);
    let tokens = tokens.into_iter().filter(works);
    Ok(AccountPage {
        frame,
        role: visit.caller.role,
        min_password_length: visit.app.auth.min_password_length,
        tokens: tokens.map(|token| row(token, &moments)).collect(),
        new_token: None,
        password_problem: None,
        token_problem: None,
    })
}

fn row(token: Token, moments: &Moments) -> TokenRow {
    TokenRow {
        id: token.id,
        name: token.name,
        scopes: token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        at: moments.of(token.created_at),
        last_used: token.last_used_at.map(|at| moments.of(at)),
        expires: token.expires_at.map(|at| moments.of(at)),
    }
}
