//! Bodies in JSON.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use microblog_domain::ContentHash;
use serde_json::Value;

use super::fields::{Fields, FromFields};
use crate::error::{ApiError, ErrorCode};

/// A body in JSON, and the hash of its bytes. An empty body is an empty object.
#[derive(Debug)]
pub(crate) struct Json<T> {
    pub(crate) body: T,
    pub(crate) hash: ContentHash,
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = says_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        if !is_json && !bytes.is_empty() {
            return Err(ApiError::new(
                ErrorCode::UnsupportedMediaType,
                "Send the body as JSON, with the header Content-Type: application/json.",
            ));
        }
        Ok(Self { body: read(&bytes)?, hash: ContentHash::of(&bytes) })
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn read<T: FromFields>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Fields::read(serde_json::Map::new());
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::new(ErrorCode::InvalidBody, format!("The body is not JSON: {error}.")))?;
    match value {
        Value::Object(object) => Fields::read(object),
        _ => Err(ApiError::new(ErrorCode::InvalidBody, "The body must be a JSON object, { … }.")),
    }
}

/// Why a body could not be received.
pub(crate) fn unreadable(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::new(ErrorCode::TooLarge, "The body is larger than this server takes.");
    }
    ApiError::new(ErrorCode::InvalidBody, "The body ended, or came to a standstill, before it was complete.")
}
