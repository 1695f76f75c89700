//! The folders that a process works in: whether they take files, and how much room their disks have.
//!
//! A disk over the network may never answer. It is asked by one thread at a time: askers who gave up leave it to those
//! who come after them, so that a disk which hangs takes one thread and not another one each second.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use microblog_telemetry::health::{CheckResult, Finding, HealthStatus, UNHEALTHY_FROM, judge};
use rustix::fs::{Access, access, statvfs};
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::metrics;

/// With less of a disk free than this it is degraded.
const LOW_SPACE: f64 = 0.10;
/// With less of a disk free than this, or less than [`LEAST_BYTES`], it is unhealthy.
const LEAST_SPACE: f64 = 0.01;
/// Enough for the database to finish what it does.
const LEAST_BYTES: u64 = 64 * 1024 * 1024;

/// Some folders, each with the name that metrics and probes know it by.
#[derive(Debug)]
pub struct Volumes(Vec<Volume>);

#[derive(Debug)]
struct Volume {
    name: &'static str,
    folder: PathBuf,
    looking: Mutex<Option<JoinHandle<Look>>>,
}

/// What a thread found that looked at a volume.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    takes_files: bool,
    space: Option<Space>,
}

/// The room of a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Space {
    free: u64,
    total: u64,
}

impl Space {
    #[expect(clippy::cast_precision_loss, reason = "a share of a disk needs no more than 52 bits")]
    fn share_free(self) -> f64 {
        self.free as f64 / self.total.max(1) as f64
    }
}

/// What was found out about all volumes.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// Whether each is there and takes files.
    pub filesystem: CheckResult,
    /// How much room is left where that is worst.
    pub disk: CheckResult,
}

impl Volumes {
    /// These folders.
    pub fn new(folders: impl IntoIterator<Item = (&'static str, PathBuf)>) -> Self {
        let volume = |(name, folder)| Volume { name, folder, looking: Mutex::default() };
        Self(folders.into_iter().map(volume).collect())
    }

    /// Looks at all of them, and tells the metrics how much room they have.
    pub async fn examine(&self) -> Examined {
        let started = Instant::now();
        let look = async |volume: &Volume| (volume.name, volume.look(UNHEALTHY_FROM).await);
        let looks = join_all(self.0.iter().map(look)).await;
        for (name, look) in &looks {
            if let Some(space) = look.and_then(|look| look.space) {
                metrics::space(name, space.free, space.total);
            }
        }
        let latency = started.elapsed();
        let (filesystem, disk) = (judge(filesystem(&looks), latency), judge(disk(&looks), latency));
        metrics::dependency_up("storage", filesystem.status != HealthStatus::Unhealthy);
        Examined { filesystem, disk }
    }
}

impl Volume {
    /// Nothing if the disk does not answer in time.
    async fn look(&self, patience: Duration) -> Option<Look> {
        let look = async {
            let mut looking = self.looking.lock().await;
            let folder = self.folder.clone();
            let thread = looking.get_or_insert_with(|| spawn_blocking(move || look_at(&folder)));
            let look = thread.await;
            *looking = None;
            look.ok()
        };
        tokio::time::timeout(patience, look).await.ok().flatten()
    }
}

fn look_at(folder: &Path) -> Look {
    let takes_files = access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let space = statvfs(folder)
        .ok()
        .map(|disk| Space { free: disk.f_bavail * disk.f_frsize, total: disk.f_blocks * disk.f_frsize });
    Look { takes_files, space }
}

type Looks = [(&'static str, Option<Look>)];

fn filesystem(looks: &Looks) -> Finding {
    for (name, look) in looks {
        match look {
            None => return Finding::unhealthy(&format!("the disk of the {name} folder does not answer")),
            Some(Look { takes_files: false, .. }) => {
                return Finding::unhealthy(&format!("the {name} folder is missing or can not be written"));
            }
            Some(_) => {}
        }
    }
    Finding::healthy()
}

/// Of the volume that is worst off.
fn disk(looks: &Looks) -> Finding {
    let mut worst: Option<(Finding, f64)> = None;
    for (name, look) in looks {
        let Some(space) = look.and_then(|look| look.space) else {
            return Finding::unhealthy(&format!("the free space of the {name} folder can not be read"));
        };
        let (finding, used) = (judge_space(name, space), 1.0 - space.share_free());
        if worst.as_ref().is_none_or(|(worst, most_used)| (finding.status, used) > (worst.status, *most_used)) {
            worst = Some((finding, used));
        }
    }
    worst.map_or_else(Finding::healthy, |(finding, _)| finding)
}

fn judge_space(name: &str, space: Space) -> Finding {
    let share = space.share_free();
    let finding = if share < LEAST_SPACE || space.free < LEAST_BYTES {
        Finding::unhealthy("the disk is full")
    } else if share < LOW_SPACE {
        Finding::degraded("less than 10 % of the disk is free")
    } else {
        Finding::healthy()
    };
    finding.with("volume", name).with("free_bytes", space.free).with("total_bytes", space.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_has_room_and_a_missing_one_is_unhealthy() {
        let folder = tempfile::tempdir().unwrap();
        let there = Volumes::new([("data", folder.path().to_owned())]).examine().await;
        assert_eq!(there.filesystem.status, HealthStatus::Healthy);
        assert!(there.disk.details["free_bytes"].as_u64() <= there.disk.details["total_bytes"].as_u64());
        let missing = [("data", folder.path().to_owned()), ("build", folder.path().join("missing"))];
        let examined = Volumes::new(missing).examine().await;
        assert_eq!(examined.filesystem.details["reason"], "the build folder is missing or can not be written");
        assert_eq!(examined.disk.details["reason"], "the free space of the build folder can not be read");
    }

    #[test]
    fn the_disk_that_is_worst_off_is_the_one_that_is_told() {
        const GIB: u64 = 1024 * 1024 * 1024;
        let look = |free, total| Some(Look { takes_files: true, space: Some(Space { free, total }) });
        for (free, total, status) in [
            (50 * GIB, 100 * GIB, HealthStatus::Healthy),
            (9 * GIB, 100 * GIB, HealthStatus::Degraded),
            (GIB / 2, 100 * GIB, HealthStatus::Unhealthy),
            (LEAST_BYTES - 1, LEAST_BYTES, HealthStatus::Unhealthy),
        ] {
            let finding = disk(&[("data", look(60 * GIB, 100 * GIB)), ("build", look(free, total))]);
            assert_eq!((finding.status, finding.details["volume"].as_str()), (status, Some("build")), "{free}");
        }
    }

    #[tokio::test]
    async fn a_disk_that_hangs_is_given_up_and_asked_by_one_thread() {
        let volumes = Volumes::new([("build", PathBuf::from("/"))]);
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let hanging = spawn_blocking(move || {
            let _ = held.recv();
            Look { takes_files: true, space: None }
        });
        let thread = hanging.id();
        *volumes.0[0].looking.lock().await = Some(hanging);
        for _ in 0..3 {
            let looks = [("build", volumes.0[0].look(Duration::from_millis(1)).await)];
            assert_eq!(filesystem(&looks).details["reason"], "the disk of the build folder does not answer");
            assert_eq!(volumes.0[0].looking.lock().await.as_ref().map(JoinHandle::id), Some(thread));
        }
        drop(let_go);
    }
}
