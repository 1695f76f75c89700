//! Errors that people should know of: gathered from what is answered, listed, and taken note of.

use std::sync::Arc;

use axum::http::StatusCode;
use microblog_domain::{Role, Scope};
use microblog_process::{ErrorKeeper, ErrorReport};
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

const ERRORS: &str = "/api/v1/errors";

/// Stores what was reported, as the process does each second.
pub(crate) async fn store_errors(app: &TestApp) {
    let (reports, store) = (app.state.errors.clone(), app.state.store.clone());
    ErrorKeeper::new(reports, store, Arc::new(app.clock.clone())).store_now().await.unwrap();
}

/// Lets the service fail: the uploads are not where they should be.
pub(crate) async fn fail(app: &TestApp, client: &Client<'_>) -> Answer {
    let media = app.folder.path().join("data/media");
    if media.is_dir() {
        std::fs::remove_dir_all(&media).unwrap();
    }
    std::fs::write(&media, "no folder").unwrap();
    let form = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n";
    let form_type = "multipart/form-data; boundary=x";
    client.with("content-type", form_type).ask(axum::http::Method::POST, "/api/v1/media", form.into()).await
}

async fn errors(client: &Client<'_>, query: &str) -> Vec<Value> {
    client.get(&format!("{ERRORS}{query}")).await.ok()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_the_service_answers_with_a_fault_is_one_error_that_counts() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    assert_eq!(errors(&owner, "").await, [json!(null); 0]);
    for request in ["first", "second"] {
        let failed = fail(&app, &owner.with("x-request-id", request)).await;
        assert!(failed.status.is_server_error(), "{}", failed.text());
    }
    owner.get("/api/v1/posts/none").await.problem("not_found");
    store_errors(&app).await;
    let found = errors(&owner, "").await;
    let told = |name: &str| found[0][name].as_str().unwrap().to_owned();
    assert_eq!((found.len(), &found[0]["count"]), (1, &json!(2)), "mistakes of clients are none of the service");
    assert_eq!(
        (told("place"), told("request_id"), told("state")),
        ("POST /api/v1/media".into(), "second".into(), "open".into())
    );
}

#[tokio::test]
async fn who_took_note_of_an_error_is_known_until_it_happens_again() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    fail(&app, &owner).await;
    store_errors(&app).await;
    let id = errors(&owner, "?state=open").await[0]["id"].as_str().unwrap().to_owned();
    app.wait(1);
    let taken = owner.post(&format!("{ERRORS}/{id}/acknowledge"), json!({})).await.ok();
    assert_eq!((&taken["state"], &taken["acknowledged_by"]), (&json!("acknowledged"), &json!(owner.id())));
    assert_eq!((errors(&owner, "?state=open").await.len(), errors(&owner, "?state=acknowledged").await.len()), (0, 1));
    app.wait(1);
    fail(&app, &owner).await;
    store_errors(&app).await;
    let open = errors(&owner, "?state=open").await;
    assert_eq!((open.len(), &open[0]["id"], open[0].get("acknowledged_by")), (1, &json!(id), None));
}

#[tokio::test]
async fn errors_are_for_owners_and_come_in_pages() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    for place in ["a", "b", "c"] {
        let report = ErrorReport { code: "render", place, message: "it broke", request_id: None };
        app.state.errors.report(report);
        store_errors(&app).await;
        app.wait(1);
    }
    let first = owner.get(&format!("{ERRORS}?limit=2")).await.ok();
    let next = first["next_cursor"].as_str().unwrap();
    let second = owner.get(&format!("{ERRORS}?limit=2&cursor={next}")).await.ok();
    let places =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|item| item["place"].clone()).collect::<Vec<_>>();
    assert_eq!((places(&first), places(&second)), (vec![json!("c"), json!("b")], vec![json!("a")]));
    assert_eq!(owner.get(&format!("{ERRORS}?state=loud&cursor=!")).await.wrong_fields(), ["state", "cursor"]);

    let id = first["items"][0]["id"].as_str().unwrap();
    let acknowledge = format!("{ERRORS}/{id}/acknowledge");
    let editor = app.user("edith", Role::Editor).await;
    editor.get(ERRORS).await.problem("forbidden");
    editor.post(&acknowledge, json!({})).await.problem("forbidden");
    app.anonymous().get(ERRORS).await.problem("unauthenticated");
    let reader = app.token(owner.id(), &[Scope::Read]).await;
    assert_eq!(reader.get(ERRORS).await.status, StatusCode::OK);
    reader.post(&acknowledge, json!({})).await.problem("forbidden");
    owner.post(&format!("{ERRORS}/{}/acknowledge", owner.id()), json!({})).await.problem("not_found");
}
