//! Strangers at the door, replicas that go, and targets that are forgotten.

use std::time::Duration;

use microblog_testkit::{Target, free_address};

use super::site::Site;
use super::traffic::Traffic;
use super::watch::Watch;
use crate::installation::Client;
use crate::service::{Service, api};

/// One after the other.
pub(crate) fn come_and_go(watch: &Watch) {
    let site = Site::watched(watch, "crowd", Vec::new());
    attack(watch, &site);
    lose_a_replica(watch, &site);
    forget_a_target(watch, &site);
}

fn attack(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    let stranger = Client { token: "found somewhere".to_owned(), ..site.client() };
    let strangers = Traffic::of(2, Duration::from_millis(50), move || {
        drop(stranger.send("GET", "/api/v1/posts", None, None));
    });
    incident.is_told("LoginAttack", &[]);
    drop(strangers);
    incident.ends_with(&["LoginAttack"]);
}

fn lose_a_replica(watch: &Watch, site: &Site) {
    let address = free_address();
    let mut second = api(&site.installation);
    second.args(["--set", &format!("server.listen={address}")]);
    let second = Service::ready(second, &site.installation);
    let target = Target { address, ..site.target("api") };
    watch.add(std::slice::from_ref(&target));

    let incident = watch.incident(site.namespace);
    second.kill();
    incident.is_told("InstanceDown", &[("instance", &address.to_string())]);
    watch.forget(&target);
    incident.ends_with(&["InstanceDown"]);
}

fn forget_a_target(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    watch.forget(&site.target("builder"));
    incident.is_told("TargetMissing", &[("job", "builder")]);
    watch.add(&[site.target("builder")]);
    incident.ends_with(&["TargetMissing"]);
}
