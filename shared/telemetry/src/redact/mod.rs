//! What must not be seen in logs: fields with the names of secrets, and text that has the shape of one.
//!
//! A name tells for certain, so [`is_secret`] comes first. [`hide_secrets`] is the net below it: for errors of libraries
//! that quote an address with its password, and for headers and query strings in messages.

mod names;
mod shapes;

pub use names::is_secret;
pub use shapes::hide_secrets;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";
