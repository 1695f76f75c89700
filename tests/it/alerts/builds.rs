//! Builds that fail, and that nobody takes.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::site::Site;
use super::watch::Watch;

/// A theme that can not be read, and another process that keeps the releases to itself.
pub(crate) fn fail(watch: &Watch) {
    let theme = TempDir::with_prefix("microblog-theme-").unwrap();
    let site = Site::watched(watch, "builds", vec![format!("site.theme={}", theme.path().display())]);
    break_theme(watch, &site, &theme);
    hold_releases(watch, &site);
}

fn break_theme(watch: &Watch, site: &Site, theme: &TempDir) {
    let incident = watch.incident(site.namespace);
    let template = theme.path().join("templates/post.html");
    fs::create_dir_all(template.parent().unwrap()).unwrap();
    fs::write(&template, "{% if nobody ends this").unwrap();
    site.publish();
    incident.is_told("BuildFailing", &[]);
    fs::remove_file(template).unwrap();
    site.client().ok("POST", "/api/v1/builds", Some(&json!({})));
    incident.ends_with(&["BuildFailing"]);
}

/// As a builder does that was frozen in the middle of a build.
fn hold_releases(watch: &Watch, site: &Site) {
    let incident = watch.incident(site.namespace);
    let mut holder = Command::new("flock");
    holder.arg(site.disk.folder("build").join("lock")).arg("cat").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut holder = holder.spawn().unwrap();
    site.publish();
    incident.is_told("NoConsumer", &[("severity", "critical")]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    incident.ends_with(&["NoConsumer"]);
}
