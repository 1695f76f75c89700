//! Values in the path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ErrorCode};

/// The values in the path: an id, or several as a tuple.
#[derive(Debug)]
pub(crate) struct PathOf<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = ApiError;

    /// What is not an id names nothing, so the answer is that of an unknown id.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(values) = Path::from_request_parts(parts, state).await.map_err(|_| {
            ApiError::new(ErrorCode::NotFound, "There is no such thing: the id in the path is not one.")
        })?;
        Ok(Self(values))
    }
}
