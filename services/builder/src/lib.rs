//! The worker: takes the build that is due, brings the site up to date, makes the new release live, reports.
//!
//! Owns the way of a job: claim -> load -> plan -> render -> verify -> activate -> settle. Leaves the meaning of pages to
//! `microblog-site`, releases on disk to `microblog-release`, rows to `microblog-store`, and what becomes of a failed
//! job to `microblog-queue`.
//!
//! Beside it works the [`ImageMaker`], which makes smaller variants of uploaded pictures.
//!
//! Start reading at [`worker`], then [`build_site`], whose main function is the whole of a build.

pub mod build_site;
mod failure;
mod images;
mod job;
mod metrics;
pub mod worker;

pub use build_site::{BuildError, Desk, DeskConfig};
pub use images::ImageMaker;
pub use worker::{Worker, WorkerConfig};
