//! Immutable releases of a site on disk: written beside the live one, verified, made durable, made live by one rename.
//!
//! Owns the build folder (`layout.rs` says what lies where) and the promises about it: readers are served from exactly
//! one release at any moment; whatever fails or is killed, at any point, changes nothing that they see; any kept
//! release can be made live again without building; the cost of a release follows what changed. Knows nothing of posts,
//! databases or async, and takes no decision about when to build.
//!
//! How: there are three complete trees of hard links. One is live; a new release is applied, as a difference, to the one
//! of the others that lags least and has no readers any more, and then `current` is pointed to it. That rename is the
//! commit: what was interrupted before it is undone by the next process that changes the store. Manifests are a chain of
//! small differences.
//!
//! Start reading at [`ReleaseStore`] and [`Draft`]; then `activate.rs`, which is the heart,
//! `standby.rs` and `repair.rs`.

mod activate;
mod audit;
mod base;
mod chain;
mod codec;
mod compress;
mod crew;
mod delta;
mod disk;
mod draft;
mod entry;
mod error;
#[cfg(feature = "fault-injection")]
pub mod faults;
mod lacking;
mod layout;
mod lease;
mod links;
mod lock;
mod manifest;
mod objects;
mod options;
mod owner;
mod prune;
mod reader;
mod reconcile;
mod release;
mod repair;
mod salvage;
mod sibling;
mod snapshot;
mod standby;
mod store;
mod sweep;
mod tree;
mod verify;
mod view;

pub use activate::Activated;
pub use audit::{Audit, Flaw};
pub use disk::Space;
pub use draft::{Committed, Draft, Page, Put, VerifiedDraft};
pub use entry::Entry;
pub use error::{Error, Recovery, Result};
pub use lease::Lease;
pub use manifest::Manifest;
pub use objects::{Adopt, Damage};
pub use options::Options;
pub use reader::ReleaseReader;
pub use release::{Origin, Release, Totals};
pub use repair::Repaired;
pub use sibling::{compress, sibling_of};
pub use snapshot::Snapshot;
pub use store::{ReleaseStore, Tidied, Timings};
pub use verify::{Checks, Finding, LinkWriter, PageLoss, Severity};
