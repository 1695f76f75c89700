//! Set-up, log-in, log-out, cookies and CSRF tokens.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use microblog_api::offer_setup;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const PASSWORD: &str = "correct horse";

/// Makes the owner by the set-up link, and gives the browser that did it.
async fn set_up(app: &TestApp) -> (Client<'_>, Value) {
    let secret = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let body = json!({"token": secret.reveal(), "name": "olga", "password": PASSWORD});
    let answer = app.anonymous().post("/api/v1/setup", body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    (app.anonymous().with("cookie", &answer.cookie()), answer.ok())
}

async fn log_in(app: &TestApp, name: &str, password: &str) -> crate::harness::Answer {
    app.anonymous().post("/api/v1/session", json!({"name": name, "password": password})).await
}

#[tokio::test]
async fn the_set_up_link_makes_the_owner_once() {
    let app = TestApp::new().await;
    let first = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let (browser, session) = set_up(&app).await;
    assert_eq!((&session["name"], &session["role"]), (&json!("olga"), &json!("owner")));
    browser.get("/api/v1/users").await.ok();
    let again = json!({"token": first.reveal(), "name": "eve", "password": PASSWORD});
    app.anonymous().post("/api/v1/setup", again).await.problem("conflict");
    assert!(offer_setup(&app.state.store, &app.state.auth).await.unwrap().is_none());
}

#[tokio::test]
async fn set_up_wants_the_right_link_and_a_good_password() {
    let app = TestApp::new().await;
    let secret = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let send = async |body| app.anonymous().post("/api/v1/setup", body).await;
    send(json!({"token": "guessed", "name": "eve", "password": PASSWORD})).await.problem("conflict");
    let short = send(json!({"token": secret.reveal(), "name": "olga", "password": "short"})).await;
    assert_eq!(short.wrong_fields(), ["password"]);
    assert_eq!(send(json!({"name": " ", "extra": 1})).await.wrong_fields(), ["token", "name", "password", "extra"]);
    send(json!({"token": secret.reveal(), "name": "olga", "password": PASSWORD})).await.ok();
}

#[tokio::test]
async fn who_logs_in_gets_a_cookie_and_a_token_for_changes() {
    let app = TestApp::new().await;
    set_up(&app).await;
    let answer = log_in(&app, "OLGA", PASSWORD).await;
    let (session, cookie) = (answer.ok(), answer.header("set-cookie"));
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    let browser = app.anonymous().with("cookie", &answer.cookie());
    assert_eq!(browser.get("/api/v1/session").await.ok()["name"], "olga");
    let note = json!({"markdown": "hello"});
    browser.post("/api/v1/posts", note.clone()).await.problem("csrf_rejected");
    browser.with("x-csrf-token", "wrong").post("/api/v1/posts", note.clone()).await.problem("csrf_rejected");
    let token = session["csrf_token"].as_str().unwrap();
    browser.with("x-csrf-token", token).post("/api/v1/posts", note).await.ok();
}

#[tokio::test]
async fn the_csrf_token_of_one_session_is_worth_nothing_in_another() {
    let app = TestApp::new().await;
    let (_, other) = set_up(&app).await;
    let answer = log_in(&app, "olga", PASSWORD).await;
    let browser = app.anonymous().with("cookie", &answer.cookie());
    let token = other["csrf_token"].as_str().unwrap();
    let answer = browser.with("x-csrf-token", token).post("/api/v1/posts", json!({"markdown": "x"})).await;
    answer.problem("csrf_rejected");
}

#[tokio::test]
async fn a_plain_form_may_carry_the_token_in_a_field() {
    let app = TestApp::with(&[("server.max_body", "2 KiB")]).await;
    let (browser, session) = set_up(&app).await;
    let form = browser.with("content-type", "application/x-www-form-urlencoded");
    let token = session["csrf_token"].as_str().unwrap();
    let build = "/api/v1/builds";
    form.ask(Method::POST, build, Body::from("a=b")).await.problem("csrf_rejected");
    let body = Body::from(format!("a=b&csrf_token={token}"));
    form.ask(Method::POST, build, body).await.problem("unsupported_media_type");
    form.ask(Method::POST, build, Body::from("a".repeat(3_000))).await.problem("too_large");
}

#[tokio::test]
async fn unknown_users_and_wrong_passwords_get_the_same_answer() {
    let app = TestApp::new().await;
    set_up(&app).await;
    let mut answers = Vec::new();
    for (name, password) in [("olga", "wrong horse"), ("nobody", PASSWORD), ("", "")] {
        let mut problem = log_in(&app, name, password).await.problem("wrong_credentials");
        problem["request_id"] = Value::Null;
        answers.push(problem);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn log_ins_can_be_tried_five_times_a_minute() {
    let app = TestApp::new().await;
    for _ in 0..5 {
        log_in(&app, "olga", "guess").await.problem("wrong_credentials");
    }
    let answer = log_in(&app, "olga", "guess").await;
    answer.problem("rate_limited");
    assert_eq!(answer.header("retry-after"), "12");
    app.wait(12);
    log_in(&app, "olga", "guess").await.problem("wrong_credentials");
}

#[tokio::test]
async fn logging_out_ends_the_session_for_good() {
    let app = TestApp::new().await;
    let (browser, session) = set_up(&app).await;
    let answer = browser.with("x-csrf-token", session["csrf_token"].as_str().unwrap()).delete("/api/v1/session").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    browser.get("/api/v1/session").await.problem("unauthenticated");
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_goes_on_when_it_is() {
    let app = TestApp::with(&[("auth.session_lifetime", "2d")]).await;
    let (used, _) = set_up(&app).await;
    let idle = app.anonymous().with("cookie", &log_in(&app, "olga", PASSWORD).await.cookie());
    for _ in 0..3 {
        app.wait(24 * 60 * 60);
        used.get("/api/v1/session").await.ok();
    }
    idle.get("/api/v1/session").await.problem("unauthenticated");
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_all_log_ins() {
    let app = TestApp::new().await;
    let (browser, session) = set_up(&app).await;
    let browser = browser.with("x-csrf-token", session["csrf_token"].as_str().unwrap());
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let path = "/api/v1/session/password";
    assert_eq!(browser.put(path, change("wrong", "battery staple")).await.wrong_fields(), ["current_password"]);
    assert_eq!(browser.put(path, change(PASSWORD, "short")).await.wrong_fields(), ["new_password"]);
    browser.put(path, change(PASSWORD, "battery staple")).await.ok();
    browser.get("/api/v1/session").await.problem("unauthenticated");
    app.wait(60);
    log_in(&app, "olga", PASSWORD).await.problem("wrong_credentials");
    log_in(&app, "olga", "battery staple").await.ok();
}

#[tokio::test]
async fn behind_an_encrypting_proxy_the_cookie_stays_encrypted() {
    let app = TestApp::with(&[("server.trusted_proxies", "203.0.113.0/24")]).await;
    set_up(&app).await;
    let client = app.anonymous().with("x-forwarded-proto", "https").with("x-forwarded-for", "198.51.100.1");
    let answer = client.post("/api/v1/session", json!({"name": "olga", "password": PASSWORD})).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}
