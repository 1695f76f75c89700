//! The worker: takes the build that is due, brings the site up to date, makes the new release live, reports.
//!
//! Owns the way of a job: claim -> load -> plan -> render -> verify -> activate -> settle. Leaves the meaning of pages to
//! `microblog-site`, releases on disk to `microblog-release`, rows to `microblog-store`, and what becomes of a failed
//! job to `microblog-queue`.
//!
//! Beside it works the [`ImageMaker`], which makes smaller variants of uploaded pictures.
//!
//! A post that crashes the renderer, or never lets it end, is found by the module `quarantine` and set aside.
//!
//! A [`Workplace`] is all of that as the settings describe it, for the programs that contain a builder; [`Endpoints`] is
//! what one answers that is a process of its own.
//!
//! Start reading at [`worker`], then [`build_site`], whose main function is the whole of a build.

pub mod build_site;
mod endpoints;
mod failure;
mod identity;
mod images;
mod job;
mod metrics;
mod pulse;
mod quarantine;
mod renewal;
mod vigil;
pub mod worker;
mod workplace;

pub use build_site::{BuildError, Desk, DeskConfig};
pub use endpoints::{Endpoints, Folders};
pub use identity::Identity;
pub use images::ImageMaker;
pub use pulse::Pulse;
pub use quarantine::{ProbeArgs, ProbeCommand, ProbeError, probe};
pub use worker::{Hindrance, Stuck, Worker, WorkerConfig};
pub use workplace::{Workplace, desk_config, installation_id, open_patiently, open_releases};
