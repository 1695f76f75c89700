//! The version that a change was made from.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use microblog_domain::Version;

use crate::error::{ApiError, ErrorCode};

/// The header `If-Match`, which holds the `ETag` of what the client changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Not sent.
    Missing,
    /// `*`: whatever version it is at.
    Any,
    /// This one only.
    Version(Version),
}

impl IfMatch {
    /// The version, where a change without one could silently overwrite somebody else's.
    pub(crate) fn required(self) -> Result<Option<Version>, ApiError> {
        match self {
            Self::Version(version) => Ok(Some(version)),
            Self::Any => Ok(None),
            Self::Missing => Err(ApiError::new(
                ErrorCode::VersionRequired,
                "Send the header If-Match with the ETag that you got, such as \"3\"; or * to overwrite whatever is there.",
            )),
        }
    }

    /// The version, where the change does not replace what somebody wrote.
    pub(crate) fn optional(self) -> Option<Version> {
        match self {
            Self::Version(version) => Some(version),
            Self::Any | Self::Missing => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.headers.get(header::IF_MATCH) {
            None => Ok(Self::Missing),
            Some(value) => value.to_str().ok().and_then(parse).ok_or_else(|| {
                ApiError::invalid_field("If-Match", "must be one version in quotes such as \"3\", or *")
            }),
        }
    }
}

/// Proxies that compress turn a strong tag into a weak one; the version in it is still right.
fn parse(text: &str) -> Option<IfMatch> {
    let text = text.trim();
    if text == "*" {
        return Some(IfMatch::Any);
    }
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let number = quoted.strip_prefix('"')?.strip_suffix('"')?;
    number.parse().ok().map(IfMatch::Version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_or_any_is_understood() {
        assert_eq!(parse("\"3\""), Some(IfMatch::Version(Version(3))));
        assert_eq!(parse("W/\"3\""), Some(IfMatch::Version(Version(3))));
        assert_eq!(parse("*"), Some(IfMatch::Any));
        for wrong in ["", "3", "\"\"", "\"-1\"", "\"3\", \"4\"", "\"abc\""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
