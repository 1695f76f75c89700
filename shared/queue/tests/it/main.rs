//! The queue against a real RabbitMQ, by way of a proxy that does what networks do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the lint knows tests, but not their helpers")]

mod delivery;
mod faults;
mod harness;
mod news;
mod refusals;
mod relay;
