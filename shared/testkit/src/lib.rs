//! What tests need again and again: a database and a broker of their own, posts made in one line, a clock that can be set,
//! a network that can fail.
//!
//! For tests and benchmarks only. It uses the real parts throughout; nothing here pretends to be something else. Failing to
//! set a test up panics, which fails the test: `unwrap` and `expect` are fine here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broker;
mod clock;
mod database;
mod monitoring;
mod postgres;
mod posts;
mod proxy;
mod server;
mod wait;

pub use broker::TestBroker;
pub use clock::TestClock;
pub use database::{Backup, DatabaseKind, TestDatabase, fast_folder};
pub use monitoring::{
    Alert, Delivery, Pace, Places, Receiver, Target, TestAlertmanager, TestExporter, TestPrometheus, Way, WebhookAt,
};
pub use postgres::PostgresServer;
pub use posts::{PostBuilder, a_post};
pub use proxy::Proxy;
pub use server::{ServerProcess, free_address, free_port, own_address};
pub use wait::eventually;
