//! The release store against a real file system.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that meets an error has failed")]

mod crash;
mod disk;
mod model;
mod opening;
mod power;
mod publishing;
mod readers;
mod siblings;
mod site;
mod waiting;
