//! The description of the API, made from the route table: as an OpenAPI 3.1 document, and as a page to read.
//!
//! What objects look like stands in `schemas.json`; the tests hold every answer that they get against it.

mod docs;
mod document;

use std::sync::OnceLock;

use axum::http::header;
use axum::response::IntoResponse;

use crate::error::ApiError;

/// `GET /api/openapi.json`
pub(crate) async fn show_document() -> Result<impl IntoResponse, ApiError> {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    if DOCUMENT.get().is_none() {
        let document = document::document().map_err(ApiError::internal)?;
        let _ = DOCUMENT.set(document.to_string());
    }
    let text = DOCUMENT.get().map_or("", String::as_str);
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}

/// `GET /api/docs`
pub(crate) async fn show_docs() -> Result<impl IntoResponse, ApiError> {
    let page = docs::page().map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page))
}

/// `GET /api/docs.css`
pub(crate) async fn show_docs_style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("docs.css"))
}
