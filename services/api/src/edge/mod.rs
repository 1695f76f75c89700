//! What happens to every request, whatever it asks for: an id, a log line, limits, headers.

mod client;
mod headers;
mod limits;
mod observe;
mod shared_limits;
mod time_limit;

pub use client::{Client, Scheme};
pub(crate) use headers::{SHOWN_ELSEWHERE, set_security_headers};
pub(crate) use limits::{Allowance, ClientKey};
pub use limits::{Limiters, Ticks};
pub(crate) use observe::{endpoint, observe};
pub(crate) use time_limit::answer_in_time;
