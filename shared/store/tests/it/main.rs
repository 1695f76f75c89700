//! The store against real SQLite files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod posts;
