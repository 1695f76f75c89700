//! Builds: one row for the job and for what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{BuildId, ReleaseId};
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

/// Something that happened to a build, as its watchers are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BuildStep {
    /// Somebody asked for it.
    Queued {
        /// How much it will look at.
        mode: BuildMode,
    },
    /// Somebody asked again before it began, and so changed when it starts or how much it looks at.
    Joined {
        /// How much it will look at now.
        mode: BuildMode,
    },
    /// A worker took it.
    Started {
        /// Which try this is, from 1.
        attempt: u32,
    },
    /// Pages are being made.
    Rendering {
        /// How many are done.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// The new release is being checked.
    Validating,
    /// Somebody should know this, though it stops nothing.
    Warning {
        /// What was found, where, and what to do.
        message: String,
    },
    /// Readers see the new release.
    Activated {
        /// Its number.
        release: ReleaseId,
    },
    /// The work is done; without a new release if nothing had changed or a pin holds the old one.
    Succeeded,
    /// It went wrong and will be tried again.
    Retrying {
        /// What went wrong.
        error: String,
        /// When it is tried again at the earliest.
        at: Timestamp,
    },
    /// A worker that is being stopped gave it back.
    HandedBack,
    /// Somebody asked for it to stop; its worker has not yet heard.
    Cancelling,
    /// It was given up; readers keep the old release.
    Failed {
        /// What went wrong.
        error: String,
    },
    /// A person stopped it.
    Cancelled,
    /// Another build took its work over.
    Superseded {
        /// Which one.
        by: BuildId,
    },
}

impl BuildStep {
    /// The word for it in the API and the logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Joined { .. } => "joined",
            Self::Started { .. } => "started",
            Self::Rendering { .. } => "rendering",
            Self::Validating => "validating",
            Self::Warning { .. } => "warning",
            Self::Activated { .. } => "activated",
            Self::Succeeded => "succeeded",
            Self::Retrying { .. } => "retrying",
            Self::HandedBack => "handed_back",
            Self::Cancelling => "cancelling",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded { .. } => "superseded",
        }
    }

    /// Whether nothing more will follow.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed { .. } | Self::Cancelled | Self::Superseded { .. })
    }
}
