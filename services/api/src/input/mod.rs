//! Reads what clients send. Whatever is wrong with it is told with all its places at once.
//!
//! [`Fields`] is the one mechanism for bodies and queries; [`Json`], [`Query`] and [`PathOf`] are the extractors, [`GivenTime`] a
//! time, and [`IfMatch`] the version that a change was made from.

mod fields;
mod if_match;
mod json;
mod path;
mod query;
mod time;

pub(crate) use fields::{Fields, FromFields};
pub(crate) use if_match::IfMatch;
pub(crate) use json::{Json, unreadable};
pub(crate) use path::PathOf;
pub(crate) use query::Query;
pub(crate) use time::GivenTime;
