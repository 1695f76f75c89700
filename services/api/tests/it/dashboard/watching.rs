//! Alerts and errors.

use axum::http::StatusCode;
use microblog_domain::Role;
use serde_json::json;

use super::{Browser, HOSTILE};
use crate::alerts::{WEBHOOK, alert, alertmanager, app, notification};
use crate::errors::{fail, store_errors};
use crate::harness::TestApp;

const NOW: &str = "2026-01-01T00:00:00Z";

#[tokio::test]
async fn owners_are_told_on_every_page_while_something_fires_and_others_are_not() {
    let app = app().await;
    let owner = Browser::of_owner(&app).await;
    let editor = Browser::of(&app, "edith", Role::Editor).await;
    let watchdog = alert("Watchdog", "none", NOW);
    alertmanager(&app).post(WEBHOOK, notification(&[watchdog])).await.ok();
    assert!(!owner.page("/dashboard/posts").await.contains("class=\"alarm"));
    let quiet = owner.page("/dashboard/alerts").await;
    assert!(quiet.contains("Nothing fires") && quiet.contains("Both are alive"), "{quiet}");

    let told = [alert("ServiceDown", "critical", NOW), alert("DiskLow", "warning", NOW)];
    alertmanager(&app).post(WEBHOOK, notification(&told)).await.ok();
    let posts = owner.page("/dashboard/posts").await;
    assert!(
        posts.contains("class=\"alarm critical\"") && posts.contains("2 alerts fire: ServiceDown, DiskLow."),
        "{posts}"
    );
    assert!(!editor.page("/dashboard/posts").await.contains("class=\"alarm"));
    assert_eq!(editor.open("/dashboard/alerts").await.status, StatusCode::FORBIDDEN);

    let over = told.map(|mut alert| {
        alert["status"] = json!("resolved");
        alert["endsAt"] = json!("2026-01-01T01:30:00Z");
        alert
    });
    alertmanager(&app).post(WEBHOOK, notification(&over)).await.ok();
    let page = owner.page("/dashboard/alerts").await;
    assert!(!page.contains("class=\"alarm") && page.contains("Nothing fires") && page.contains("1 h 30 min"), "{page}");
}

#[tokio::test]
async fn the_silence_of_the_watchdog_is_told() {
    let closed = TestApp::new().await;
    let owner = Browser::of_owner(&closed).await;
    assert!(owner.page("/dashboard/alerts").await.contains("Set <code>alerts.webhook_secret</code>"));
    let app = app().await;
    let owner = Browser::of_owner(&app).await;
    assert!(owner.page("/dashboard/alerts").await.contains("No Watchdog has been heard yet"));
    alertmanager(&app).post(WEBHOOK, notification(&[alert("Watchdog", "none", NOW)])).await.ok();
    app.wait(300);
    assert!(owner.page("/dashboard/alerts").await.contains("Both are alive"));
    app.wait(1);
    assert!(owner.page("/dashboard/alerts").await.contains("Nobody would tell."));
}

#[tokio::test]
async fn hostile_alerts_become_neither_markup_nor_scripts() {
    let app = app().await;
    let owner = Browser::of_owner(&app).await;
    let mut hostile = alert(HOSTILE, "critical", NOW);
    hostile["labels"][HOSTILE] = json!(HOSTILE);
    hostile["annotations"] = json!({"summary": HOSTILE, "description": HOSTILE, "runbook_url": "javascript:alert(1)"});
    alertmanager(&app).post(WEBHOOK, notification(&[hostile])).await.ok();
    for path in ["/dashboard/alerts", "/dashboard/posts"] {
        let page = owner.page(path).await;
        assert!(page.contains("&lt;b&gt;hostile") && !page.contains("<b>hostile"), "{page}");
        assert!(!page.contains("javascript:") && !page.contains("<script>alert"), "{page}");
    }
}

#[tokio::test]
async fn an_owner_takes_note_of_an_error_and_sees_it_again_when_it_happens_again() {
    let app = TestApp::new().await;
    let owner = Browser::of_owner(&app).await;
    let program = app.user("otto", Role::Owner).await.with("x-request-id", "quoted-1");
    fail(&app, &program).await;
    store_errors(&app).await;
    let page = owner.page("/dashboard/errors").await;
    assert!(page.contains("POST /api/v1/media") && page.contains("quoted-1") && page.contains("1 time"), "{page}");
    let action = page.split("action=\"/dashboard/errors/").nth(1).unwrap().split('"').next().unwrap();
    let action = format!("/dashboard/errors/{action}");
    app.wait(1);
    owner.send(&action, &[]).await.redirect("/dashboard/errors");
    assert!(owner.page("/dashboard/errors").await.contains("Nothing is open"));
    assert!(owner.page("/dashboard/errors?state=acknowledged").await.contains("noted by olga"));
    app.wait(1);
    fail(&app, &program).await;
    store_errors(&app).await;
    assert!(owner.page("/dashboard/errors").await.contains("2 times"));
    let trail = microblog_store::audit::list(&mut app.state.store.read().await.unwrap(), None, 10).await.unwrap();
    assert!(trail.iter().any(|entry| entry.action == "error.acknowledge"), "{trail:?}");
}
