//! Probes and metrics.

use axum::http::StatusCode;
use serde_json::Value;

use crate::harness::TestApp;

#[tokio::test]
async fn a_service_with_all_it_needs_is_healthy() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let names = |report: &Value| report["checks"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let report = async |path: &str| client.get(path).await.ok();
    assert_eq!(names(&report("/health/live").await), [""; 0]);
    assert_eq!(names(&report("/health/startup").await), ["database"]);
    assert_eq!(names(&report("/health/ready").await), ["broker", "database", "filesystem"]);
    assert_eq!(names(&report("/health").await), ["broker", "database", "disk", "filesystem", "last_build"]);
}

#[tokio::test]
async fn a_lost_folder_is_unhealthy_but_the_process_lives() {
    let app = TestApp::new().await;
    std::fs::remove_dir_all(app.folder.path().join("build")).unwrap();
    let ready = app.anonymous().get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let report: Value = serde_json::from_slice(&ready.body).unwrap();
    assert_eq!(report["checks"]["filesystem"]["status"], "unhealthy");
    assert!(!ready.text().contains(app.folder.path().to_str().unwrap()), "{}", ready.text());
    app.anonymous().get("/health/live").await.ok();
}

#[tokio::test]
async fn a_lost_database_is_unhealthy_but_the_process_lives() {
    let app = TestApp::new().await;
    let author = app.author().await;
    app.database.store().close().await;
    let ready = app.anonymous().get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    app.anonymous().get("/health/live").await.ok();
    author.get("/api/v1/posts").await.problem("unavailable");
}

#[tokio::test]
async fn whoever_meets_a_fault_of_ours_is_not_told_to_ask_less_often() {
    let app = TestApp::with(&[("rate_limit.api", "2")]).await;
    let author = app.author().await;
    app.database.store().close().await;
    for _ in 0..4 {
        author.get("/api/v1/posts").await.problem("unavailable");
    }
}

#[tokio::test]
async fn jobs_that_nobody_passes_on_degrade_the_service() {
    let app = TestApp::new().await;
    let author = app.author().await;
    author.post("/api/v1/posts", serde_json::json!({"markdown": "x", "status": "published"})).await.ok();
    app.wait(61);
    let ready = app.anonymous().get("/health/ready").await;
    assert_eq!((ready.status, &ready.ok()["checks"]["broker"]["status"]), (StatusCode::OK, &"degraded".into()));
}

#[tokio::test]
async fn metrics_tell_what_the_database_knows() {
    let app = TestApp::new().await;
    let author = app.author().await;
    author.post("/api/v1/posts", serde_json::json!({"markdown": "x", "status": "published"})).await.ok();
    let metrics = app.anonymous().get("/metrics").await.text();
    for name in [
        "posts{status=\"trashed\"}",
        "posts_published_total",
        "jobs{state=\"dead\"}",
        "outbox_pending",
        "outbox_oldest_age_seconds",
        "db_pool_connections{pool=\"read\",state=\"idle\"}",
        "db_pool_connections_max{pool=\"write\"} 1\n",
        "disk_free_bytes{volume=\"build\"}",
        "disk_total_bytes{volume=\"data\"}",
        "dependency_up{dependency=\"database\"}",
        "dependency_up{dependency=\"broker\"}",
        "dependency_up{dependency=\"storage\"}",
    ] {
        assert!(metrics.contains(&format!("\nmicroblog_{name}")), "{name} in {metrics}");
    }
}

#[tokio::test]
async fn a_crawl_of_unknown_addresses_adds_no_series() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    for number in 0..50 {
        client.get(&format!("/crawl/{number}")).await;
        client.get(&format!("/api/v1/posts/{number}")).await;
    }
    let metrics = client.get("/metrics").await.text();
    assert!(metrics.contains("route=\"unmatched\"") && metrics.contains("route=\"/api/v1/posts/{id}\""), "{metrics}");
    assert!(!metrics.contains("/crawl/"), "{metrics}");
    for name in
        ["http_requests_total", "http_request_duration_seconds_bucket", "http_requests_in_flight", "errors_total"]
    {
        assert!(metrics.contains(&format!("microblog_{name}")), "{name}");
    }
}
