//! Users, as owners manage them.

use serde_json::json;

use crate::harness::TestApp;

const USERS: &str = "/api/v1/users";
const PASSWORD: &str = "correct horse";

#[tokio::test]
async fn an_owner_adds_changes_and_locks_out_users() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let made = owner.post(USERS, json!({"name": " Anna ", "password": PASSWORD})).await.ok();
    assert_eq!((&made["name"], &made["role"]), (&json!("Anna"), &json!("author")));
    let log_in = async |password: &str| {
        app.wait(60);
        app.anonymous().post("/api/v1/session", json!({"name": "anna", "password": password})).await
    };
    log_in(PASSWORD).await.ok();
    let path = format!("{USERS}/{}", made["id"].as_str().unwrap());
    let changed = owner.patch(&path, json!({"role": "editor", "password": "battery staple"})).await.ok();
    assert_eq!(changed["role"], "editor");
    log_in(PASSWORD).await.problem("wrong_credentials");
    let browser = app.anonymous().with("cookie", &log_in("battery staple").await.cookie());
    owner.delete(&path).await.ok();
    browser.get("/api/v1/session").await.problem("unauthenticated");
    log_in("battery staple").await.problem("wrong_credentials");
    owner.patch(&path, json!({"disabled": false})).await.ok();
    log_in("battery staple").await.ok();
}

#[tokio::test]
async fn names_are_unique_in_any_case_and_passwords_long_enough() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let wrong = async |body| owner.post(USERS, body).await.wrong_fields();
    assert_eq!(wrong(json!({"name": "OLGA", "password": PASSWORD})).await, ["name"]);
    assert_eq!(wrong(json!({"name": "x", "password": "123456789"})).await, ["password"]);
    assert_eq!(
        wrong(json!({"name": "a\nb", "password": "x".repeat(2_000), "role": "king"})).await,
        ["name", "password", "role"]
    );
    let path = format!("{USERS}/{}", owner.id());
    let too_long = owner.patch(&path, json!({"password": "x".repeat(2_000)})).await;
    assert_eq!(too_long.wrong_fields(), ["password"]);
}

#[tokio::test]
async fn the_last_owner_can_not_be_locked_out() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let path = format!("{USERS}/{}", owner.id());
    owner.delete(&path).await.problem("conflict");
    owner.patch(&path, json!({"role": "author"})).await.problem("conflict");
    owner.get(USERS).await.ok();
    owner.delete(&format!("{USERS}/0190c1d2-7a3b-7c4d-8e5f-0123456789ab")).await.problem("not_found");
}
