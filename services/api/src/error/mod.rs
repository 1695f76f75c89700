//! The one error type of the service, and how others become it.
//!
//! A handler returns [`ApiError`]; it travels inside the response to the [`render`] middleware at the edge, which knows
//! the request id, writes the log line and chooses the form (problem details for programs).

mod code;
pub(crate) mod render;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use microblog_domain::Version;
use microblog_store::StoreError;
use serde::Serialize;

pub use code::ErrorCode;

/// What is wrong with one field, parameter or header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name, with the way to it when nested: `menu[0].url`.
    pub field: String,
    /// What is expected.
    pub message: String,
}

/// Why a request was not done as asked.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    detail: String,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    current: Option<Version>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    /// Nothing was kept, for a reason that has passed, or the change finds out by itself whether it was.
    is_undone: bool,
}

impl ApiError {
    /// An error of this kind; `detail` tells the client what happened and what to do.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after: None,
            current: None,
            cause: None,
            is_undone: false,
        }
    }

    /// There is no such thing as `what`, e.g. `post`.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no such {what}."))
    }

    /// Some input is wrong; all of it is listed.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let names = fields.iter().map(|error| error.field.as_str()).collect::<Vec<_>>().join(", ");
        Self { fields, ..Self::new(ErrorCode::InvalidInput, format!("Please correct: {names}.")) }
    }

    /// One field is wrong.
    #[must_use]
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// The caller's role or token does not reach so far.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, detail)
    }

    /// The change was made from another version than the `current` one.
    #[must_use]
    pub fn stale(current: Version) -> Self {
        let detail = format!("It is at version {current} now. Read it again, and make your change from there.");
        Self { current: Some(current), ..Self::new(ErrorCode::Stale, detail) }
    }

    /// The client must wait.
    #[must_use]
    pub fn rate_limited(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("Try again in {seconds} s.");
        Self { retry_after: Some(Duration::from_secs(seconds)), ..Self::new(ErrorCode::RateLimited, detail) }
    }

    /// A mistake in the program, or a part of the machine that failed. The client learns nothing but the request id.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The error was logged. If it comes again, tell the operator the request id.";
        Self { cause: Some(cause.into()), ..Self::new(ErrorCode::Internal, detail) }
    }

    /// The same of a change that may be made again, even if it was kept: it knows its answer then.
    pub(crate) fn of_commit(error: StoreError, is_kept_once: bool) -> Self {
        let is_undone = is_kept_once && matches!(error, StoreError::Unsettled(_));
        let error = Self::from(error);
        Self { is_undone: error.is_undone || is_undone, ..error }
    }

    fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What happened and what to do, for the client.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What is wrong with which field.
    #[must_use]
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.title(), self.detail)
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(render::Pending::new(self));
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let is_undone = error.is_undone();
        Self { is_undone, ..Self::of_store(error) }
    }
}

impl ApiError {
    fn of_store(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found("thing"),
            StoreError::Stale { current } => Self::stale(current),
            StoreError::Taken { field } => Self::invalid_field(field, error.to_string()),
            StoreError::Refused(refusal) => Self::new(ErrorCode::Conflict, sentence(&refusal.to_string())),
            StoreError::DiskFull => {
                Self::new(ErrorCode::StorageFull, "Nothing was saved. The operator must free some space.")
                    .because(error)
            }
            StoreError::Unstorable => Self::new(ErrorCode::InvalidInput, sentence(&error.to_string())),
            StoreError::Unsettled(_) => {
                let detail = "The connection to the database was lost before it said whether the change was kept: look \
                              before you make it again.";
                Self::new(ErrorCode::Unavailable, detail).because(error)
            }
            error if error.may_pass() => {
                Self::new(ErrorCode::Unavailable, "Nothing was saved. The database does not answer; try again.")
                    .because(error)
            }
            other => Self::internal(other),
        }
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::new(ErrorCode::StorageFull, "Nothing was saved. The operator must free some space.")
                    .because(error)
            }
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                let hint =
                    "The folder of uploads is closed to the server. The operator must open it for reading and writing.";
                Self::new(ErrorCode::Unavailable, hint).because(error)
            }
            _ => Self::internal(error),
        }
    }
}

/// Libraries write their messages without a capital and a full stop; clients read sentences.
pub(crate) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Names the thing that was looked for in vain.
pub(crate) trait Named<T> {
    /// Turns `NotFound` into `There is no such post.`
    fn named(self, what: &str) -> Result<T, ApiError>;
}

impl<T> Named<T> for Result<T, StoreError> {
    fn named(self, what: &str) -> Result<T, ApiError> {
        self.map_err(|error| match error {
            StoreError::NotFound => ApiError::not_found(what),
            other => other.into(),
        })
    }
}
