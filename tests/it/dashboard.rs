//! The dashboard of the running program, in a real browser and before the judges of pages.

use std::path::PathBuf;

use serde_json::json;

use crate::installation::Installation;
use crate::program::empty_folder;
use crate::web::{Walked, axe, html_checker, walk};

/// Who knows it may tell of alerts.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn an_owner_sets_up_writes_publishes_and_rolls_back_in_a_browser_and_every_page_is_sound() {
    let installation = Installation::untouched_with(vec![format!("alerts.webhook_secret={SECRET}")]);
    let running = installation.start();
    running.wait_for("/", |status, _| status == 200);
    let walked = walk(&running.dashboard, &running.site);
    fire(&running.client.api);
    assert_eq!(axe(&walked.pages, &walked.cookies), [""; 0]);
    let files = saved(&walked);
    assert_eq!(html_checker(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>()), [""; 0]);
}

/// Tells of alerts as Alertmanager does, so that pages have all that they can have.
fn fire(api: &str) {
    let alert = |name: &str, severity: &str, status: &str| {
        json!({
            "status": status, "fingerprint": name, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:05:00Z",
            "labels": {"alertname": name, "severity": severity, "instance": "blog:8000"},
            "annotations": {"summary": "It is down", "description": "Nobody is served", "runbook_url": "https://example.org/"},
        })
    };
    let alerts = [
        alert("Watchdog", "none", "firing"),
        alert("ServiceDown", "critical", "firing"),
        alert("DiskLow", "warning", "firing"),
        alert("LatencyHigh", "warning", "resolved"),
    ];
    let request =
        ureq::post(format!("{api}/api/v1/alerts/webhook")).header("authorization", format!("Bearer {SECRET}"));
    let told = json!({"version": "4", "alerts": alerts}).to_string();
    assert_eq!(request.header("content-type", "application/json").send(told).unwrap().status(), 204);
}

/// The pages as files, each with a name that tells which one it is.
fn saved(walked: &Walked) -> Vec<PathBuf> {
    let folder = empty_folder("dashboard");
    let cookie = &walked.cookies[0];
    let save = |url: &String| {
        let path = url.split("/dashboard/").nth(1).unwrap();
        let file = folder.join(format!("{}.html", path.replace('/', "-")));
        let cookies = format!("{}={}", cookie.name, cookie.value);
        let mut answer = ureq::get(url).header("cookie", cookies).call().unwrap();
        std::fs::write(&file, answer.body_mut().read_to_string().unwrap()).unwrap();
        file
    };
    walked.pages.iter().map(save).collect()
}
