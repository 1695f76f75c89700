//! Parameters behind the question mark.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use super::fields::{Fields, FromFields};
use crate::error::{ApiError, ErrorCode};

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromFields, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::new(ErrorCode::InvalidInput, "The part behind '?' can not be read."))?;
        let mut object = Map::new();
        for (name, value) in pairs {
            if object.insert(name.clone(), Value::from(value)).is_some() {
                return Err(ApiError::invalid_field(&name, "is given twice"));
            }
        }
        Fields::read(object).map(Self)
    }
}
