//! Posts: the list, the editor, earlier texts, previews, uploads.

use axum::http::StatusCode;
use microblog_domain::Role;
use serde_json::{Value, json};

use super::{Browser, HOSTILE};
use crate::harness::TestApp;

const OTHER: &[(&str, &str)] = &[("title", "A title"), ("markdown", "Old text."), ("do", "publish")];

async fn post(browser: &Browser<'_>, editor: &str) -> Value {
    browser.client().get(&editor.replace("/dashboard/", "/api/v1/")).await.ok()
}

#[tokio::test]
async fn a_post_is_written_saved_and_published_by_forms() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let fields =
        [("title", "Field notes"), ("markdown", "One.\r\nTwo.\r\n"), ("tags", "Rust, C++, rust"), ("do", "save")];
    let editor = browser.write(&fields).await;
    let page = browser.page(&editor).await;
    for part in
        ["Saved.", "value=\"Field notes\"", "One.\nTwo.\n</textarea>", "value=\"Rust, C++\"", "value=\"field-notes\""]
    {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    let publish = [&fields[..3], &[("slug", "field-notes"), ("version", "1"), ("do", "publish")]].concat();
    let answer = browser.send(&editor, &publish).await;
    let location = answer.header("location");
    assert!(location.starts_with(&format!("{editor}?build=")), "{location}");
    let page = browser.page(&location).await;
    assert!(page.contains("Published. The site is being built.") && page.contains("Waiting: it is next."), "{page}");
    assert!(page.contains("http://localhost:8080/2026/01/field-notes/"));
    assert_eq!(post(&browser, &editor).await["markdown"], "One.\nTwo.\n");
}

#[tokio::test]
async fn hostile_texts_are_shown_as_texts() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let fields = [("title", HOSTILE), ("markdown", HOSTILE), ("description", HOSTILE), ("authors", HOSTILE)];
    let editor = browser.write(&fields).await;
    for path in ["/dashboard/posts", &editor, &format!("{editor}/revisions"), "/dashboard/posts?q=%3Cb%3Ehostile"] {
        let page = browser.page(path).await;
        assert!(page.contains("&lt;b&gt;hostile") && !page.contains("<b>hostile"), "{path}: {page}");
    }
    assert_eq!(post(&browser, &editor).await["title"], HOSTILE);
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    "forged".clone_into(&mut browser.token.lock().unwrap());
    let answer = browser.send("/dashboard/posts", &[("title", "x")]).await;
    answer.says(StatusCode::FORBIDDEN, "Nothing was saved.");
    assert!(browser.page("/dashboard/posts").await.contains("Nothing is written yet"));
}

#[tokio::test]
async fn a_form_with_mistakes_comes_back_with_everything_that_was_typed() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let fields = [
        ("title", "Kept"),
        ("markdown", "Kept, too."),
        ("slug", "../x"),
        ("published_at", "2030-01-02T03:04"),
        ("tags", "a, 🎉"),
    ];
    let page = browser.send("/dashboard/posts", &fields).await.says(StatusCode::UNPROCESSABLE_ENTITY, "slug-error");
    for part in
        ["value=\"Kept\"", "Kept, too.</textarea>", "value=\"../x\"", "2030-01-02T03:04", "tags-error", "aria-invalid"]
    {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    let when = [("title", "Kept"), ("published_at", "soon")];
    browser.send("/dashboard/posts", &when).await.says(StatusCode::UNPROCESSABLE_ENTITY, "Must be a date and a time");
    browser.send("/dashboard/posts", &[]).await.says(StatusCode::UNPROCESSABLE_ENTITY, "markdown-error");
}

#[tokio::test]
async fn a_stale_edit_is_shown_beside_the_other_text_and_neither_is_lost() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let editor = browser.write(OTHER).await;
    let edit = |text, version| [("title", "A title"), ("markdown", text), ("version", version)].to_vec();
    assert_eq!(browser.send(&editor, &edit("Their text.", "1")).await.status, StatusCode::SEE_OTHER);
    let page = browser.send(&editor, &edit("My text.", "1")).await.says(StatusCode::PRECONDITION_FAILED, "Their text.");
    assert!(page.contains("My text.</textarea>") && page.contains("name=\"version\" value=\"1\""), "{page}");
    let again = browser.send(&editor, &edit("My text.", "1")).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);
    let overwrite = [edit("My text.", "1"), vec![("overwrite", "2")]].concat();
    assert_eq!(browser.send(&editor, &overwrite).await.status, StatusCode::SEE_OTHER);
    assert_eq!(post(&browser, &editor).await["markdown"], "My text.");
    let revisions = browser.page(&format!("{editor}/revisions")).await;
    assert!(revisions.contains("Their text.") && revisions.contains("Old text."));
}

#[tokio::test]
async fn what_the_form_does_not_show_survives_it() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let editor = browser.write(OTHER).await;
    let extra = json!({"title": "A title", "markdown": "x", "extra": {"mood": ["good"]}, "version": 1});
    let token = browser.token.lock().unwrap().clone();
    let client = browser.client().with("x-csrf-token", &token);
    client.put(&editor.replace("/dashboard/", "/api/v1/"), extra).await.ok();
    browser.send(&editor, &[("title", "Another title"), ("markdown", "x"), ("version", "2")]).await;
    let after = post(&browser, &editor).await;
    assert_eq!((&after["title"], &after["extra"]["mood"]), (&json!("Another title"), &json!(["good"])));
    assert_eq!((&after["slug"], &after["status"]), (&json!("a-title"), &json!("published")));
}

#[tokio::test]
async fn scripts_get_what_changed_and_leave_the_text_alone() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let answer = browser.send_by_script("/dashboard/posts", OTHER).await;
    assert_eq!(answer.status, StatusCode::OK);
    let told: Value = serde_json::from_str(&answer.header("hx-trigger")).unwrap();
    let editor = told["editor:saved"]["action"].as_str().unwrap();
    assert_eq!(answer.header("hx-push-url"), editor);
    let part = answer.text();
    assert!(part.contains("id=\"editor-bar\"") && part.contains("data-hx-swap-oob") && part.contains("data-watch="));
    assert!(!part.contains("<html") && !part.contains("<textarea"), "{part}");
    let stale = browser.send_by_script(editor, &[("title", "x"), ("version", "0")]).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert!(stale.text().contains("Old text.") && stale.header("hx-trigger").is_empty());
}

#[tokio::test]
async fn authors_read_the_posts_of_others_and_change_their_own() {
    let app = TestApp::new().await;
    let owner = Browser::of_owner(&app).await;
    let editor = owner.write(OTHER).await;
    let author = Browser::of(&app, "anna", Role::Author).await;
    let page = author.page(&editor).await;
    assert!(page.contains("This post is somebody else's") && !page.contains("value=\"save\""));
    let answer = author.send(&editor, &[("title", "Mine"), ("version", "1")]).await;
    answer.says(StatusCode::FORBIDDEN, "authors change only their own");
    let own = author.write(&[("title", "Mine")]).await;
    assert!(author.page(&own).await.contains("value=\"save\""));
}

#[tokio::test]
async fn posts_go_to_the_trash_and_come_back_and_so_do_earlier_texts() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let editor = browser.write(OTHER).await;
    browser.send(&editor, &[("title", "A title"), ("markdown", "New text."), ("version", "1")]).await;
    browser.send(&format!("{editor}/revisions/1/restore"), &[]).await.redirect(&editor);
    assert!(browser.page(&editor).await.contains("Old text.</textarea>"));
    browser.send(&format!("{editor}/trash"), &[]).await.redirect("/dashboard/posts");
    assert!(!browser.page("/dashboard/posts").await.contains("A title"));
    let trash = browser.page("/dashboard/posts?status=trashed").await;
    assert!(trash.contains("A title"));
    assert!(browser.page(&editor).await.contains("Bring back from the trash"));
    browser.send(&format!("{editor}/restore"), &[]).await.redirect(&editor);
    assert_eq!(post(&browser, &editor).await["status"], "draft");
}

#[tokio::test]
async fn the_list_is_searched_filtered_and_read_to_its_end() {
    let app = TestApp::with(&[("rate_limit.owner", "1000000")]).await;
    let browser = Browser::of_owner(&app).await;
    for number in 0..52 {
        app.wait(1);
        let (title, wish) = (format!("Post {number:02}"), if number == 7 { "publish" } else { "save" });
        browser.write(&[("title", &title), ("markdown", "some words"), ("do", wish)]).await;
    }
    let page = browser.page("/dashboard/posts").await;
    assert!(page.contains("Post 51") && !page.contains("Post 01"));
    let more = page.split('"').find(|part| part.contains("cursor=")).unwrap().replace("&amp;", "&");
    let rest = browser.page(&more).await;
    assert!(rest.contains("Post 01") && !rest.contains("Post 51") && !rest.contains("cursor="), "{rest}");
    let published = browser.page("/dashboard/posts?status=published&q=").await;
    assert!(published.contains("Post 07") && !published.contains("Post 08"));
    let script = browser.client().with("hx-request", "true").with("hx-request-type", "partial");
    let part = script.get("/dashboard/posts?status=&q=post+12").await.text();
    assert!(part.contains("Post 12") && !part.contains("Post 11") && !part.contains("<html"), "{part}");
    assert!(browser.page("/dashboard/posts?q=nowhere").await.contains("No post holds all the words of “nowhere”"));
}

#[tokio::test]
async fn a_preview_is_the_page_of_the_site_and_runs_nothing() {
    let app = TestApp::new().await;
    let browser = Browser::of_owner(&app).await;
    let fields = [("title", "Field notes"), ("markdown", "Some *text*.\n\n<script>alert(1)</script>")];
    let answer = browser.send("/dashboard/preview", &fields).await;
    let page = answer.text();
    assert!(page.contains("<h1") && page.contains("Some <em>text</em>.") && page.contains("/assets/style."), "{page}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("sandbox") && !policy.contains("script"));
    assert!(policy.contains("frame-ancestors 'self'") && answer.header("x-frame-options") == "SAMEORIGIN");
    let wrong = browser.send("/dashboard/preview", &[("title", "x"), ("slug", "../x")]).await;
    wrong.says(StatusCode::UNPROCESSABLE_ENTITY, "Please correct: slug.");
    assert!(browser.page("/dashboard/posts").await.contains("Nothing is written yet"));
}
