//! Hashes: of content (which bytes) and of inputs (why a page has these bytes).
//!
//! Both are BLAKE3. They are types of their own because they answer different questions: equal [`ContentHash`]es mean
//! equal bytes; equal [`Fingerprint`]s mean that rendering again would give the same bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is written as 64 hexadecimal digits")]
pub struct HashError;

/// The BLAKE3 hash of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Hashes the bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Wraps a hash that was computed elsewhere, for example while a file was streamed.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first `digits` hexadecimal digits, for names that people see.
    #[must_use]
    pub fn short(&self, digits: usize) -> String {
        let mut text = self.to_string();
        text.truncate(digits);
        text
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes())).map_err(|_| HashError)
    }
}

impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Identifies everything that a page was rendered from: 128 bits of BLAKE3 over its inputs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a single input.
    #[must_use]
    pub fn of(input: &[u8]) -> Self {
        FingerprintBuilder::new().bytes(input).finish()
    }

    /// Wraps a fingerprint that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, for storing.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Gathers inputs into a [`Fingerprint`]. Each input is length-prefixed, so that `"ab", "c"` and `"a", "bc"` differ.
#[derive(Debug, Clone, Default)]
pub struct FingerprintBuilder(blake3::Hasher);

impl FingerprintBuilder {
    /// Starts with no inputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, input: &[u8]) -> Self {
        self.add(input);
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(self, input: &str) -> Self {
        self.bytes(input.as_bytes())
    }

    /// Adds text that may be missing; missing and empty differ.
    #[must_use]
    pub fn optional(self, input: Option<&str>) -> Self {
        match input {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, input: u64) -> Self {
        self.0.update(&input.to_le_bytes());
        self
    }

    /// Adds another fingerprint.
    #[must_use]
    pub fn fingerprint(mut self, input: Fingerprint) -> Self {
        self.0.update(&input.0);
        self
    }

    /// Adds bytes to a builder in place, for loops.
    pub fn add(&mut self, input: &[u8]) {
        self.0.update(&(input.len() as u64).to_le_bytes());
        self.0.update(input);
    }

    /// Adds a fingerprint in place, for loops.
    pub fn add_fingerprint(&mut self, input: Fingerprint) {
        self.0.update(&input.0);
    }

    /// The fingerprint of all inputs so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        let mut bytes = [0; 16];
        self.0.finalize_xof().fill(&mut bytes);
        Fingerprint(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_hash_survives_being_written_and_read() {
        let hash = ContentHash::of(b"microblog");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("abc".parse::<ContentHash>(), Err(HashError));
    }

    #[test]
    fn inputs_are_told_apart_by_their_borders() {
        let one = FingerprintBuilder::new().text("ab").text("c").finish();
        let other = FingerprintBuilder::new().text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_ne!(
            FingerprintBuilder::new().optional(None).finish(),
            FingerprintBuilder::new().optional(Some("")).finish()
        );
    }
}
