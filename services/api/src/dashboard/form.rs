//! Forms as browsers send them: names and texts. What they mean is read by the same types that read JSON, so that both
//! say the same about what is wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::error::{ApiError, ErrorCode};
use crate::input::{Fields, FromFields};

/// The fields of a form, in the order of the page.
#[derive(Debug, Default)]
pub(crate) struct FormData(Vec<(String, String)>);

impl FormData {
    /// A field's text; empty if the form has no such field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// A field's text, if there is any in it.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.find(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Every text of a field that may be there more than once.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, text)| text.as_str())
    }

    /// Whether a box is ticked or a button was pressed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, text)| text.as_str())
    }

    /// Reads the fields of these names as one object. A field without text counts as left out.
    pub(super) fn read<T: FromFields>(&self, names: &[&str]) -> Result<T, ApiError> {
        let given = names.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(self.find(name)?))));
        Fields::read(given.filter(|(_, text)| text != "").collect::<Map<_, _>>())
    }
}

impl<S: Send + Sync> FromRequest<S> for FormData {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_owned());
        if !content_type.is_some_and(|of_type| of_type.starts_with(b"application/x-www-form-urlencoded")) {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "This address takes a form of the dashboard."));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                ApiError::new(ErrorCode::TooLarge, "The form is larger than this server takes; nothing was saved.")
            }
            _ => ApiError::new(ErrorCode::InvalidBody, "The form ended before it was complete; nothing was saved."),
        })?;
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&bytes)
            .map_err(|_| ApiError::new(ErrorCode::InvalidBody, "The form can not be read; nothing was saved."))?;
        Ok(Self(pairs.into_iter().map(|(name, text)| (name, with_plain_line_ends(&text))).collect()))
    }
}

/// Browsers end lines as on Windows, whatever the author's machine. Kept so, each save would change every line.
fn with_plain_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_form_keeps_its_texts_and_loses_carriage_returns() {
        let request = Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("text=a%0D%0Ab&scopes=read&scopes=write&empty="))
            .unwrap();
        let form = FormData::from_request(request, &()).await.unwrap();
        assert_eq!(form.text("text"), "a\nb");
        assert_eq!(form.all("scopes").collect::<Vec<_>>(), ["read", "write"]);
        assert_eq!((form.given("empty"), form.has("empty"), form.has("missing")), (None, true, false));
    }

    #[tokio::test]
    async fn what_is_not_a_form_is_refused() {
        let request = Request::post("/").header("content-type", "text/plain").body(Body::from("a=b")).unwrap();
        assert!(FormData::from_request(request, &()).await.is_err());
    }
}
