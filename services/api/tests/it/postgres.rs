//! The service on a database server, where many requests write at the same moment.

use axum::http::StatusCode;
use microblog_api::{offer_setup, start_tasks};
use microblog_domain::{BuildState, Clock as _, PostStatus, Role, SystemClock};
use microblog_process::Tasks;
use microblog_queue::Queue;
use microblog_store::posts::list::{PostFilter, list};
use microblog_store::{audit, builds};
use microblog_testkit::eventually;
use serde_json::json;

use crate::harness::TestApp;

const POSTS: &str = "/api/v1/posts";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_published_edited_found_and_thrown_away() {
    let app = TestApp::postgres().await;
    let author = app.author().await;
    let body = json!({"title": "Crabs", "markdown": "They walk *sideways*.", "tags": ["Sea"], "status": "published"});
    let created = author.post(POSTS, body).await;
    assert_eq!((created.status, created.header("etag").as_str()), (StatusCode::CREATED, "\"1\""));
    let post = format!("{POSTS}/{}", created.ok()["id"].as_str().unwrap());
    let edit = json!({"title": "Crabs", "slug": "crabs", "markdown": "They run.", "status": "published"});
    author.with("if-match", "\"1\"").put(&post, edit.clone()).await.ok();
    author.with("if-match", "\"1\"").put(&post, edit).await.problem("stale");
    let found =
        async |query: &str| author.get(&format!("{POSTS}?{query}")).await.ok()["items"].as_array().unwrap().len();
    assert_eq!((found("q=run").await, found("q=sideways").await, found("status=published").await), (1, 0, 1));
    author.with("if-match", "*").delete(&post).await.ok();
    assert_eq!(found("q=run").await, 0);
    let build = builds::newest_in(&mut app.state.store.read().await.unwrap(), BuildState::Waiting).await.unwrap();
    assert!(build.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_repeated_at_the_same_moment_are_done_once() {
    let app = TestApp::postgres().await;
    let author = app.author().await;
    for number in 0..10 {
        let once = author.with("idempotency-key", &format!("k-{number}"));
        let ask = || once.post(POSTS, json!({"markdown": "x"}));
        let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
        assert!([&b, &c, &d].iter().all(|answer| answer.ok()["id"] == a.ok()["id"]));
    }
    assert_eq!(author.get(POSTS).await.ok()["items"].as_array().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_set_up_link_makes_one_owner_who_logs_in_and_out() {
    let app = TestApp::postgres().await;
    let secret = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let (app, secret) = (&app, &secret);
    let set_up = |name: &'static str| async move {
        let body = json!({"token": secret.reveal(), "name": name, "password": "correct horse"});
        app.anonymous().post("/api/v1/setup", body).await.status
    };
    let mut answers: [StatusCode; 2] = tokio::join!(set_up("olga"), set_up("eve")).into();
    answers.sort();
    assert_eq!(answers, [StatusCode::CREATED, StatusCode::CONFLICT]);
    let log_in = async |name: &str| {
        app.anonymous().post("/api/v1/session", json!({"name": name, "password": "correct horse"})).await
    };
    let (olga, eve) = (log_in("olga").await, log_in("eve").await);
    let answer = if olga.status.is_success() { olga } else { eve };
    let csrf = answer.ok()["csrf_token"].as_str().unwrap().to_owned();
    let browser = app.anonymous().with("cookie", &answer.cookie()).with("x-csrf-token", &csrf);
    browser.get("/api/v1/users").await.ok();
    browser.delete("/api/v1/session").await.ok();
    browser.get("/api/v1/users").await.problem("unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_services_publish_what_is_scheduled_once() {
    let app = TestApp::postgres().await;
    let author = app.user("anna", Role::Author).await;
    for number in 0..30 {
        let body = json!({"title": format!("Post {number}"), "markdown": "x", "status": "scheduled",
            "published_at": "2026-01-01T01:00:00Z"});
        author.post(POSTS, body).await.ok();
    }
    app.wait(3_601);
    let mut replicas = Tasks::new();
    for _ in 0..2 {
        start_tasks(&mut replicas, &app.state, Queue::Embedded.sender());
    }
    let filter = PostFilter { status: Some(PostStatus::Published), limit: 100, ..PostFilter::default() };
    let published = async || list(&mut app.state.store.read().await.unwrap(), &filter).await.unwrap().posts;
    eventually("all are published", async || published().await.len() == 30).await;
    let audit = audit::list(&mut app.state.store.read().await.unwrap(), None, 200).await.unwrap();
    assert_eq!(audit.iter().filter(|entry| entry.action == "post.publish").count(), 30, "each was published once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_clock_is_ahead_publishes_nothing_before_its_time() {
    let app = TestApp::postgres().await;
    let author = app.author().await;
    let real = SystemClock.now();
    let post = async |minutes: i64, title: &str| {
        let at = real.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        let body = json!({"title": title, "markdown": "x", "status": "scheduled", "published_at": at.to_string()});
        author.post(POSTS, body).await.ok()["id"].as_str().unwrap().to_owned()
    };
    let (early, due) = (post(30, "In half an hour").await, post(-30, "Half an hour ago").await);
    app.clock.set(real.checked_add(jiff::SignedDuration::from_hours(1)).unwrap());
    let status = async |id: &str| author.get(&format!("{POSTS}/{id}")).await.ok()["status"].clone();

    let mut tasks = Tasks::new();
    start_tasks(&mut tasks, &app.state, Queue::Embedded.sender());
    eventually("what is due is published", async || status(&due).await == "published").await;
    assert_eq!(status(&early).await, "scheduled");
    let edit = json!({"title": "In half an hour", "slug": "soon", "markdown": "Better.", "status": "scheduled"});
    author.with("if-match", "*").put(&format!("{POSTS}/{early}"), edit).await.ok();
    assert_eq!(status(&early).await, "scheduled", "saving it publishes it no sooner");
}
