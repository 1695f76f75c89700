//! The id that follows a request through logs, answers and the jobs that it asks for.

use std::fmt;

/// The longest id that is taken from a client.
const MAX_LEN: usize = 128;

/// Names one request. Safe in headers and log lines: letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// A new id of 128 random bits.
    #[must_use]
    pub fn generate() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// Takes an id that a client or a proxy made; `None` if it is empty, too long or has unusual characters.
    #[must_use]
    pub fn from_client(text: &str) -> Option<Self> {
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_sane = (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(is_usual);
        is_sane.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_taken_from_clients() {
        assert_eq!(RequestId::from_client("abc-1_2.3").map(|id| id.to_string()).as_deref(), Some("abc-1_2.3"));
        for hostile in ["", "a b", "a\nb", "a\"b", "ä", "{}", &"x".repeat(129)] {
            assert_eq!(RequestId::from_client(hostile), None, "{hostile:?}");
        }
    }

    #[test]
    fn generated_ids_are_sane_and_differ() {
        let [one, other] = [RequestId::generate(), RequestId::generate()];
        assert_ne!(one, other);
        assert_eq!(RequestId::from_client(one.as_str()), Some(one));
    }
}
