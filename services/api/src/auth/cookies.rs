//! Cookies: read from requests, given to browsers.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::edge::Scheme;
use crate::error::ApiError;

/// The value of a cookie, if the request brought it.
pub(crate) fn find(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value.to_owned())
}

/// The header that gives a cookie, or with no `seconds` to live takes it away. Scripts can not read it, foreign pages can
/// not use it, and it leaves an encrypted connection only for another.
pub(crate) fn give(name: &str, value: &str, seconds: u64, scheme: Scheme) -> Result<HeaderValue, ApiError> {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let found = |cookie: &str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())]);
            find(&headers, "microblog_session")
        };
        assert_eq!(found("theme=dark; microblog_session=abc; x=y").as_deref(), Some("abc"));
        assert_eq!(found("microblog_session_old=abc; other"), None);
    }

    #[test]
    fn cookies_are_kept_from_scripts_and_sent_encrypted_where_they_came_encrypted() {
        let text = |scheme| give("microblog_session", "abc", 60, scheme).unwrap().to_str().unwrap().to_owned();
        let plain = "microblog_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(text(Scheme::Http), plain);
        assert_eq!(text(Scheme::Https), format!("{plain}; Secure"));
    }
}
