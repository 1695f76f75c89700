//! Proof that a change was asked for by our own pages, not by a foreign page in the same browser.
//!
//! The session holds a secret that foreign pages can not read. Each time it is handed out it looks different, because
//! the same secret beside text of an attacker's choice could be guessed from the length of compressed pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// The header that carries the token; forms carry it in the field `csrf_token`.
pub(crate) const HEADER: &str = "x-csrf-token";

/// The session's CSRF secret, covered by a random mask: mask, then secret XOR mask.
#[must_use]
pub(crate) fn token(secret: &str) -> String {
    let mask: Vec<u8> = secret.bytes().map(|_| rand::random()).collect();
    let covered = xor(secret.as_bytes(), &mask);
    URL_SAFE_NO_PAD.encode([mask, covered].concat())
}

/// Whether the token was made of this secret.
#[must_use]
pub(crate) fn is_valid(token: &str, secret: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    if bytes.len() != 2 * secret.len() || secret.is_empty() {
        return false;
    }
    let (mask, covered) = bytes.split_at(secret.len());
    xor(mask, covered).ct_eq(secret.as_bytes()).into()
}

fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_a_secret_is_valid_for_it_alone() {
        let [one, other] = [token("secret"), token("secret")];
        assert_ne!(one, other);
        assert!(is_valid(&one, "secret") && is_valid(&other, "secret"));
        for (token, secret) in [(one.as_str(), "Secret"), (&one, "secret2"), ("", "secret"), ("", ""), ("!", "secret")]
        {
            assert!(!is_valid(token, secret), "{token:?} {secret:?}");
        }
    }
}
