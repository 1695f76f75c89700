//! API tokens.

use microblog_domain::{Role, Scope};
use serde_json::json;

use crate::harness::TestApp;

const TOKENS: &str = "/api/v1/tokens";

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::new().await;
    let anna = app.author().await;
    let made = anna.post(TOKENS, json!({"name": "script", "scopes": ["write", "read", "read"]})).await.ok();
    assert_eq!(made["scopes"], json!(["read", "write"]));
    let program = app.anonymous().with("authorization", &format!("Bearer {}", made["token"].as_str().unwrap()));
    program.get("/api/v1/posts").await.ok();
    let listed = anna.get(TOKENS).await.ok();
    let items = listed["items"].as_array().unwrap();
    assert!(items.iter().all(|token| token.get("token").is_none()));
    assert!(items.iter().any(|token| token["id"] == made["id"] && token.get("last_used_at").is_some()));
    anna.delete(&format!("{TOKENS}/{}", made["id"].as_str().unwrap())).await.ok();
    program.get("/api/v1/posts").await.problem("unauthenticated");
}

#[tokio::test]
async fn a_token_expires() {
    let app = TestApp::new().await;
    let anna = app.author().await;
    let body = json!({"name": "short", "scopes": ["read"], "expires_at": "2026-01-01T00:01:00Z"});
    let made = anna.post(TOKENS, body.clone()).await.ok();
    let program = app.anonymous().with("authorization", &format!("Bearer {}", made["token"].as_str().unwrap()));
    program.get("/api/v1/posts").await.ok();
    app.wait(60);
    program.get("/api/v1/posts").await.problem("unauthenticated");
    assert_eq!(anna.post(TOKENS, body).await.wrong_fields(), ["expires_at"]);
}

#[tokio::test]
async fn a_token_can_not_give_more_than_it_has() {
    let app = TestApp::new().await;
    let anna = app.author().await;
    let admin = app.token(anna.id(), &[Scope::Admin]).await;
    admin.post(TOKENS, json!({"name": "x", "scopes": ["admin", "write"]})).await.problem("forbidden");
    admin.post(TOKENS, json!({"name": "x", "scopes": ["admin"]})).await.ok();
    let wrong = anna.post(TOKENS, json!({"name": "", "scopes": [], "user": "olga"})).await;
    assert_eq!(wrong.wrong_fields(), ["name", "scopes", "user"]);
}

#[tokio::test]
async fn only_owners_see_and_revoke_the_tokens_of_others() {
    let app = TestApp::new().await;
    let (anna, otto, owner) = (app.author().await, app.user("otto", Role::Author).await, app.owner().await);
    let made = anna.post(TOKENS, json!({"name": "x", "scopes": ["read"]})).await.ok();
    let path = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let others = otto.get(TOKENS).await.ok();
    assert!(others["items"].as_array().unwrap().iter().all(|token| token["user"] == json!(otto.id())));
    otto.delete(&path).await.problem("not_found");
    owner.delete(&path).await.ok();
}

#[tokio::test]
async fn a_locked_out_user_has_no_working_token() {
    let app = TestApp::new().await;
    let (anna, owner) = (app.author().await, app.owner().await);
    owner.delete(&format!("/api/v1/users/{}", anna.id())).await.ok();
    anna.get("/api/v1/posts").await.problem("unauthenticated");
}

#[tokio::test]
async fn what_is_not_a_bearer_token_is_refused() {
    let app = TestApp::new().await;
    for value in ["Basic b2xnYTpwdw==", "Bearer", "Bearer ", "nonsense", "Bearer mb_unknown"] {
        app.anonymous().with("authorization", value).get("/api/v1/posts").await.problem("unauthenticated");
    }
}
