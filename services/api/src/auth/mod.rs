//! Who is asking, and whether they may.
//!
//! [`guard`] stands before every route and is where to start reading; it finds the [`Caller`] by a session cookie
//! ([`session`]) or a token in the header `Authorization`. Passwords are hashed in [`password`], and only hashes of
//! [`secret`]s are stored.

mod caller;
pub(crate) mod cookies;
pub(crate) mod csrf;
pub(crate) mod guard;
mod password;
mod secret;
pub(crate) mod session;

pub(crate) use caller::Course;
pub use caller::{Caller, Via};
pub(crate) use password::MAX_PASSWORD_BYTES;
pub use password::Passwords;
pub use secret::Secret;
