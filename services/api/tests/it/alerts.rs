//! Alerts: told by Alertmanager, read by owners.

use axum::http::{Method, StatusCode};
use microblog_domain::Role;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const ALERTS: &str = "/api/v1/alerts";
pub(crate) const WEBHOOK: &str = "/api/v1/alerts/webhook";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A service that may be told of alerts.
pub(crate) async fn app() -> TestApp {
    TestApp::with(&[("alerts.webhook_secret", SECRET)]).await
}

/// Alertmanager as its settings should be.
pub(crate) fn alertmanager(app: &TestApp) -> Client<'_> {
    app.anonymous().with("authorization", &format!("Bearer {SECRET}"))
}

/// An alert as Alertmanager tells of it.
pub(crate) fn alert(name: &str, severity: &str, started: &str) -> Value {
    json!({
        "status": "firing",
        "labels": {"alertname": name, "severity": severity, "instance": "blog:8000"},
        "annotations": {"summary": format!("{name} is wrong"), "runbook_url": format!("https://example.org/#{name}")},
        "startsAt": started,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": format!("{name}{severity}"),
    })
}

/// What Alertmanager 0.25 sends around its alerts.
pub(crate) fn notification(alerts: &[Value]) -> Value {
    json!({
        "receiver": "microblog", "status": "firing", "alerts": alerts, "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://alertmanager:9093", "version": "4", "groupKey": "{}:{}",
        "truncatedAlerts": 0,
    })
}

const STARTED: &str = "2026-01-01T00:00:00.123456789Z";

async fn alerts(client: &Client<'_>, query: &str) -> Vec<Value> {
    client.get(&format!("{ALERTS}{query}")).await.ok()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_alert_fires_is_told_again_and_is_over() {
    let app = app().await;
    let owner = app.owner().await;
    let down = alert("ServiceDown", "critical", STARTED);
    for _ in 0..2 {
        let told = alertmanager(&app).post(WEBHOOK, notification(std::slice::from_ref(&down))).await;
        assert_eq!(told.status, StatusCode::NO_CONTENT, "{}", told.text());
        app.wait(60);
    }
    let found = alerts(&owner, "?state=firing").await;
    assert_eq!(
        (found.len(), &found[0]["name"], &found[0]["heard_at"]),
        (1, &json!("ServiceDown"), &json!("2026-01-01T00:01:00Z"))
    );
    assert_eq!((&found[0]["labels"], &found[0]["runbook_url"]), (&down["labels"], &down["annotations"]["runbook_url"]));
    let mut over = down;
    over["status"] = json!("resolved");
    over["endsAt"] = json!("2026-01-01T00:02:00Z");
    alertmanager(&app).post(WEBHOOK, notification(&[over])).await.ok();
    let found = alerts(&owner, "").await;
    assert_eq!(
        (found.len(), &found[0]["state"], &found[0]["ends_at"]),
        (1, &json!("resolved"), &json!("2026-01-01T00:02:00Z"))
    );
    assert!(alerts(&owner, "?state=firing").await.is_empty());
}

#[tokio::test]
async fn an_alert_of_the_last_second_of_the_calendar_keeps_nobody_from_seeing_the_others() {
    let app = app().await;
    let owner = app.owner().await;
    let told = [alert("Late", "critical", "9999-12-30T22:00:00.9Z"), alert("ServiceDown", "critical", STARTED)];
    alertmanager(&app).post(WEBHOOK, notification(&told)).await.ok();
    let names: Vec<_> = alerts(&owner, "").await.iter().map(|alert| alert["name"].clone()).collect();
    assert_eq!(names, ["Late", "ServiceDown"]);
}

#[tokio::test]
async fn only_who_knows_the_secret_tells_of_alerts() {
    let app = app().await;
    let owner = app.owner().await;
    let told = notification(&[alert("ServiceDown", "critical", STARTED)]);
    let wrong = |value: &str| app.anonymous().with("authorization", value);
    let basic = format!("Basic {SECRET}");
    let almost = format!("Bearer {}", &SECRET[1..]);
    for client in [app.anonymous(), wrong("Bearer "), wrong(&almost), wrong(&basic), owner.clone()] {
        client.post(WEBHOOK, told.clone()).await.problem("unauthenticated");
    }
    let closed = TestApp::new().await;
    alertmanager(&closed).post(WEBHOOK, told).await.problem("unauthenticated");
    assert!(alerts(&owner, "").await.is_empty());
    for _ in 0..200 {
        alertmanager(&app).post(WEBHOOK, notification(&[])).await.ok();
    }
    let mut guesses = 0;
    while wrong("Bearer guess").post(WEBHOOK, json!({})).await.status == StatusCode::UNAUTHORIZED {
        guesses += 1;
        assert!(guesses < 200, "guessing has no limit");
    }
}

#[tokio::test]
async fn what_is_no_notification_is_refused_with_what_is_wrong_about_it() {
    let app = app().await;
    let send = async |body: Value| alertmanager(&app).post(WEBHOOK, body).await;
    assert_eq!(send(json!({})).await.wrong_fields(), ["version", "alerts"]);
    assert_eq!(send(json!({"version": "3", "alerts": []})).await.wrong_fields(), ["version"]);
    for (wrong, field) in [
        (json!({"status": "loud"}), "alerts[0].status"),
        (json!({"startsAt": "soon"}), "alerts[0].startsAt"),
        (json!({"labels": {"alertname": 7}}), "alerts[0].labels.alertname"),
        (json!({"labels": {"alertname": "x".repeat(501)}}), "alerts[0].labels"),
        (json!({"labels": {"alertname": "\u{0}"}}), "alerts[0].labels"),
        (json!({"fingerprint": ""}), "alerts[0].fingerprint"),
    ] {
        let mut one = alert("ServiceDown", "critical", STARTED);
        one.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(send(notification(&[one])).await.wrong_fields(), [field]);
    }
    assert_eq!(send(notification(&[json!({})])).await.wrong_fields(), ["alerts[0]"]);
    assert_eq!(send(json!([])).await.problem("invalid_body")["status"], 400);
    let client = alertmanager(&app).with("content-type", "application/json");
    client.ask(Method::POST, WEBHOOK, "{".into()).await.problem("invalid_body");
    for bytes in [1024 * 1024 + 1, 10_000_000] {
        client.ask(Method::POST, WEBHOOK, vec![b' '; bytes].into()).await.problem("too_large");
    }
}

#[tokio::test]
async fn alerts_are_for_owners_and_come_in_pages() {
    let app = app().await;
    let owner = app.owner().await;
    let told: Vec<_> =
        (1..=3).map(|day| alert(&format!("A{day}"), "warning", &format!("2026-01-0{day}T00:00:00Z"))).collect();
    alertmanager(&app).post(WEBHOOK, notification(&told)).await.ok();
    let first = owner.get(&format!("{ALERTS}?limit=2")).await.ok();
    let next = first["next_cursor"].as_str().unwrap();
    let second = owner.get(&format!("{ALERTS}?limit=2&cursor={next}")).await.ok();
    let names =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect::<Vec<_>>();
    assert_eq!((names(&first), names(&second)), (vec![json!("A3"), json!("A2")], vec![json!("A1")]));
    assert_eq!(owner.get(&format!("{ALERTS}?state=loud")).await.wrong_fields(), ["state"]);
    app.user("edith", Role::Editor).await.get(ALERTS).await.problem("forbidden");
    app.anonymous().get(ALERTS).await.problem("unauthenticated");
    alertmanager(&app).get(ALERTS).await.problem("unauthenticated");
}

#[tokio::test]
async fn an_address_that_is_no_page_is_no_runbook() {
    let app = app().await;
    let mut hostile = alert("ServiceDown", "critical", STARTED);
    hostile["annotations"]["runbook_url"] = json!("javascript:alert(1)");
    alertmanager(&app).post(WEBHOOK, notification(&[hostile])).await.ok();
    assert_eq!(alerts(&app.owner().await, "").await[0].get("runbook_url"), None);
}
