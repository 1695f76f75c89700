//! Answers a request anew whose change the database has undone, before anybody hears of it.
//!
//! This is the one place where changes are made again: a handler makes one transaction, which kept nothing when it says
//! so ([`ApiError::is_undone`]), and all that it was made of came with the request. Uploads are not kept for it.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::error::ApiError;
use crate::error::render::Pending;
use crate::input::unreadable;

/// Keeps the body of a request for as long as it takes to answer. The limit of the route holds for it.
pub(crate) async fn answer_again(request: Request, next: Next) -> Result<Response, ApiError> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| unreadable(&rejection))?;
    let answer = || answer(parts.clone(), body.clone(), next.clone());
    let (Ok(response) | Err(response)) = microblog_store::repeat(answer, |_| true).await;
    Ok(response)
}

/// The inner error is an answer that may become another one.
async fn answer(parts: Parts, body: Bytes, next: Next) -> Result<Response, Response> {
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let is_undone = response.extensions().get::<Pending>().is_some_and(Pending::is_undone);
    if is_undone { Err(response) } else { Ok(response) }
}
