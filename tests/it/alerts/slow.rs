//! A database that answers late, since somebody keeps tables to himself, and folders that are gone.

use std::fs;
use std::time::Duration;

use super::site::Site;
use super::traffic::Traffic;
use super::watch::Watch;
use crate::servers::Servers;

/// One after the other.
pub(crate) fn hold_up(watch: &Watch) {
    let servers = Servers::database();
    let site = Site::watched(watch, "slow", servers.settings());
    hold_up_builds(watch, &site, &servers);
    hold_up_requests(watch, &site, &servers);
    lose_a_folder(watch, &site);
}

fn hold_up_builds(watch: &Watch, site: &Site, servers: &Servers) {
    let incident = watch.incident(site.namespace);
    let locked = servers.lock("media");
    site.publish();
    incident.is_told("BuildStuck", &[]);
    incident.is_told("BuildRetrying", &[]);
    drop(locked);
    incident.ends_with(&["BuildRetrying", "BuildStuck"]);
}

/// Requests wait, and are given up after ten seconds.
fn hold_up_requests(watch: &Watch, site: &Site, servers: &Servers) {
    let incident = watch.incident(site.namespace);
    let locked = servers.lock("tokens");
    let authors = Traffic::of_authors(6, Duration::from_millis(100), site.client());
    incident.is_told("LatencyHigh", &[]);
    incident.is_told("ErrorRatioHigh", &[]);
    incident.is_told("AvailabilityBudgetBurn", &[("speed", "fast")]);
    drop(locked);
    drop(authors);
    // The connections that wait are those by which the API looks whether the database is there.
    let incident = incident.may_tell("DatabasePoolExhausted").may_tell("ReadinessLost");
    incident.ends_with(&["AvailabilityBudgetBurn", "ErrorRatioHigh", "LatencyHigh"]);
}

fn lose_a_folder(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    let (folder, elsewhere) = (site.disk.folder("data"), site.disk.folder("elsewhere"));
    fs::rename(&folder, &elsewhere).unwrap();
    incident.is_told("ReadinessLost", &[("job", "api")]);
    incident.is_told("ReadinessLost", &[("job", "builder")]);
    fs::rename(elsewhere, folder).unwrap();
    incident.ends_with(&["ReadinessLost"]);
}
