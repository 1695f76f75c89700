//! Hashes passwords with Argon2id, on threads of their own and a few at a time: each takes 19 MiB and much of a core.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::ApiError;

/// How many are hashed at once; others wait.
const AT_ONCE: usize = 2;
/// The longest password, in bytes: more would only keep the processor busy.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1_024;
/// The hash of a password that nobody knows. It is verified when there is no such user, so that the answer takes as
/// long as for one that exists. A test checks that it costs as much as new hashes do.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0$WkD1aqfQ0oHn0uXPR2yVlbIwRQbUZzpVbLVTsFIp4dI";

/// Hashes and verifies passwords.
#[derive(Debug)]
pub struct Passwords {
    places: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }
}

impl Passwords {
    /// The hash to keep of a password.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.in_place(move || hash(&password)).await?
    }

    /// Whether it is the password of the user with this hash; of no user if there is none, which takes as long. What is
    /// too long for a password is nobody's.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        self.in_place(move || {
            let is_known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODYS_HASH);
            let is_right = Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
            is_right && is_known
        })
        .await
    }

    async fn in_place<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let _place = self.places.acquire().await.map_err(ApiError::internal)?;
        spawn_blocking(work).await.map_err(ApiError::internal)
    }
}

/// The hash to keep of a password, on the calling thread: for the command line.
pub(crate) fn hash(password: &str) -> Result<String, ApiError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| ApiError::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(passwords.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_too_long_for_a_password_is_not_even_hashed() {
        let passwords = Passwords::default();
        let too_long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        let hash = hash(&too_long).unwrap();
        assert!(!passwords.verify(too_long, Some(hash)).await.unwrap());
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(&hash("x").unwrap()), parameters(NOBODYS_HASH));
        let verified = Argon2::default().verify_password(b"x", NOBODYS_HASH);
        assert_eq!(verified, Err(argon2::password_hash::Error::PasswordInvalid));
    }
}
