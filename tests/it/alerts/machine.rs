//! Disks that fill up.

use std::time::Duration;

use super::site::Site;
use super::traffic::Traffic;
use super::watch::Watch;
use crate::disk::Disk;

/// A third of a [`Disk`].
const A_THIRD: u64 = 32 * 1024 * 1024;
/// A twentieth of one.
const LITTLE: u64 = 5 * 1024 * 1024;

/// The disk of database and releases, then that of the log.
pub(crate) fn fill(watch: &Watch) {
    let logs = Disk::new();
    if !logs.can_be_full() {
        return;
    }
    let site = Site::watched(watch, "disk", vec![format!("log.dir={}", logs.folder("log").display())]);
    take_much(watch, &site);
    leave_little(watch, &site);
    leave_nothing(watch, &site);
    fill_logs(watch, &site, &logs);
}

/// More than half of a disk within the hour: it will be full soon.
fn take_much(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    site.disk.fill_but(A_THIRD);
    incident.is_told("DiskFilling", &[("volume", "build"), ("job", "builder")]);
    site.disk.make_room();
    incident.ends_with(&["DiskFilling"]);
}

fn leave_little(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    site.disk.fill_but(LITTLE);
    incident.is_told("DiskLow", &[("severity", "warning"), ("volume", "build"), ("job", "builder")]);
    incident.is_told("DiskLow", &[("severity", "warning"), ("volume", "data"), ("job", "api")]);
    site.disk.make_room();
    incident.may_tell("DiskFilling").ends_with(&["DiskLow"]);
}

fn leave_nothing(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    site.disk.fill();
    incident.is_told("DiskLow", &[("severity", "critical"), ("volume", "build"), ("job", "builder")]);
    site.disk.make_room();
    incident.may_tell("DiskFilling").ends_with(&["DiskLow"]);
}

fn fill_logs(watch: &Watch, site: &Site, logs: &Disk) {
    let incident = watch.incident(site.namespace);
    logs.fill();
    // Each has a line in the log.
    let authors = Traffic::of_authors(1, Duration::from_millis(200), site.client());
    incident.is_told("LogLinesDropped", &[("job", "api")]);
    drop(authors);
    logs.make_room();
    incident.ends_with(&["LogLinesDropped"]);
}
