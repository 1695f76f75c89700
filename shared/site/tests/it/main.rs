//! The engine as its callers use it: posts in, pages out.

#![allow(clippy::unwrap_used, reason = "a test that can not be set up has failed")]

mod addresses;
mod equivalence;
mod images;
mod pages;
mod support;
