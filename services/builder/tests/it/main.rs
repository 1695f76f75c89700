//! The worker on a real database and a real release store.

#![allow(clippy::unwrap_used, reason = "a test that can not be set up has failed")]

mod equivalence;
mod images;
mod poison;
mod publishing;
mod recovery;
mod server;
mod tidying;
mod workshop;
