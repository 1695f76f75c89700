//! What every page needs: who looks, what the site is, where one is in the dashboard, and what is to be told.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use microblog_domain::{ReleaseId, Role, SiteSettings, UserId};
use microblog_store::alerts::Trouble;
use microblog_store::{Connection, alerts, releases};
use serde::Serialize;

use super::flash::{self, Flash, Flashed};
use super::moments::Moments;
use super::pages::Page;
use super::templates;
use crate::auth::{Caller, Via, csrf};
use crate::edge::Client;
use crate::error::ApiError;
use crate::state::App;

/// A part of the dashboard, as the menu shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Section {
    Posts,
    Media,
    Builds,
    Releases,
    Alerts,
    Errors,
    Settings,
    Users,
    Account,
}

/// What surrounds a page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Frame {
    pub(super) site_title: String,
    pub(super) site_url: String,
    pub(super) user: UserId,
    pub(super) name: String,
    pub(super) section: Section,
    /// Whether they may change what is everybody's.
    pub(super) is_editor: bool,
    /// Whether they may change what the site is.
    pub(super) is_owner: bool,
    /// For every form of the page.
    pub(super) csrf_token: String,
    pub(super) flash: Option<&'static str>,
    /// The release that the site is held at.
    pub(super) pinned: Option<ReleaseId>,
    /// What owners should look after.
    pub(super) alarm: Option<Alarm>,
}

/// That alerts fire.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Alarm {
    /// What fires, in a few words.
    pub(super) text: String,
    pub(super) is_critical: bool,
}

impl Alarm {
    fn of(trouble: &Trouble) -> Option<Self> {
        let names = trouble.names.join(", ");
        let text = match trouble.firing {
            0 => return None,
            1 => format!("An alert fires: {names}."),
            count if count > trouble.names.len() as u64 => format!("{count} alerts fire, among them {names}."),
            count => format!("{count} alerts fire: {names}."),
        };
        Some(Self { text, is_critical: trouble.is_critical })
    }
}

/// A request for a page by somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(super) app: App,
    pub(super) caller: Caller,
    /// Whether the page is there already, and a script asks for what has changed.
    pub(super) wants_part: bool,
    client: Client,
    flashed: Flashed,
}

impl FromRequestParts<App> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Ok(flashed) = Flashed::from_request_parts(parts, app).await;
        let caller = Caller::from_request_parts(parts, app).await?;
        let client = parts
            .extensions
            .get::<Client>()
            .copied()
            .ok_or_else(|| ApiError::internal("nobody has found out where the request came from"))?;
        let wants_part = wants_part(&parts.headers);
        Ok(Self { app: App::clone(app), caller, wants_part, client, flashed })
    }
}

/// Whether htmx asks, and not for a whole page.
pub(super) fn wants_part(headers: &HeaderMap) -> bool {
    headers.get("hx-request").is_some() && headers.get("hx-request-type").is_none_or(|kind| kind != "full")
}

impl Visit {
    /// What surrounds the page, with the settings of the site.
    pub(super) async fn frame(
        &self,
        conn: &mut Connection,
        section: Section,
    ) -> Result<(Frame, SiteSettings), ApiError> {
        let site = self.app.site(conn).await?.settings;
        let frame = Frame {
            site_title: site.title.clone(),
            site_url: format!("{}/", site.base_url),
            user: self.caller.user,
            name: self.caller.name.clone(),
            section,
            is_editor: self.caller.role >= Role::Editor,
            is_owner: self.caller.role >= Role::Owner,
            csrf_token: self.csrf_token(),
            flash: self.flashed.0.map(Flash::text),
            pinned: releases::pinned(conn).await?,
            alarm: self.alarm(conn).await?,
        };
        Ok((frame, site))
    }

    async fn alarm(&self, conn: &mut Connection) -> Result<Option<Alarm>, ApiError> {
        match self.caller.role {
            Role::Owner => Ok(Alarm::of(&alerts::trouble(conn).await?)),
            Role::Author | Role::Editor => Ok(None),
        }
    }

    fn csrf_token(&self) -> String {
        match &self.caller.via {
            Via::Session { csrf_secret, .. } => csrf::token(csrf_secret),
            Via::Token { .. } => String::new(),
        }
    }

    /// Times as the site counts them.
    pub(super) fn moments(&self, site: &SiteSettings) -> Moments {
        Moments::new(site.timezone.clone(), self.app.clock.now())
    }

    /// Shows a page.
    pub(super) fn show<P: Page>(&self, page: &P) -> Result<Response, ApiError> {
        self.show_with(StatusCode::OK, page)
    }

    /// Shows a page with another status.
    pub(super) fn show_with<P: Page>(&self, status: StatusCode, page: &P) -> Result<Response, ApiError> {
        let mut response = html(status, templates::render(P::TEMPLATE, page)?);
        if let Some(cookie) = self.flashed.forget()? {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Sends the browser elsewhere, where it is told what was done.
    pub(super) fn go(&self, to: &str, flash: Flash) -> Result<Response, ApiError> {
        flash::redirect(to, Some(flash), self.client)
    }

    /// Sends the browser elsewhere.
    pub(super) fn go_silently(&self, to: &str) -> Result<Response, ApiError> {
        flash::redirect(to, None, self.client)
    }

    pub(super) fn client(&self) -> Client {
        self.client
    }
}

/// A page, or a part of one: the same address gives either, and caches must not mix them up.
pub(super) fn html(status: StatusCode, text: String) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Cookie, HX-Request, HX-Request-Type"));
    response
}

#[cfg(test)]
impl Frame {
    pub(super) fn sample() -> Self {
        Self {
            site_title: "Field <notes>".to_owned(),
            site_url: "https://example.org/".to_owned(),
            user: UserId::generate(microblog_domain::Timestamp::UNIX_EPOCH),
            name: "Olga & co".to_owned(),
            section: Section::Posts,
            is_editor: true,
            is_owner: true,
            csrf_token: "token".to_owned(),
            flash: Some(Flash::PostSaved.text()),
            pinned: Some(ReleaseId(7)),
            alarm: Some(Alarm { text: "An alert fires: <b>.".to_owned(), is_critical: true }),
        }
    }
}
