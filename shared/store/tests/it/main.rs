//! The store against real SQLite files and a real PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod build_properties;
mod builds;
mod concurrency;
mod crashes;
mod images;
mod lists;
mod opening;
mod opening_servers;
mod overlapping;
mod people;
mod publishing;
mod rate_limits;
mod scenario;
mod schema;
mod server_faults;
mod site;
