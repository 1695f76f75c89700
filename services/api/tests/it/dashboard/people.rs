//! Users, tokens and settings.

use axum::http::StatusCode;
use microblog_domain::Role;

use super::{Browser, HOSTILE, PASSWORD};
use crate::harness::TestApp;

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split(before).nth(1).unwrap_or_else(|| panic!("{before:?} is not in {text}")).split(after).next().unwrap()
}

#[tokio::test]
async fn owners_add_users_change_them_and_lock_them_out() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let add = |name, password| [("name", name), ("password", password), ("role", "editor")].to_vec();
    let page = browser.send("/dashboard/users", &add(HOSTILE, "short")).await;
    let page = page.says(StatusCode::UNPROCESSABLE_ENTITY, "Must have at least 10 characters.");
    assert!(page.contains("&lt;b&gt;hostile") && !page.contains("short\""));
    browser.send("/dashboard/users", &add("edith", PASSWORD)).await.redirect("/dashboard/users");
    let page = browser.page("/dashboard/users").await;
    assert!(page.contains("edith") && page.contains("The user is added."));
    browser.send("/dashboard/users", &add("EDITH", PASSWORD)).await.says(StatusCode::UNPROCESSABLE_ENTITY, "taken");
    let ids = page.split("action=\"/dashboard/users/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut locked = 0;
    for id in ids {
        let answer = browser.send(&format!("/dashboard/users/{id}"), &[("role", "author"), ("do", "lock_out")]).await;
        match answer.status {
            StatusCode::SEE_OTHER => locked += 1,
            _ => drop(answer.says(StatusCode::CONFLICT, "only owner who can log in")),
        }
    }
    assert_eq!(locked, 1);
    assert!(browser.page("/dashboard/users").await.contains("Locked out"));
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_is_revoked() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let none = browser.send("/dashboard/account/tokens", &[("name", "backup")]).await;
    none.says(StatusCode::UNPROCESSABLE_ENTITY, "scopes-error");
    let wish = [("name", "backup"), ("scopes", "read"), ("scopes", "write"), ("days", "30")];
    let page = browser.send("/dashboard/account/tokens", &wish).await.says(StatusCode::CREATED, "shown this once");
    let token = format!("Bearer {}", between(&page, "<code>", "</code>"));
    let program = app.anonymous().with("authorization", &token);
    program.get("/api/v1/posts").await.ok();
    let page = browser.page("/dashboard/account").await;
    assert!(page.contains("backup") && page.contains("read, write") && page.contains("until 31 Jan 2026"), "{page}");
    assert!(!page.contains("mb_"));
    let id = between(&page, "/dashboard/account/tokens/", "/revoke");
    browser.send(&format!("/dashboard/account/tokens/{id}/revoke"), &[]).await.redirect("/dashboard/account");
    program.get("/api/v1/posts").await.problem("unauthenticated");
}

const SETTINGS: [(&str, &str); 10] = [
    ("title", "Field notes"),
    ("description", "What I saw."),
    ("author", "Olga"),
    ("base_url", "https://example.org"),
    ("language", "en"),
    ("timezone", "Europe/Berlin"),
    ("permalink", "/{slug}/"),
    ("posts_per_page", "7"),
    ("feed_items", "30"),
    ("menu", "About me /about/\r\nCode https://example.org/code"),
];

#[tokio::test]
async fn settings_are_saved_and_wrong_ones_come_back_with_what_was_typed() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    browser.open("/dashboard/settings").await;
    let wrong = [&SETTINGS[1..], &[("title", ""), ("version", "0")]].concat();
    let page = browser.send("/dashboard/settings", &wrong).await.says(StatusCode::UNPROCESSABLE_ENTITY, "title-error");
    assert!(page.contains("About me /about/\nCode https://example.org/code</textarea>"), "{page}");
    let right = [&SETTINGS[..], &[("version", "0")]].concat();
    browser.send("/dashboard/settings", &right).await.redirect("/dashboard/settings");
    let page = browser.page("/dashboard/settings").await;
    assert!(page.contains("Settings saved.") && page.contains("value=\"/{slug}/\"") && !page.contains(" checked"));
    let stored = browser.client().get("/api/v1/settings").await.ok();
    assert_eq!(stored["menu"][0], serde_json::json!({"title": "About me", "url": "/about/"}));
}

#[tokio::test]
async fn settings_that_somebody_else_changed_meanwhile_are_shown_before_they_are_replaced() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    browser.open("/dashboard/settings").await;
    let form = |title: &'static str, version: &'static str| {
        [&SETTINGS[1..], &[("title", title), ("version", version)]].concat()
    };
    browser.send("/dashboard/settings", &form("Theirs", "0")).await.redirect("/dashboard/settings");
    let answer = browser.send("/dashboard/settings", &form("Mine", "0")).await;
    let page = answer.says(StatusCode::PRECONDITION_FAILED, "<dd>Theirs</dd>");
    assert!(page.contains("value=\"Mine\"") && page.contains("name=\"version\" value=\"1\""), "{page}");
    browser.send("/dashboard/settings", &form("Mine", "1")).await.redirect("/dashboard/settings");
    let editor = Browser::of(&app, "edith", Role::Editor).await;
    editor.send("/dashboard/settings", &form("Edited", "2")).await.says(StatusCode::FORBIDDEN, "owner");
}
