//! What the programs of Microblog share about being a process: from the command line to the exit status.
//!
//! Owns how a program reads its settings ([`SettingsArgs`]), starts its logs and threads ([`run`]), opens what it depends
//! on ([`patiently`]), answers before and after it can work ([`Lifecycle`], [`front()`]), is probed ([`health`],
//! [`HealthcheckArgs`]), tells people of errors
//! ([`ErrorReports`]), and ends ([`Process`], [`Tasks`]). Leaves to the programs what they serve and do.
//!
//! The order is the same for all. A process listens first, so that whoever probes hears that it lives; then it opens what
//! it depends on, for as long as that takes; then it serves. Told to stop, it says that it is not ready, lets requests
//! end, stops its tasks and ends, all within ten seconds.
//!
//! Start reading at [`process`].

mod closing;
mod connections;
mod database;
mod descriptors;
mod errors;
pub mod front;
pub mod health;
mod healthcheck;
mod lifecycle;
mod logging;
mod metrics;
mod name;
mod opening;
pub mod process;
mod recent;
pub mod report;
mod server;
mod settings;
mod signals;
mod stopping;
mod tasks;

pub use closing::close;
pub use database::{open_clock, open_store, schema_of};
pub use errors::{ErrorKeeper, ErrorReport, ErrorReports};
pub use front::front;
pub use healthcheck::{HealthcheckArgs, reachable};
pub use lifecycle::Lifecycle;
pub use metrics::dependency_up;
pub use microblog_telemetry::Trouble;
pub use name::name_on_this_machine;
pub use opening::{Obstacle, Patience, make_folder, patiently};
pub use process::{Process, ToldToStop, run};
pub use recent::Recent;
pub use server::{listen, serve};
pub use settings::SettingsArgs;
pub use stopping::Stopping;
pub use tasks::{GRACE, Tasks};

/// Of all programs: they are built together.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
