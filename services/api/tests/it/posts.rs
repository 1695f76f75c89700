//! Posts, their revisions, and previews.

use axum::http::StatusCode;
use microblog_domain::{Role, Scope};
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const POSTS: &str = "/api/v1/posts";

async fn create(client: &Client<'_>, body: Value) -> Value {
    let answer = client.post(POSTS, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.ok()
}

fn path(post: &Value) -> String {
    format!("{POSTS}/{}", post["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_is_left_out_gets_a_sensible_default() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let answer = author.post(POSTS, json!({"title": "Hello, World!", "markdown": "Hi."})).await;
    let post = answer.ok();
    assert_eq!(answer.header("location"), path(&post));
    assert_eq!(answer.header("etag"), "\"1\"");
    insta::assert_json_snapshot!(post, {".id" => "[id]", ".owner" => "[owner]"}, @r#"
    {
      "id": "[id]",
      "kind": "article",
      "title": "Hello, World!",
      "slug": "hello-world",
      "markdown": "Hi.",
      "status": "draft",
      "created_at": "2026-01-01T00:00:00Z",
      "updated_at": "2026-01-01T00:00:00Z",
      "tags": [],
      "authors": [],
      "aliases": [],
      "extra": {},
      "version": 1,
      "owner": "[owner]"
    }
    "#);
    let note = create(&author, json!({"markdown": "Short."})).await;
    assert_eq!((&note["kind"], &note["slug"]), (&json!("note"), &json!("20260101-000000")));
    let second = create(&author, json!({"title": "Hello World", "markdown": "Again."})).await;
    assert_eq!(second["slug"], "hello-world-2");
}

#[tokio::test]
async fn a_published_post_has_an_address_and_a_build() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let post = create(&author, json!({"title": "Hello", "markdown": "Hi.", "status": "published"})).await;
    assert_eq!(post["status"], "published");
    assert_eq!(post["published_at"], "2026-01-01T00:00:00Z");
    assert_eq!(post["url"], "http://localhost:8080/2026/01/hello/");
    let builds = author.get("/api/v1/builds").await.ok();
    assert_eq!((builds["items"].as_array().unwrap().len(), &builds["items"][0]["position"]), (1, &json!(1)));
    let drafted = author.ask(axum::http::Method::POST, &format!("{}/unpublish", path(&post)), "".into()).await.ok();
    assert_eq!((&drafted["status"], drafted.get("url")), (&json!("draft"), None));
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let wrong = async |body| author.post(POSTS, body).await.wrong_fields();
    let body = json!({
        "kind": "poem", "title": 5, "slug": "../x", "status": "public", "published_at": "yesterday", "tags": ["🎉"],
        "aliases": ["/../x"], "extra": [], "image": "javascript:alert(1)", "nonsense": true,
    });
    let fields = ["kind", "title", "slug", "status", "published_at", "tags[0]", "aliases[0]", "extra", "image"];
    assert_eq!(wrong(body).await, [&fields[..], &["markdown", "nonsense"]].concat());
    for slug in ["", "/x", "con", "🎉", &"x".repeat(5_000)] {
        assert_eq!(wrong(json!({"markdown": "x", "slug": slug})).await, ["slug"], "{slug:?}");
    }
    assert_eq!(wrong(json!({"markdown": "x", "title": "x".repeat(501)})).await, ["title"]);
    assert_eq!(wrong(json!({"markdown": " "})).await, ["markdown"]);
    assert_eq!(wrong(json!({"markdown": "x", "status": "trashed"})).await, ["status"]);
    assert_eq!(wrong(json!({"markdown": "x", "status": "scheduled"})).await, ["published_at"]);
    assert_eq!(author.get(POSTS).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_date_without_an_offset_is_in_the_time_zone_of_the_site() {
    let app = TestApp::with(&[("site.timezone", "America/New_York")]).await;
    let author = app.author().await;
    let scheduled = json!({"markdown": "x", "status": "scheduled", "published_at": "2026-03-08T02:30"});
    let post = create(&author, scheduled).await;
    // The clocks went from 02:00 to 03:00, so it is as much later.
    assert_eq!((&post["status"], &post["published_at"]), (&json!("scheduled"), &json!("2026-03-08T07:30:00Z")));
    let edit = json!({"markdown": "x", "published_at": "2025-12-31T18:30"});
    let edited = author.with("if-match", "*").put(&path(&post), edit).await.ok();
    // The test's clock shows midnight in UTC.
    assert_eq!((&edited["status"], &edited["published_at"]), (&json!("published"), &json!("2025-12-31T23:30:00Z")));
    let beyond = json!({"markdown": "x", "published_at": "9999-12-31T23:59"});
    assert_eq!(author.post(POSTS, beyond).await.wrong_fields(), ["published_at"]);
}

#[tokio::test]
async fn two_posts_can_not_have_one_address() {
    let app = TestApp::new().await;
    let author = app.author().await;
    create(&author, json!({"title": "One", "slug": "same", "markdown": "x"})).await;
    let clash = json!({"title": "Two", "slug": "same", "markdown": "x"});
    let answer = author.post(POSTS, clash).await;
    assert_eq!(answer.wrong_fields(), ["slug"]);
    assert!(answer.text().contains("One"), "{}", answer.text());
    create(&author, json!({"slug": "same", "markdown": "x", "published_at": "2020-05-01T00:00:00Z"})).await;
}

#[tokio::test]
async fn a_stale_edit_is_refused_and_nothing_is_overwritten() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let post = create(&author, json!({"markdown": "one"})).await;
    let edit = async |if_match: &str, markdown: &str| {
        author.with("if-match", if_match).put(&path(&post), json!({"markdown": markdown})).await
    };
    let second = edit("\"1\"", "two").await;
    assert_eq!((second.header("etag").as_str(), &second.ok()["version"]), ("\"2\"", &json!(2)));
    let stale = edit("\"1\"", "three").await;
    assert_eq!((stale.status, stale.header("etag").as_str()), (StatusCode::PRECONDITION_FAILED, "\"2\""));
    stale.problem("stale");
    author.put(&path(&post), json!({"markdown": "four"})).await.problem("version_required");
    assert_eq!(edit("nonsense", "five").await.wrong_fields(), ["If-Match"]);
    assert_eq!(author.get(&path(&post)).await.ok()["markdown"], "two");
    edit("*", "six").await.ok();
    author.with("if-match", "\"2\"").delete(&path(&post)).await.problem("stale");
    author.put(&path(&post), json!({"markdown": "seven", "version": 2})).await.problem("stale");
}

#[tokio::test]
async fn what_was_read_can_be_sent_back_as_it_is() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let body =
        json!({"title": "Hello", "markdown": "x", "status": "published", "tags": ["Rust", "rust"], "extra": {"a": 1}});
    let post = create(&author, body).await;
    assert_eq!(post["tags"], json!(["Rust"]));
    let again = author.put(&path(&post), post.clone()).await.ok();
    assert_eq!(again, post);
}

#[tokio::test]
async fn an_edit_keeps_the_standing_the_slug_and_the_date_unless_it_says_otherwise() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let post = create(&author, json!({"title": "Hello", "markdown": "x", "status": "published"})).await;
    app.wait(60);
    let edited =
        author.with("if-match", "*").put(&path(&post), json!({"title": "New title", "markdown": "y"})).await.ok();
    for field in ["slug", "status", "published_at", "url", "kind"] {
        assert_eq!(edited[field], post[field], "{field}");
    }
    let drafted = author.with("if-match", "*").put(&path(&post), json!({"markdown": "y", "status": "draft"})).await;
    assert_eq!(drafted.ok()["status"], "draft");
}

#[tokio::test]
async fn authors_change_only_their_own_posts_and_editors_all() {
    let app = TestApp::new().await;
    let (anna, otto) = (app.author().await, app.user("otto", Role::Author).await);
    let editor = app.user("edith", Role::Editor).await;
    let post = create(&anna, json!({"markdown": "x"})).await;
    let (edit, any) = (json!({"markdown": "y"}), "*");
    otto.get(&path(&post)).await.ok();
    otto.with("if-match", any).put(&path(&post), edit.clone()).await.problem("forbidden");
    otto.delete(&path(&post)).await.problem("forbidden");
    for step in ["publish", "unpublish", "restore", "revisions/1/restore"] {
        let path = format!("{}/{step}", path(&post));
        otto.ask(axum::http::Method::POST, &path, "".into()).await.problem("forbidden");
    }
    editor.with("if-match", any).put(&path(&post), edit).await.ok();
    editor.delete(&path(&post)).await.ok();
}

#[tokio::test]
async fn an_earlier_text_does_not_come_back_to_an_address_that_another_post_has() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let moved = create(&author, json!({"markdown": "first", "slug": "here"})).await;
    author.with("if-match", "*").put(&path(&moved), json!({"markdown": "first", "slug": "there"})).await.ok();
    create(&author, json!({"markdown": "second", "slug": "here"})).await;
    let restore = format!("{}/revisions/1/restore", path(&moved));
    let refused = author.ask(axum::http::Method::POST, &restore, "".into()).await;
    assert_eq!(refused.wrong_fields(), ["slug"]);
}

#[tokio::test]
async fn tokens_reach_as_far_as_their_scopes() {
    let app = TestApp::new().await;
    let anna = app.author().await;
    let reader = app.token(anna.id(), &[Scope::Read]).await;
    let writer = app.token(anna.id(), &[Scope::Write]).await;
    reader.get(POSTS).await.ok();
    reader.post(POSTS, json!({"markdown": "x"})).await.problem("forbidden");
    writer.post(POSTS, json!({"markdown": "x"})).await.ok();
    writer.get(POSTS).await.problem("forbidden");
    writer.get("/api/v1/tokens").await.problem("forbidden");
}

#[tokio::test]
async fn a_post_goes_to_the_trash_and_comes_back() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let post = create(&author, json!({"markdown": "x", "status": "published"})).await;
    author.delete(&path(&post)).await.ok();
    assert_eq!(author.get(POSTS).await.ok()["items"], json!([]));
    assert_eq!(author.get(&format!("{POSTS}?status=trashed")).await.ok()["items"][0]["id"], post["id"]);
    let publish = format!("{}/publish", path(&post));
    author.ask(axum::http::Method::POST, &publish, "".into()).await.problem("conflict");
    let restored = author.ask(axum::http::Method::POST, &format!("{}/restore", path(&post)), "".into()).await.ok();
    assert_eq!(restored["status"], "draft");
}

#[tokio::test]
async fn lists_are_filtered_searched_and_walked_page_by_page() {
    let app = TestApp::new().await;
    let author = app.author().await;
    for number in 0..5 {
        app.wait(1);
        let tags = if number % 2 == 0 { json!(["Even"]) } else { json!([]) };
        let body = json!({"title": format!("Post {number}"), "markdown": format!("word{number}"), "tags": tags});
        create(&author, body).await;
    }
    let titles = |list: &Value| {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|post| post["title"].as_str().unwrap().trim_start_matches("Post ").to_owned()).collect::<String>()
    };
    let list = async |query: &str| author.get(&format!("{POSTS}?{query}")).await.ok();
    let first = list("limit=2").await;
    assert_eq!(titles(&first), "43");
    assert_eq!(first["items"][0].get("markdown"), None);
    let second = list(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    let third = list(&format!("limit=2&cursor={}", second["next_cursor"].as_str().unwrap())).await;
    assert_eq!((titles(&second), titles(&third), third.get("next_cursor")), ("21".into(), "0".into(), None));
    assert_eq!(titles(&list("tag=even").await), "420");
    assert_eq!(titles(&list("q=word3").await), "3");
    assert_eq!(titles(&list("status=published").await), "");
    assert_eq!(titles(&list(&format!("owner={}", author.id())).await), "43210");
    assert_eq!(titles(&list("q=%22%27%28%3B--").await), "");
}

#[tokio::test]
async fn every_saved_text_can_be_brought_back() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let post = create(&author, json!({"markdown": "one"})).await;
    author.with("if-match", "*").put(&path(&post), json!({"markdown": "two"})).await.ok();
    let revisions = format!("{}/revisions", path(&post));
    let list = author.get(&revisions).await.ok();
    let texts: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| &item["content"]["markdown"]).collect();
    assert_eq!(texts, ["two", "one"]);
    let restore = async |number: u32| {
        author.ask(axum::http::Method::POST, &format!("{revisions}/{number}/restore"), "".into()).await
    };
    let restored = restore(1).await.ok();
    assert_eq!((&restored["markdown"], &restored["version"]), (&json!("one"), &json!(3)));
    restore(99).await.problem("not_found");
    let page = author.get(&format!("{revisions}?limit=1")).await.ok();
    assert_eq!((&page["items"][0]["number"], &page["next_cursor"]), (&json!(3), &json!("3")));
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_is_done_once() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let once = author.with("idempotency-key", "k-1");
    let body = json!({"markdown": "x", "status": "published"});
    let (first, second) = (once.post(POSTS, body.clone()).await, once.post(POSTS, body.clone()).await);
    assert_eq!(
        (first.status, first.ok(), first.header("location")),
        (second.status, second.ok(), second.header("location"))
    );
    assert_eq!(
        (first.header("idempotency-replayed").as_str(), second.header("idempotency-replayed").as_str()),
        ("", "true")
    );
    once.post(POSTS, json!({"markdown": "y"})).await.problem("idempotency_mismatch");
    once.post("/api/v1/preview", body.clone()).await.ok();
    app.user("otto", Role::Author)
        .await
        .with("idempotency-key", "k-1")
        .post(POSTS, json!({"markdown": "z"}))
        .await
        .ok();
    assert_eq!(author.get(POSTS).await.ok()["items"].as_array().unwrap().len(), 2);
    let wrong = author.with("idempotency-key", &"k".repeat(256)).post(POSTS, body).await;
    assert_eq!(wrong.wrong_fields(), ["Idempotency-Key"]);
}

#[tokio::test]
async fn requests_repeated_at_the_same_moment_are_done_once_too() {
    let app = TestApp::new().await;
    let author = app.author().await.with("idempotency-key", "k-1");
    let ask = || author.post(POSTS, json!({"markdown": "x"}));
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    assert!([&b, &c, &d].iter().all(|answer| answer.ok()["id"] == a.ok()["id"]));
    assert_eq!(author.get(POSTS).await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_preview_is_the_page_as_the_site_shows_it() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let body = json!({"title": "Tea & <b>", "markdown": "Some *words*.\n\n<script>alert(1)</script>"});
    let html = author.post("/api/v1/preview", body).await.ok()["html"].as_str().unwrap().to_owned();
    assert!(html.starts_with("<!DOCTYPE html>") || html.starts_with("<!doctype html>"), "{html}");
    assert!(html.contains("<em>words</em>") && html.contains("Tea &amp; &lt;b&gt;"), "{html}");
    let start = html.find("/assets/").expect("a style sheet");
    let asset = html[start..].split(['"', '\'', '>', ' ']).next().unwrap();
    let asset = app.anonymous().get(asset).await;
    assert_eq!(asset.status, StatusCode::OK);
    assert!(asset.header("cache-control").contains("immutable"));
    app.anonymous().get("/assets/nothing.css").await.problem("not_found");
    assert_eq!(author.get(POSTS).await.ok()["items"], json!([]));
}
