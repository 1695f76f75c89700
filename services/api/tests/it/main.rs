//! The service as clients meet it: through the real router, on a real database.
//!
//! [`harness`] makes the service and its clients, and holds every answer against the OpenAPI document. The other
//! modules follow the addresses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that meets an error has failed")]

mod alerts;
mod audit;
mod builds;
mod dashboard;
mod edge;
mod errors;
mod harness;
mod health;
mod media;
mod openapi;
mod postgres;
mod posts;
mod releases;
mod repeating;
mod schema;
mod secrets;
mod session;
mod settings;
mod stopping;
mod tokens;
mod users;
