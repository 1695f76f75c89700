//! The audit trail as owners read it.

use microblog_domain::Role;
use serde_json::{Value, json};

use crate::harness::TestApp;

const AUDIT: &str = "/api/v1/audit";

#[tokio::test]
async fn owners_read_who_changed_what_and_in_which_request() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    owner.post("/api/v1/posts", json!({"title": "Earlier", "markdown": ""})).await;
    let input = json!({"title": "Hello", "markdown": "A text that is no business of the trail."});
    let made = owner.with("x-request-id", "the-request").post("/api/v1/posts", input).await;
    let post: Value = serde_json::from_str(&made.text()).unwrap();
    let trail = owner.get(&format!("{AUDIT}?limit=1")).await;
    assert!(!trail.text().contains("no business"), "{}", trail.text());
    let trail = trail.ok();
    let entry = &trail["items"][0];
    assert_eq!(
        [&entry["action"], &entry["subject"], &entry["user"], &entry["request_id"]],
        [&json!("post.create"), &post["id"], &json!(owner.id()), &json!("the-request")]
    );

    let actions = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect()
    };
    let whole = owner.get(AUDIT).await.ok();
    let mut paged = actions(&trail);
    let mut next = trail["next_cursor"].as_str().map(str::to_owned);
    while let Some(cursor) = next {
        let page = owner.get(&format!("{AUDIT}?limit=1&cursor={cursor}")).await.ok();
        paged.extend(actions(&page));
        next = page["next_cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(paged, actions(&whole));
    assert!(paged.len() > 1, "one page shows no paging");
}

#[tokio::test]
async fn nobody_else_reads_the_audit_trail() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    app.user("edith", Role::Editor).await.get(AUDIT).await.problem("forbidden");
    app.anonymous().get(AUDIT).await.problem("unauthenticated");
    assert_eq!(owner.get(&format!("{AUDIT}?cursor=x")).await.wrong_fields(), ["cursor"]);
}
