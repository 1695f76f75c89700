//! An hour in which nothing happens but work.

use std::time::{Duration, Instant};

use microblog_testkit::{Places, Way, WebhookAt};
use serde_json::Value;

use super::kills::{NAMESPACE, Servers};
use super::site::Site;
use super::traffic::Traffic;
use super::watch::{SHORTENED, Watch};

/// An hour of the rules. What people do is not compressed: fifteen edits, and two hundred questions.
const HOUR: Duration = Duration::from_secs(60);
const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn while_people_work_and_all_is_well_nobody_hears_anything_but_that_the_watch_is_awake() {
    let servers = Servers::start();
    let mut settings = servers.settings();
    settings.push(format!("alerts.webhook_secret={SECRET}"));
    let site = Site::start(NAMESPACE, settings);
    let webhook = WebhookAt::Api { address: site.api_address, secret: SECRET };
    let watch = Watch::begin(SHORTENED, webhook, |alertmanager| Places {
        api: site.api_address,
        builder: site.builder_address,
        rabbitmq: servers.broker.exporter(),
        alertmanager,
    });
    let began = Instant::now();
    let authors = Traffic::of_authors(1, Duration::from_secs(4), site.client());
    let reader = site.client();
    let readers = Traffic::of(1, Duration::from_millis(300), move || drop(reader.ok("GET", "/api/v1/posts", None)));
    std::thread::sleep(HOUR);
    drop((authors, readers));

    for way in [Way::Pager, Way::Chat, Way::Mail] {
        let arrived = watch.deliveries(way, began);
        assert!(arrived.is_empty(), "{arrived:#?}");
    }
    assert!(!watch.deliveries(Way::DeadMansSwitch, began).is_empty(), "nobody says that the watch is awake");
    let known = site.client().ok("GET", "/api/v1/alerts", None);
    let names: Vec<&Value> = known["items"].as_array().unwrap().iter().map(|alert| &alert["name"]).collect();
    assert_eq!(names, ["Watchdog"], "{known}");
}
