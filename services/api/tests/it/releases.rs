//! Releases: history, going back, going on.

use microblog_domain::{Clock as _, ReleaseId, Role};
use microblog_store::releases::{self, ReleaseRecord};
use serde_json::{Value, json};

use crate::harness::TestApp;

const RELEASES: &str = "/api/v1/releases";

async fn release(app: &TestApp, number: u64) {
    let id = ReleaseId(number);
    let record = ReleaseRecord { id, build: None, activated_at: app.clock.now(), pages: 7, rolled_back_to: None };
    let mut tx = app.database.store().begin().await.unwrap();
    releases::record(&mut tx, &record).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn going_back_pins_the_release_and_asks_for_the_build_that_shows_it() {
    let app = TestApp::new().await;
    for number in 1..=3 {
        release(&app, number).await;
    }
    let editor = app.user("edith", Role::Editor).await;
    let answer = editor.ask(axum::http::Method::POST, &format!("{RELEASES}/2/activate"), "".into()).await.ok();
    assert_eq!(answer["pinned"], 2);
    let build = editor.get(&format!("/api/v1/builds/{}", answer["build_id"].as_str().unwrap())).await.ok();
    assert_eq!(build["state"], "waiting");
    let marks = |list: &Value| {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| (item["id"].clone(), item["live"].clone(), item["pinned"].clone())).collect::<Vec<_>>()
    };
    let yes_no = |id: u64, live: bool, pinned: bool| (json!(id), json!(live), json!(pinned));
    let list = editor.get(RELEASES).await.ok();
    assert_eq!(marks(&list), [yes_no(3, true, false), yes_no(2, false, true), yes_no(1, false, false)]);
    let page = editor.get(&format!("{RELEASES}?limit=1&cursor=3")).await.ok();
    assert_eq!((marks(&page), &page["next_cursor"]), (vec![yes_no(2, false, true)], &json!("2")));
    let unpinned = editor.delete(&format!("{RELEASES}/pin")).await.ok();
    assert_eq!((unpinned.get("pinned"), &unpinned["build_id"]), (None, &answer["build_id"]));
}

#[tokio::test]
async fn going_back_and_on_is_not_counted_with_the_builds_that_people_ask_for() {
    let app = TestApp::with(&[("rate_limit.builds", "1")]).await;
    release(&app, 1).await;
    let editor = app.user("edith", Role::Editor).await;
    editor.post("/api/v1/builds", json!({})).await.ok();
    editor.post("/api/v1/builds", json!({})).await.problem("rate_limited");
    for _ in 0..2 {
        editor.post(&format!("{RELEASES}/1/activate"), json!({})).await.ok();
        editor.delete(&format!("{RELEASES}/pin")).await.ok();
    }
}

#[tokio::test]
async fn only_releases_that_are_there_can_be_shown_again() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    for id in ["7", "x", "-1"] {
        let path = format!("{RELEASES}/{id}/activate");
        editor.ask(axum::http::Method::POST, &path, "".into()).await.problem("not_found");
    }
    assert_eq!(editor.get("/api/v1/builds").await.ok()["items"], json!([]));
}
