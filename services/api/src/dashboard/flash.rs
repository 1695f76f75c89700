//! What the last form came to, told once on the next page. It travels in a cookie, as a word out of a known list, so
//! that nobody can put words into the dashboard's mouth.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::auth::cookies;
use crate::edge::{Client, Scheme};
use crate::error::ApiError;

const COOKIE: &str = "microblog_flash";
/// The next page comes at once, or not at all.
const SECONDS: u64 = 60;

macro_rules! flashes {
    ($($name:ident $word:literal $text:literal),+ $(,)?) => {
        /// Something that was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Flash { $($name),+ }

        impl Flash {
            const ALL: &[Self] = &[$(Self::$name),+];

            const fn row(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($word, $text)),+ }
            }
        }
    };
}

flashes! {
    Welcome "welcome" "Welcome! This site is yours now. Write your first post, or look around.",
    LoggedOut "logged_out" "You are logged out.",
    PasswordChanged "password_changed" "Your password is changed, and all log-ins are ended. Log in with the new one.",
    PostSaved "post_saved" "Saved.",
    PostPublished "post_published" "Published. The site is being built.",
    PostScheduled "post_scheduled" "Scheduled. It goes live by itself at its date.",
    PostWithdrawn "post_withdrawn" "Unpublished: it is a draft again, and leaves the site with the next build.",
    PostTrashed "post_trashed" "Moved to the trash. You can bring it back from there.",
    PostRestored "post_restored" "Brought back, as a draft.",
    RevisionRestored "revision_restored" "The earlier text is the current one again. The other one is kept, too.",
    MediaDeleted "media_deleted" "Deleted. It leaves the site with the next build.",
    BuildCancelled "build_cancelled" "The build is called off; readers keep the release they have.",
    SettingsSaved "settings_saved" "Settings saved. The site is being built with them.",
    UserAdded "user_added" "The user is added. Tell them their name and password in person.",
    UserChanged "user_changed" "The user is changed.",
    ErrorAcknowledged "error_acknowledged" "Noted. If it happens again, it is open again.",
    TokenRevoked "token_revoked" "The token is revoked and works no longer.",
}

impl Flash {
    pub(super) const fn text(self) -> &'static str {
        self.row().1
    }
}

/// What is to be told on this page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flashed(pub(super) Option<Flash>);

impl<S: Send + Sync> FromRequestParts<S> for Flashed {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let word = cookies::find(&parts.headers, COOKIE);
        Ok(Self(word.and_then(|word| Flash::ALL.iter().copied().find(|flash| flash.row().0 == word))))
    }
}

impl Flashed {
    /// The header that keeps it from being told twice.
    pub(super) fn forget(self) -> Result<Option<HeaderValue>, ApiError> {
        // Encrypted or not, a cookie that is to go is gone.
        self.0.map(|_| cookies::give(COOKIE, "", 0, Scheme::Http)).transpose()
    }
}

/// Sends the browser to another page, which tells what was done.
pub(super) fn redirect(to: &str, flash: Option<Flash>, client: Client) -> Result<Response, ApiError> {
    let location = HeaderValue::try_from(to).map_err(ApiError::internal)?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    if let Some(flash) = flash {
        let cookie = cookies::give(COOKIE, flash.row().0, SECONDS, client.scheme)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_differ_and_can_stand_in_a_cookie() {
        let words: HashSet<_> = Flash::ALL.iter().map(|flash| flash.row().0).collect();
        assert_eq!(words.len(), Flash::ALL.len());
        assert!(words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }
}
