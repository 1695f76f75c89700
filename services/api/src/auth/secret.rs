//! Random secrets that are shown once and of which only a hash is kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use microblog_domain::ContentHash;

/// Random bytes in a secret: too many to guess, so a fast hash is enough to keep them by.
const BYTES: usize = 32;
/// What API tokens begin with, so that scanners of source code find them.
const TOKEN_PREFIX: &str = "mb_";

/// A secret as its owner has it: a session's cookie, an API token, a set-up link.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>()))
    }

    /// A new one for the use of a program.
    #[must_use]
    pub fn generate_token() -> Self {
        Self(format!("{TOKEN_PREFIX}{}", Self::generate().0))
    }

    /// One that a client sent.
    #[must_use]
    pub fn from_client(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(self.0.as_bytes())
    }

    /// The secret itself, to be shown to its owner and nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_not_shown_by_accident() {
        let [one, other] = [Secret::generate(), Secret::generate()];
        assert_ne!(one, other);
        assert_ne!(one.hash(), other.hash());
        assert!(!format!("{one:?}").contains(one.reveal()));
        assert_eq!(Secret::from_client(one.reveal()).hash(), one.hash());
    }

    #[test]
    fn tokens_can_be_found_by_their_beginning() {
        assert!(Secret::generate_token().reveal().starts_with("mb_"));
    }
}
