//! The store against real SQLite files and a real PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod build_properties;
mod builds;
mod concurrency;
mod crashes;
mod errors;
mod examining;
mod images;
mod lists;
mod migrating;
mod opening;
mod opening_servers;
mod overlapping;
mod people;
mod publishing;
mod rate_limits;
mod repeating;
mod rolling_upgrade;
mod scenario;
mod schema;
mod server_faults;
mod site;
