//! The first run: whoever has the set-up link becomes the owner.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::flash::{Flash, redirect};
use super::form::FormData;
use super::frame::html;
use super::pages::{Page as _, SetUpPage};
use super::problem::Problem;
use super::templates;
use super::visitor::Visitor;
use crate::change::Intent;
use crate::edge::Client;
use crate::error::{ApiError, FieldError};
use crate::input::{Fields, FromFields, Query};
use crate::json_api::setup::{is_open, make_owner};
use crate::state::App;

/// The secret of the link.
#[derive(Debug)]
pub(crate) struct Link(String);

impl FromFields for Link {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.optional("token").unwrap_or_default()))
    }
}

/// `GET /dashboard/setup`
pub(crate) async fn show_set_up(
    State(app): State<App>,
    visitor: Visitor,
    Query(Link(token)): Query<Link>,
) -> Result<Response, ApiError> {
    show(&app, &visitor, StatusCode::OK, &token, "", None).await
}

/// `POST /dashboard/setup`
pub(crate) async fn set_up_from_form(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    visitor: Visitor,
    intent: Intent,
    form: FormData,
) -> Result<Response, ApiError> {
    let attempt = async {
        visitor.check(&form)?;
        let wish = form.read(&["token", "name", "password"])?;
        check_repetition(&form)?;
        make_owner(&app, wish, client, intent).await
    };
    match attempt.await {
        Ok(begun) => {
            let mut response = redirect("/dashboard/posts", Some(Flash::Welcome), client)?;
            response.headers_mut().append(header::SET_COOKIE, begun.set_cookie);
            Ok(response)
        }
        Err(error) => {
            let (status, problem) = Problem::with_form(error)?;
            show(&app, &visitor, status, form.text("token"), form.text("name"), Some(problem)).await
        }
    }
}

/// Nobody could log in with a password that was mistyped.
fn check_repetition(form: &FormData) -> Result<(), ApiError> {
    if form.text("password") == form.text("password_again") {
        return Ok(());
    }
    let message = "is not the same as the first one".to_owned();
    Err(ApiError::invalid(vec![FieldError { field: "password_again".to_owned(), message }]))
}

async fn show(
    app: &App,
    visitor: &Visitor,
    status: StatusCode,
    token: &str,
    name: &str,
    problem: Option<Problem>,
) -> Result<Response, ApiError> {
    let page = SetUpPage {
        csrf_token: visitor.token(),
        is_open: is_open(app, token).await?,
        token: token.to_owned(),
        name: name.to_owned(),
        min_password_length: app.auth.min_password_length,
        problem,
    };
    let mut response = html(status, templates::render(SetUpPage::TEMPLATE, &page)?);
    response.headers_mut().append(header::SET_COOKIE, visitor.cookie()?);
    Ok(response)
}
