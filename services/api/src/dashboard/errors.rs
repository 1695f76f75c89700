//! Errors as people read them: a page, or a notice in the page that is there already.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::frame::{html, wants_part};
use super::pages::{ErrorPage, Page as _};
use super::templates;
use crate::error::{ApiError, ErrorCode};

/// Who asked, and so in which form an error is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A program.
    Program,
    /// A person, for the page at this address.
    ForPage(String),
    /// A person, by sending a form.
    ByForm,
    /// A script of a page, which shows it in this place of the page.
    ForPart(&'static str),
}

impl Asked {
    /// Tells by the request.
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_dashboard = path == "/dashboard" || path.starts_with("/dashboard/");
        match (is_dashboard, wants_part(request.headers()), request.method()) {
            (false, ..) => Self::Program,
            (true, true, _) if path == "/dashboard/login" => Self::ForPart("#sign-in-form"),
            (true, true, _) => Self::ForPart("#notices"),
            (true, false, &Method::GET | &Method::HEAD) => Self::ForPage(request.uri().to_string()),
            (true, false, _) => Self::ByForm,
        }
    }
}

/// The answer to a person; `None` for programs, or when the templates are broken, too.
pub(crate) fn render_error(asked: &Asked, error: &ApiError, request_id: &str) -> Option<Response> {
    let (template, place) = match asked {
        Asked::Program => return None,
        Asked::ForPage(address) if error.code() == ErrorCode::Unauthenticated => return Some(to_log_in(address)),
        Asked::ForPart(place) => (ErrorPage::PARTS[0], Some(*place)),
        Asked::ForPage(_) | Asked::ByForm => (ErrorPage::TEMPLATE, None),
    };
    let page = ErrorPage {
        status: error.code().status().as_u16(),
        code: error.code().as_str(),
        title: error.code().title(),
        detail: for_people(error.code()).map_or_else(|| error.detail().to_owned(), str::to_owned),
        advice: advice(error.code(), *asked == Asked::ByForm),
        request_id: request_id.to_owned(),
    };
    let mut response = html(error.code().status(), templates::render(template, &page).ok()?);
    if let Some(place) = place {
        response.headers_mut().insert("hx-retarget", HeaderValue::from_static(place));
        response.headers_mut().insert("hx-reswap", HeaderValue::from_static("innerHTML"));
    }
    Some(response)
}

fn to_log_in(address: &str) -> Response {
    let location = format!("/dashboard/login?next={}", utf8_percent_encode(address, NON_ALPHANUMERIC));
    let location = HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static("/dashboard/login"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// What happened, where the error itself speaks to programs.
fn for_people(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::Unauthenticated => Some("Your log-in has ended. Nothing was saved."),
        ErrorCode::CsrfRejected => {
            Some("Your log-in has ended, or another one began in another tab. Nothing was saved.")
        }
        ErrorCode::MethodNotAllowed => Some("This address is for forms of the dashboard."),
        _ => None,
    }
}

/// What to do now.
fn advice(code: ErrorCode, sent_a_form: bool) -> &'static str {
    match code {
        ErrorCode::Unauthenticated | ErrorCode::CsrfRejected if sent_a_form => {
            "Log in in another tab. Then come back to this one, go back a page, and send the form again: browsers keep \
             what was typed."
        }
        ErrorCode::NotFound => "It may have been deleted, or the address was mistyped.",
        ErrorCode::Forbidden => "Ask an owner of the site if you think that you should be allowed to do this.",
        ErrorCode::RateLimited => "This protects the site from guessing and flooding.",
        _ if sent_a_form => "Go back a page to get what you typed.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn programs_pages_forms_and_scripts_are_told_apart() {
        let asked = |method: Method, path: &str, part: bool| {
            let mut request = Request::builder().method(method).uri(path);
            if part {
                request = request.header("hx-request", "true").header("hx-request-type", "partial");
            }
            Asked::of(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(asked(Method::GET, "/api/v1/posts", false), Asked::Program);
        assert_eq!(asked(Method::GET, "/dashboards", false), Asked::Program);
        assert_eq!(asked(Method::GET, "/dashboard/x?y=z", false), Asked::ForPage("/dashboard/x?y=z".to_owned()));
        assert_eq!(asked(Method::POST, "/dashboard/x", false), Asked::ByForm);
        assert_eq!(asked(Method::POST, "/dashboard/x", true), Asked::ForPart("#notices"));
        assert_eq!(asked(Method::POST, "/dashboard/login", true), Asked::ForPart("#sign-in-form"));
    }

    #[test]
    fn who_is_not_logged_in_is_sent_there_and_comes_back() {
        let error = ApiError::new(ErrorCode::Unauthenticated, "x");
        let page = Asked::ForPage("/dashboard/posts?q=a&b".to_owned());
        let response = render_error(&page, &error, "id").unwrap();
        assert_eq!(response.headers()["location"], "/dashboard/login?next=%2Fdashboard%2Fposts%3Fq%3Da%26b");
        assert_eq!(render_error(&Asked::ByForm, &error, "id").unwrap().status(), StatusCode::UNAUTHORIZED);
    }
}
