//! What people come for: start, write, publish, read, change one's mind.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::installation::{Installation, PASSWORD, Running, path_of};

/// The steps of a build, as its watchers hear of them.
fn watch(running: &Running, build: &str) -> Vec<String> {
    let request = ureq::get(format!("{}/api/v1/builds/{build}/events", running.client.api))
        .header("authorization", format!("Bearer {}", running.client.token));
    let lines = BufReader::new(request.call().unwrap().into_body().into_reader()).lines();
    lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("event: ").map(str::to_owned)).collect()
}

fn newest_build(running: &Running) -> String {
    let builds = running.client.ok("GET", "/api/v1/builds?limit=1", None);
    builds["items"][0]["id"].as_str().unwrap().to_owned()
}

fn newest_release(running: &Running) -> u64 {
    running.client.ok("GET", "/api/v1/releases?limit=1", None)["items"][0]["id"].as_u64().unwrap()
}

#[test]
fn an_author_writes_publishes_watches_reads_and_rolls_back() {
    let installation = Installation::new();
    let running = installation.start();
    running.wait_for("/", |status, _| status == 200);

    let post = running.client.publish("My first post", "The *old* text.");
    let path = path_of(&post);
    running.wait_for(&path, |_, text| text.contains("The <em>old</em> text."));
    let steps = watch(&running, &newest_build(&running));
    for step in ["queued", "started", "activated", "succeeded"] {
        assert!(steps.iter().any(|told| told == step), "{step} is not among {steps:?}");
    }
    let old_release = newest_release(&running);

    let address = format!("/api/v1/posts/{}", post["id"].as_str().unwrap());
    let stale = Some("\"1\"");
    let edit = |text: &str| json!({"title": "My first post", "markdown": text});
    let (status, edited) = running.client.send("PUT", &address, stale, Some(&edit("The *new* text."))).unwrap();
    assert_eq!(status, 200, "{edited}");
    running.wait_for(&path, |_, text| text.contains("The <em>new</em> text."));
    let (status, refused) = running.client.send("PUT", &address, stale, Some(&edit("From an old tab."))).unwrap();
    assert_eq!((status, &refused["status"]), (412, &json!(412)), "{refused}");

    running.client.ok("POST", &format!("/api/v1/releases/{old_release}/activate"), None);
    running.wait_for(&path, |_, text| text.contains("The <em>old</em> text."));
    running.client.ok("PUT", &address, Some(&edit("The *newest* text.")));
    let held = watch(&running, &newest_build(&running));
    assert!(held.contains(&"succeeded".to_owned()) && !held.contains(&"activated".to_owned()), "{held:?}");
    assert!(running.read(&path).1.contains("The <em>old</em> text."));

    running.client.ok("DELETE", "/api/v1/releases/pin", None);
    running.wait_for(&path, |_, text| text.contains("The <em>newest</em> text."));
    running.client.ok("POST", &format!("{address}/unpublish"), None);
    running.wait_for(&path, |status, _| status == 404);
    assert!(running.stop(), "it did not end well");
}

#[test]
fn what_was_published_is_served_by_the_next_start_and_a_stop_finishes_what_is_under_way() {
    let installation = Installation::new();
    let running = installation.start();
    let post = running.client.publish("Hello", "Before the stop.");
    assert!(running.stop());
    let running = installation.start();
    running.wait_for(&path_of(&post), |_, text| text.contains("Before the stop."));
}

#[test]
fn a_scheduled_post_goes_live_at_its_time_and_not_before() {
    let installation = Installation::new();
    let running = installation.start();
    let in_two_seconds = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let post = json!({
        "title": "Later", "slug": "later", "permalink": "/later/", "markdown": "Not yet.",
        "status": "scheduled", "published_at": in_two_seconds.to_string(),
    });
    let post = running.client.ok("POST", "/api/v1/posts", Some(&post));
    assert_eq!(post["status"], "scheduled");
    assert_eq!(running.read("/later/").0, 404);
    running.wait_for("/later/", |status, _| {
        assert!(status == 404 || jiff::Timestamp::now() >= in_two_seconds, "it was live before its time");
        status == 200
    });
}

#[test]
fn answers_of_the_site_are_made_for_caches_and_feed_readers() {
    let installation = Installation::new();
    let running = installation.start();
    running.wait_for("/", |status, _| status == 200);
    let head = |path: &str| {
        let answer = ureq::get(format!("{}{path}", running.site))
            .config()
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .call()
            .unwrap();
        let header =
            |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), header("content-type"), header("cache-control"), header("location"))
    };
    assert_eq!(head("/feed.xml").1, "application/atom+xml; charset=utf-8");
    assert_eq!(head("/rss.xml").1, "application/rss+xml; charset=utf-8");
    assert_eq!(head("/feed.json").1, "application/feed+json; charset=utf-8");
    assert_eq!(head("/").2, "no-cache");
    assert_eq!((head("/tags").0, head("/tags").3), (308, "/tags/".to_owned()));
    assert_eq!(head("/no/such/page").0, 404);
    let (status, missing) = running.read("/no/such/page/");
    assert_eq!(status, 404);
    assert!(missing.contains("<html"));
    for hostile in ["/../log", "/%2e%2e/log", "/..%2flog", "/%00", "/assets/../../log"] {
        assert_eq!(running.read(hostile).0, 404, "{hostile}");
    }
    let home = running.read("/").1;
    let style = home.split("href=\"").find(|rest| rest.starts_with("/assets/style.")).unwrap();
    assert!(head(style.split('"').next().unwrap()).2.contains("immutable"));
}

#[test]
fn every_line_of_the_log_is_json_and_none_holds_the_secrets() {
    let installation = Installation::new();
    let running = installation.start();
    running.client.publish("Hello", "A text that nobody needs in a log.");
    let password = json!({"name": "owner", "password": PASSWORD});
    running.client.ok("POST", "/api/v1/session", Some(&password));
    let token = running.client.token.clone();
    assert!(running.stop());
    let log = std::fs::read_to_string(installation.log()).unwrap();
    for line in log.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("  ")) {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for field in ["timestamp", "level", "target", "message", "service"] {
            assert!(parsed[field].is_string(), "{field} is missing: {line}");
        }
    }
    for secret in [token.as_str(), PASSWORD, "A text that nobody needs"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
