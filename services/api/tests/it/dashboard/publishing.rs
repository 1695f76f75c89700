//! Builds and releases.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, StatusCode};
use microblog_domain::{BuildId, Clock as _, PageCounts, ReleaseId};
use microblog_store::builds::{self, Claim, leases};
use microblog_store::releases::{self, ReleaseRecord};

use super::Browser;
use crate::harness::TestApp;

/// Does the work of the builder: the build that waits makes a release.
async fn build(app: &TestApp, release: u64) {
    let mut tx = app.database.store().begin().await.unwrap();
    let claim = Claim { worker: "test".to_owned(), lease_for: Duration::from_secs(60) };
    let claimed = builds::claim(&mut tx, &claim, app.clock.now()).await.unwrap().unwrap();
    let (id, pages) = (ReleaseId(release), PageCounts { rendered: 1, reused: 2, total: 3 });
    let (build, at) = (Some(claimed.build.id), app.clock.now());
    let record = ReleaseRecord { id, build, activated_at: at, pages: 3, rolled_back_to: None };
    releases::record(&mut tx, &record).await.unwrap();
    leases::succeed(&mut tx, &claimed.lease, Some(id), pages, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    app.state.events.announce(claimed.build.id);
}

/// Publishes a post, and gives the page of its build.
async fn publish(browser: &Browser<'_>, title: &str) -> String {
    let answer = browser.send("/dashboard/posts", &[("title", title), ("do", "publish")]).await;
    let location = answer.header("location");
    let id: BuildId = location.split("?build=").nth(1).unwrap().parse().unwrap();
    format!("/dashboard/builds/{id}")
}

#[tokio::test]
async fn a_build_is_watched_from_the_queue_to_its_end_and_keeps_its_log() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let path = publish(&browser, "One").await;
    let waiting = browser.page(&path).await;
    assert!(waiting.contains("Waiting: it is next.") && waiting.contains(&format!("data-watch=\"{path}/events\"")));
    assert!(waiting.contains("http-equiv=\"refresh\""), "without scripts the page looks for news by itself");
    build(&app, 1).await;
    let done = browser.page(&path).await;
    assert!(done.contains("Live as release 1: 1 of 3 pages were made anew.") && done.contains("Asked for."), "{done}");
    assert!(!done.contains("data-watch") && !done.contains("refresh"));
    assert!(browser.page("/dashboard/builds").await.contains(&path));
}

#[tokio::test]
async fn a_browser_that_reconnects_is_told_the_newest_state_and_the_stream_ends_with_the_build() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let events = format!("{}/events", publish(&browser, "One").await);
    build(&app, 1).await;
    let watch = async |client: crate::harness::Client<'_>| {
        let response = app.send(client.request(Method::GET, &events, Body::empty())).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    };
    let all = watch(browser.client()).await;
    assert!(
        all.contains("event: last") && all.contains("data: <div class=\"build\" data-state=\"succeeded\""),
        "{all}"
    );
    let last = all.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap();
    assert_eq!(watch(browser.client().with("last-event-id", "1")).await.matches("event: last").count(), 1);
    assert_eq!(watch(browser.client().with("last-event-id", last)).await, "");
}

#[tokio::test]
async fn a_build_can_be_asked_for_and_called_off() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let answer = browser.send("/dashboard/builds", &[("full", "yes")]).await;
    let path = answer.header("location");
    assert!(browser.page(&path).await.contains("every page anew"));
    browser.send(&format!("{path}/cancel"), &[]).await.redirect(&path);
    assert!(browser.page(&path).await.contains("Readers keep the release they have."));
    let again = browser.send(&format!("{path}/cancel"), &[]).await;
    again.says(StatusCode::CONFLICT, "The build is already finished.");
}

#[tokio::test]
async fn going_back_pins_the_site_and_every_page_says_so_until_it_goes_on() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    assert!(browser.page("/dashboard/releases").await.contains("No release yet"));
    for (number, title) in [(1, "One"), (2, "Two")] {
        publish(&browser, title).await;
        build(&app, number).await;
    }
    let page = browser.page("/dashboard/releases").await;
    assert!(page.contains("/dashboard/releases/1/activate") && !page.contains("/dashboard/releases/2/activate"));
    let answer = browser.send("/dashboard/releases/1/activate", &[]).await;
    assert!(answer.header("location").starts_with("/dashboard/builds/"), "{}", answer.text());
    assert!(browser.page("/dashboard/posts").await.contains("The site is held at release 1"));
    assert!(browser.page("/dashboard/releases").await.contains("Unpin"));
    browser.send("/dashboard/releases/unpin", &[]).await;
    assert!(!browser.page("/dashboard/posts").await.contains("The site is held"));
    browser.send("/dashboard/releases/9/activate", &[]).await.says(StatusCode::NOT_FOUND, "There is no such release.");
}
