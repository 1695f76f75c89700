//! How much room a file system has, asked without keeping others waiting: a disk over the network may not answer.

use std::path::Path;

use rustix::fs::statvfs;
use tokio::task::spawn_blocking;

use crate::metrics;

/// The room of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What may still be written.
    pub free: u64,
    /// What fits in all.
    pub total: u64,
}

impl Space {
    /// Of the file system that holds a folder; nothing if it can not be read.
    pub async fn of(folder: &Path) -> Option<Self> {
        let folder = folder.to_owned();
        let disk = spawn_blocking(move || statvfs(&folder)).await.ok()?.ok()?;
        Some(Self { free: disk.f_bavail * disk.f_frsize, total: disk.f_blocks * disk.f_frsize })
    }

    /// Reads it for the metrics, as the room of this volume. Tells whether the volume answers.
    pub async fn measure(volume: &'static str, folder: &Path) -> bool {
        let Some(space) = Self::of(folder).await else { return false };
        metrics::space(volume, space.free, space.total);
        true
    }

    /// The part that is free, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of a disk needs no more than 52 bits")]
    pub fn share_free(self) -> f64 {
        self.free as f64 / self.total.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_has_room_and_a_missing_one_none_that_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let space = Space::of(folder.path()).await.unwrap();
        assert!(space.free <= space.total && (0.0..=1.0).contains(&space.share_free()), "{space:?}");
        assert_eq!(Space::of(&folder.path().join("missing")).await, None);
    }
}
