//! The preview: the page that the site would make of what stands in the editor.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::form::FormData;
use super::frame::{Visit, html};
use super::pages::PostFields;
use crate::error::ApiError;
use crate::json_api::preview::page;
use crate::state::App;

/// It looks as on the site, runs nothing, and is shown in a frame of the editor only.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; \
     img-src 'self' data: https: http:; media-src 'self' https: http:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'; sandbox allow-same-origin";

/// `POST /dashboard/preview`
pub(crate) async fn preview_form(visit: Visit, State(app): State<App>, form: FormData) -> Result<Response, ApiError> {
    let site = app.site(&mut *app.store.read().await?).await?.settings;
    let input = PostFields::typed(&form).input(None, None, &visit.moments(&site))?;
    let mut response = html(StatusCode::OK, page(&app, input).await?);
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}
