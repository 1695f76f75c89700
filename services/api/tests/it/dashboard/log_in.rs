//! Set-up, logging in and out.

use axum::http::StatusCode;
use microblog_api::offer_setup;
use serde_json::Value;

use super::{Browser, HOSTILE, PASSWORD};
use crate::harness::TestApp;

#[tokio::test]
async fn the_owner_is_made_by_a_form_and_welcomed_once() {
    let app = TestApp::new().await;
    let browser = Browser::new(&app);
    assert!(browser.page("/dashboard/login").await.contains("no owner yet"));
    let secret = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let link = format!("/dashboard/setup?token={}", secret.reveal());
    assert!(browser.page(&link).await.contains("Make this site yours"));
    let form = |again| {
        [("token", secret.reveal()), ("name", "olga"), ("password", PASSWORD), ("password_again", again)].to_vec()
    };
    let mistyped = browser.send("/dashboard/setup", &form("correct hors")).await;
    let page = mistyped.says(StatusCode::UNPROCESSABLE_ENTITY, "Is not the same as the first one.");
    assert!(page.contains("value=\"olga\"") && !page.contains(PASSWORD));
    browser.send("/dashboard/setup", &form(PASSWORD)).await.redirect("/dashboard/posts");
    assert!(browser.page("/dashboard/posts").await.contains("Welcome!"));
    assert!(!browser.page("/dashboard/posts").await.contains("Welcome!"));
    assert!(browser.page(&link).await.contains("This link does not work"));
}

#[tokio::test]
async fn a_log_in_leads_back_to_the_page_that_was_asked_for() {
    let app = TestApp::new().await;
    Browser::of_owner(&app).await;
    let browser = Browser::new(&app);
    let page = browser.page("/dashboard/login?next=%2Fdashboard%2Fmedia").await;
    assert!(page.contains("name=\"next\" value=\"/dashboard/media\""));
    let log_in = |next| [("name", "olga"), ("password", PASSWORD), ("next", next)].to_vec();
    browser.send("/dashboard/login", &log_in("/dashboard/media")).await.redirect("/dashboard/media");
    browser.open("/dashboard/login").await;
    browser.send("/dashboard/login", &log_in("https://evil.example/")).await.redirect("/dashboard/posts");
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_form() {
    let app = TestApp::new().await;
    Browser::of_owner(&app).await;
    let browser = Browser::new(&app);
    browser.open("/dashboard/login").await;
    let answer = browser.send("/dashboard/login", &[("name", HOSTILE), ("password", "guess")]).await;
    let page = answer.says(StatusCode::UNAUTHORIZED, "Name or password are wrong");
    assert!(page.contains("&lt;b&gt;hostile") && !page.contains("<b>hostile") && !page.contains("guess"));
    browser.send("/dashboard/login", &[("name", "olga")]).await.says(StatusCode::UNPROCESSABLE_ENTITY, "Is missing.");
}

#[tokio::test]
async fn foreign_pages_can_not_log_anybody_in() {
    let app = TestApp::new().await;
    Browser::of_owner(&app).await;
    let foreign = Browser::new(&app);
    let fields = [("name", "olga"), ("password", PASSWORD)];
    let answer = foreign.send("/dashboard/login", &fields).await;
    let page = answer.says(StatusCode::FORBIDDEN, "Open the page again");
    assert!(!page.contains("olga") && foreign.client().get("/api/v1/session").await.status.is_client_error());
    // The form of one browser is worth nothing in another one.
    let [one, other] = [Browser::new(&app), Browser::new(&app)];
    one.open("/dashboard/login").await;
    other.open("/dashboard/login").await;
    one.token.lock().unwrap().clone_into(&mut other.token.lock().unwrap());
    other.send("/dashboard/login", &fields).await.says(StatusCode::FORBIDDEN, "Open the page again");
}

#[tokio::test]
async fn a_page_whose_log_in_has_ended_gets_a_new_one_in_place() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    browser.forget_cookie("microblog_session");
    let script = browser.client().with("hx-request", "true").with("hx-request-type", "partial");
    let form = browser.keep(script.get("/dashboard/login").await);
    assert!(form.text().starts_with("<form") && !form.text().contains("<html"), "{}", form.text());
    let wrong = browser.send_by_script("/dashboard/login", &[("name", "olga"), ("password", "guess")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text().starts_with("<form"), "{}", wrong.text());
    let right = browser.send_by_script("/dashboard/login", &[("name", "olga"), ("password", PASSWORD)]).await;
    assert_eq!(right.status, StatusCode::NO_CONTENT);
    let told: Value = serde_json::from_str(&right.header("hx-trigger")).unwrap();
    told["session:renewed"]["token"].as_str().unwrap().clone_into(&mut browser.token.lock().unwrap());
    browser.send("/dashboard/posts", &[("title", "Still here")]).await;
    assert!(browser.page("/dashboard/posts").await.contains("Still here"));
}

#[tokio::test]
async fn logging_out_and_a_new_password_end_the_log_in() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let wrong = [("current_password", "guess"), ("new_password", "battery staple")];
    let answer = browser.send("/dashboard/account/password", &wrong).await;
    answer.says(StatusCode::UNPROCESSABLE_ENTITY, "Is not your password.");
    let right = [("current_password", PASSWORD), ("new_password", "battery staple")];
    browser.send("/dashboard/account/password", &right).await.redirect("/dashboard/login");
    assert!(browser.page("/dashboard/login").await.contains("Your password is changed"));
    browser.open("/dashboard/posts").await.redirect("/dashboard/login?next=%2Fdashboard%2Fposts");
    app.wait(60);
    browser.open("/dashboard/login").await;
    browser.send("/dashboard/login", &[("name", "olga"), ("password", "battery staple")]).await;
    browser.open("/dashboard/account").await;
    browser.send("/dashboard/logout", &[]).await.redirect("/dashboard/login");
    assert!(browser.page("/dashboard/login").await.contains("You are logged out."));
    browser.open("/dashboard/posts").await.redirect("/dashboard/login?next=%2Fdashboard%2Fposts");
}

#[tokio::test]
async fn who_guesses_passwords_by_form_has_to_wait_too() {
    let app = TestApp::new().await;
    let browser = Browser::new(&app);
    browser.open("/dashboard/login").await;
    for _ in 0..5 {
        browser.send("/dashboard/login", &[("name", "olga"), ("password", "guess")]).await;
    }
    let answer = browser.send("/dashboard/login", &[("name", "olga"), ("password", "guess")]).await;
    answer.says(StatusCode::TOO_MANY_REQUESTS, "Try again in 12 s.");
}
