//! Every kind of error that the API answers with.

use axum::http::StatusCode;

/// A kind of error. Clients tell errors apart by its word; the title is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The body is not JSON, or not of the announced form.
    InvalidBody,
    /// A field, a parameter or a header has a wrong value.
    InvalidInput,
    /// Nobody is logged in, or the token is unknown, expired or revoked.
    Unauthenticated,
    /// Name or password are wrong.
    WrongCredentials,
    /// The caller may not do this.
    Forbidden,
    /// A change through a log-in cookie came without the right CSRF token.
    CsrfRejected,
    /// There is no such thing.
    NotFound,
    /// The address exists, but not for this method.
    MethodNotAllowed,
    /// It took too long to receive the request.
    RequestTimeout,
    /// It does not fit the present state.
    Conflict,
    /// The change was made from an older version than the present one.
    Stale,
    /// The body is larger than allowed.
    TooLarge,
    /// The body is of a type that is not taken here.
    UnsupportedMediaType,
    /// The uploaded file is not what it should be.
    UnacceptableFile,
    /// The idempotency key was used for another request.
    IdempotencyMismatch,
    /// The change must say which version it was made from.
    VersionRequired,
    /// Too many requests.
    RateLimited,
    /// A mistake in the program.
    Internal,
    /// Something that the answer depends on can not be reached; trying again helps.
    Unavailable,
    /// The answer took too long.
    Timeout,
    /// A disk is full.
    StorageFull,
}

impl ErrorCode {
    /// All of them, in the order of their status.
    pub const ALL: [Self; 21] = [
        Self::InvalidBody,
        Self::InvalidInput,
        Self::Unauthenticated,
        Self::WrongCredentials,
        Self::Forbidden,
        Self::CsrfRejected,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::UnacceptableFile,
        Self::IdempotencyMismatch,
        Self::VersionRequired,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::Timeout,
        Self::StorageFull,
    ];

    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::InvalidBody => ("invalid_body", 400, "The body can not be read"),
            Self::InvalidInput => ("invalid_input", 422, "Some values are wrong"),
            Self::Unauthenticated => ("unauthenticated", 401, "Log in first"),
            Self::WrongCredentials => ("wrong_credentials", 401, "Name or password are wrong"),
            Self::Forbidden => ("forbidden", 403, "Not allowed"),
            Self::CsrfRejected => ("csrf_rejected", 403, "The CSRF token is missing or wrong"),
            Self::NotFound => ("not_found", 404, "Not found"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "Not with this method"),
            Self::RequestTimeout => ("request_timeout", 408, "The request came too slowly"),
            Self::Conflict => ("conflict", 409, "It does not fit the present state"),
            Self::Stale => ("stale", 412, "It was changed in the meantime"),
            Self::TooLarge => ("too_large", 413, "Too large"),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, "This type of body is not taken here"),
            Self::UnacceptableFile => ("unacceptable_file", 422, "The file can not be taken"),
            Self::IdempotencyMismatch => ("idempotency_mismatch", 422, "The idempotency key was used already"),
            Self::VersionRequired => ("version_required", 428, "Say which version you are changing"),
            Self::RateLimited => ("rate_limited", 429, "Too many requests"),
            Self::Internal => ("internal", 500, "Something went wrong"),
            Self::Unavailable => ("unavailable", 503, "Not available at the moment"),
            Self::Timeout => ("timeout", 503, "The answer took too long"),
            Self::StorageFull => ("storage_full", 507, "The disk is full"),
        }
    }

    /// The word in the field `code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status that it is answered with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What people read first.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// The kind that stands for an answer which only has a status, as libraries make them.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::InvalidBody,
            _ if status.is_server_error() => Self::Internal,
            _ => Self::ALL.into_iter().find(|code| code.status() == status).unwrap_or(Self::InvalidInput),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_differ_and_statuses_are_errors() {
        let words: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        assert!(ErrorCode::ALL.iter().all(|code| code.row().1 >= 400 && code.status().as_u16() == code.row().1));
    }
}
