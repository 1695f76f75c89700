//! The settings of the site.

use serde_json::{Value, json};

use crate::harness::TestApp;

const SETTINGS: &str = "/api/v1/settings";

#[tokio::test]
async fn settings_are_changed_from_the_version_that_was_read() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let read = owner.get(SETTINGS).await;
    let mut settings = read.ok();
    settings["title"] = json!("Tea");
    owner.put(SETTINGS, settings.clone()).await.problem("version_required");
    let saved = owner.with("if-match", &read.header("etag")).put(SETTINGS, settings.clone()).await;
    assert_eq!((saved.ok()["title"].clone(), saved.header("etag")), (json!("Tea"), "\"1\"".to_owned()));
    owner.with("if-match", &read.header("etag")).put(SETTINGS, settings).await.problem("stale");
    assert_eq!(owner.get("/api/v1/builds").await.ok()["items"][0]["mode"], "full");
}

#[tokio::test]
async fn wrong_settings_are_all_named_and_nothing_is_saved() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let body = json!({
        "title": "", "base_url": "example.org", "timezone": "Mars/Olympus", "posts_per_page": 0, "permalink": "/x/",
        "menu": [{"title": "Home", "url": "/", "icon": "x"}], "colour": "red",
    });
    let wrong = owner.with("if-match", "*").put(SETTINGS, body).await.wrong_fields();
    let expected = ["base_url", "timezone", "permalink", "menu[0].icon", "title", "posts_per_page", "colour"];
    assert_eq!(wrong, expected);
    assert_eq!(owner.get(SETTINGS).await.ok()["title"], "My site");
}

#[tokio::test]
async fn only_owners_change_settings() {
    let app = TestApp::new().await;
    let author = app.author().await;
    author.get(SETTINGS).await.ok();
    author.with("if-match", "*").put(SETTINGS, Value::Object(serde_json::Map::new())).await.problem("forbidden");
}

#[tokio::test]
async fn until_an_owner_saves_settings_the_site_is_as_it_was_started() {
    let app = TestApp::with(&[("site.title", "Tea"), ("site.base_url", "https://tea.example")]).await;
    let owner = app.owner().await;
    let read = owner.get(SETTINGS).await;
    assert_eq!((read.ok()["title"].clone(), read.header("etag")), (json!("Tea"), "\"0\"".to_owned()));
    let post = owner.post("/api/v1/posts", json!({"title": "Hi", "markdown": "x", "status": "published"})).await.ok();
    assert_eq!(post["url"], "https://tea.example/2026/01/hi/");
    owner.with("if-match", "\"0\"").put(SETTINGS, json!({"title": "Coffee"})).await.ok();
    assert_eq!(owner.get(SETTINGS).await.ok()["title"], "Coffee");
}
