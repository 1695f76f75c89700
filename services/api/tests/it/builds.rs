//! Builds: start, watch, call off.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, StatusCode};
use futures_util::StreamExt as _;
use microblog_domain::{Clock as _, PageCounts, ReleaseId, Role};
use microblog_store::builds::{self, Claim, ClaimedBuild, leases};
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const BUILDS: &str = "/api/v1/builds";

async fn start(client: &Client<'_>) -> String {
    let answer = client.post(BUILDS, json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    answer.ok()["id"].as_str().unwrap().to_owned()
}

async fn claim(app: &TestApp) -> ClaimedBuild {
    let mut tx = app.database.store().begin().await.unwrap();
    let claim = Claim { worker: "test".to_owned(), lease_for: Duration::from_secs(60) };
    let claimed = builds::claim(&mut tx, &claim, app.clock.now()).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn succeed(app: &TestApp, claimed: &ClaimedBuild) {
    let pages = PageCounts { rendered: 1, reused: 2, total: 3 };
    let mut tx = app.database.store().begin().await.unwrap();
    leases::succeed(&mut tx, &claimed.lease, Some(ReleaseId(1)), pages, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn asking_twice_joins_the_build_that_waits() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    let first = start(&editor).await;
    let joined = editor.post(BUILDS, json!({"mode": "full"})).await.ok();
    assert_eq!((&joined["id"], &joined["mode"]), (&json!(first), &json!("full")));
    assert_eq!(editor.post(BUILDS, json!({"mode": "half", "force": 1})).await.wrong_fields(), ["mode", "force"]);
}

#[tokio::test]
async fn a_build_tells_its_state_from_waiting_to_its_end() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    let path = format!("{BUILDS}/{}", start(&editor).await);
    assert_eq!(editor.get(&path).await.ok()["position"], 1);
    let claimed = claim(&app).await;
    assert_eq!(editor.get(&path).await.ok()["state"], "running");
    succeed(&app, &claimed).await;
    let build = editor.get(&path).await.ok();
    insta::assert_json_snapshot!(build, {".id" => "[id]"}, @r#"
    {
      "id": "[id]",
      "state": "succeeded",
      "mode": "incremental",
      "attempt": 1,
      "requested_at": "2026-01-01T00:00:00Z",
      "started_at": "2026-01-01T00:00:00Z",
      "finished_at": "2026-01-01T00:00:00Z",
      "release_id": 1,
      "pages": {
        "rendered": 1,
        "reused": 2,
        "total": 3
      }
    }
    "#);
    editor.ask(Method::POST, &format!("{path}/cancel"), Body::empty()).await.problem("conflict");
}

#[tokio::test]
async fn a_waiting_build_can_be_called_off() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    let path = format!("{BUILDS}/{}", start(&editor).await);
    let build = editor.ask(Method::POST, &format!("{path}/cancel"), Body::empty()).await.ok();
    assert_eq!(build["state"], "cancelled");
    let unknown = format!("{BUILDS}/0190c1d2-7a3b-7c4d-8e5f-0123456789ab");
    editor.get(&unknown).await.problem("not_found");
    editor.get(&format!("{unknown}/events")).await.problem("not_found");
}

#[tokio::test]
async fn builds_asked_for_by_hand_are_limited() {
    let app = TestApp::with(&[("rate_limit.builds", "2")]).await;
    let editor = app.user("edith", Role::Editor).await;
    start(&editor).await;
    start(&editor).await;
    editor.post(BUILDS, json!({})).await.problem("rate_limited");
    editor.get(BUILDS).await.ok();
}

/// The kinds of the events in a stream, and the id of the last one.
fn events(text: &str) -> (Vec<String>, String) {
    let after = |prefix: &'static str| text.lines().filter_map(move |line| line.strip_prefix(prefix)).map(str::trim);
    for data in after("data:") {
        let body: Value = serde_json::from_str(data).unwrap();
        assert!(body["kind"].is_string() && body["at"].is_string(), "{body}");
    }
    (after("event:").map(str::to_owned).collect(), after("id:").next_back().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_finished_build_keeps_its_log_and_the_stream_ends() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    let path = format!("{BUILDS}/{}/events", start(&editor).await);
    succeed(&app, &claim(&app).await).await;
    let answer = editor.get(&path).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let (kinds, last) = events(&answer.text());
    assert_eq!((kinds.first().unwrap().as_str(), kinds.last().unwrap().as_str()), ("queued", "succeeded"));
    let (nothing, _) = events(&editor.with("last-event-id", &last).get(&path).await.text());
    assert_eq!(nothing, [""; 0]);
    let (rest, _) = events(&editor.with("last-event-id", "1").get(&path).await.text());
    assert_eq!(rest, kinds[1..]);
    assert_eq!(editor.with("last-event-id", "x").get(&path).await.wrong_fields(), ["Last-Event-ID"]);
}

#[tokio::test]
async fn who_watches_hears_of_what_happens() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    let path = format!("{BUILDS}/{}/events", start(&editor).await);
    let response = app.send(editor.request(Method::GET, &path, Body::empty())).await;
    let mut stream = response.into_body().into_data_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("event: queued"));
    let claimed = claim(&app).await;
    succeed(&app, &claimed).await;
    app.state.events.announce(claimed.build.id);
    let rest = to_bytes(Body::from_stream(stream), usize::MAX).await.unwrap();
    let (kinds, _) = events(&String::from_utf8_lossy(&rest));
    assert_eq!(kinds.last().map(String::as_str), Some("succeeded"), "{kinds:?}");
}
