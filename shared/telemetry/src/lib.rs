//! What the program tells about itself: log lines, metrics, traces, request ids and the model of health.
//!
//! Owns the form of log lines and what is hidden in them ([`logs`], [`redact`]), the recorder of metrics ([`recorder`]),
//! traces and their export ([`traces`]), ids that follow a request ([`RequestId`]), what is told once ([`Trouble`]) and
//! the bodies of health probes ([`health`]). Leaves to the crates what they log and count: each has a `metrics` module of
//! its own with typed functions, and the services decide which checks their health is made of.
//!
//! Start reading at [`Telemetry::start`] for logs and traces, and at [`recorder::Recorder`] for metrics.

pub mod health;
pub mod logs;
mod metrics;
pub mod recorder;
pub mod redact;
mod request_id;
mod start;
pub mod traces;
mod trouble;

pub use recorder::Recorder;
pub use request_id::RequestId;
pub use start::{Telemetry, TelemetryError};
pub use trouble::Trouble;
