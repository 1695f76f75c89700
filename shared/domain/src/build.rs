//! Builds: one row for the job and for what became of it.

use serde::{Deserialize, Serialize};

use crate::post::text_enum;

/// Where a build is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildState {
    /// Queued, or waiting to be tried again.
    Waiting,
    /// A worker holds its lease.
    Running,
    /// Its release was activated (or waits behind a pin).
    Succeeded,
    /// Given up; the old release stays.
    Failed,
    /// Stopped by a person.
    Cancelled,
    /// A later build took its work over.
    Superseded,
}

text_enum!(
    BuildState {
        Waiting = "waiting",
        Running = "running",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
        Superseded = "superseded",
    },
    "build state"
);

impl BuildState {
    /// Whether nothing will happen to it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// How much a build looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildMode {
    /// Renders every page anew.
    Full,
    /// Renders the pages whose inputs changed and keeps the others.
    Incremental,
}

text_enum!(BuildMode { Full = "full", Incremental = "incremental" }, "build mode");

/// How many pages a build rendered and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageCounts {
    /// Rendered in this build.
    pub rendered: u64,
    /// Taken over from the release before.
    pub reused: u64,
    /// In the release.
    pub total: u64,
}
