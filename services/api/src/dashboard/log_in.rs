//! Logging in: on a page of its own, or in a page whose log-in has ended, so that what was typed there stays.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use microblog_store::users;
use serde_json::json;

use super::flash::{Flash, Flashed, redirect};
use super::form::FormData;
use super::frame::{html, wants_part};
use super::pages::{LogInPage, Page as _};
use super::problem::Problem;
use super::templates;
use super::visitor::Visitor;
use crate::auth::session::Begun;
use crate::auth::{Course, Via, csrf};
use crate::edge::Client;
use crate::error::{ApiError, ErrorCode};
use crate::input::{Fields, FromFields, Query};
use crate::json_api::session::begin;
use crate::state::App;

/// Where one arrives.
const HOME: &str = "/dashboard/posts";

/// Where to go after the log-in.
#[derive(Debug)]
pub(crate) struct Next(String);

impl FromFields for Next {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.optional("next").unwrap_or_default()))
    }
}

/// `GET /dashboard/login`
pub(crate) async fn show_log_in(
    State(app): State<App>,
    visitor: Visitor,
    flashed: Flashed,
    headers: HeaderMap,
    Query(Next(next)): Query<Next>,
) -> Result<Response, ApiError> {
    let needs_set_up = users::are_missing(&mut *app.store.read().await?).await?;
    let page = LogInPage {
        csrf_token: visitor.token(),
        name: String::new(),
        next: within_dashboard(&next).to_owned(),
        flash: flashed.0.map(Flash::text),
        needs_set_up,
        problem: None,
    };
    let mut response = show(StatusCode::OK, &page, &visitor, &headers)?;
    if let Some(cookie) = flashed.forget()? {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST /dashboard/login`
pub(crate) async fn log_in_from_form(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    course: Course,
    visitor: Visitor,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, ApiError> {
    let next = within_dashboard(form.text("next"));
    let attempt = async {
        visitor.check(&form)?;
        begin(&app, form.read(&["name", "password"])?, client, &course).await
    };
    match attempt.await {
        Ok(begun) if wants_part(&headers) => renewed(&begun),
        Ok(begun) => {
            let mut response = redirect(next, None, client)?;
            response.headers_mut().append(header::SET_COOKIE, begun.set_cookie);
            Ok(response)
        }
        Err(error) => refused(error, &form, &visitor, &headers),
    }
}

/// Tells a page that its log-in goes on, and with which token.
fn renewed(begun: &Begun) -> Result<Response, ApiError> {
    let token = match &begun.caller.via {
        Via::Session { csrf_secret, .. } => csrf::token(csrf_secret),
        Via::Token { .. } => String::new(),
    };
    let told = json!({"session:renewed": {"token": token, "user": begun.caller.user}}).to_string();
    let told = HeaderValue::try_from(told).map_err(ApiError::internal)?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().append("hx-trigger", told);
    response.headers_mut().append(header::SET_COOKIE, begun.set_cookie.clone());
    Ok(response)
}

fn refused(error: ApiError, form: &FormData, visitor: &Visitor, headers: &HeaderMap) -> Result<Response, ApiError> {
    let is_forged = error.code() == ErrorCode::CsrfRejected;
    let (status, problem) = Problem::with_form(error)?;
    let page = LogInPage {
        csrf_token: visitor.token(),
        // A foreign page must not choose what stands in the form.
        name: if is_forged { String::new() } else { form.text("name").to_owned() },
        next: within_dashboard(form.text("next")).to_owned(),
        flash: None,
        needs_set_up: false,
        problem: Some(problem),
    };
    show(status, &page, visitor, headers)
}

fn show(status: StatusCode, page: &LogInPage, visitor: &Visitor, headers: &HeaderMap) -> Result<Response, ApiError> {
    let template = if wants_part(headers) { LogInPage::PARTS[0] } else { LogInPage::TEMPLATE };
    let mut response = html(status, templates::render(template, page)?);
    response.headers_mut().append(header::SET_COOKIE, visitor.cookie()?);
    Ok(response)
}

/// Links must not lead from our log-in to anywhere else.
fn within_dashboard(next: &str) -> &str {
    let is_ours = next == "/dashboard" || next.starts_with("/dashboard/") || next.starts_with("/dashboard?");
    let is_plain = next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    let leads_on =
        !["/dashboard/login", "/dashboard/logout", "/dashboard/setup"].iter().any(|end| next.starts_with(end));
    if is_ours && is_plain && leads_on { next } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_in_leads_nowhere_but_into_the_dashboard() {
        for fine in ["/dashboard/posts?q=a&status=draft", "/dashboard"] {
            assert_eq!(within_dashboard(fine), fine);
        }
        let wrong =
            ["", "https://evil.example/", "//evil.example", "/dashboards", "/dashboard/\r\nx: y", "/dashboard/login"];
        for wrong in wrong {
            assert_eq!(within_dashboard(wrong), HOME, "{wrong}");
        }
    }
}
