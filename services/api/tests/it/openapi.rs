//! The description of the API.

use crate::harness::{TestApp, described};

#[tokio::test]
async fn the_document_describes_the_api_and_the_page_shows_all_of_it() {
    let document = described();
    assert_eq!(document["openapi"], "3.1.0");
    let page = TestApp::new().await.anonymous().get("/api/docs").await.text().replace("&#x2f;", "/");
    for path in document["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/api/v1")) {
        assert!(page.contains(path), "{path}");
    }
    assert!(!page.contains("<script") && !page.contains("style="), "{page}");
    assert!(page.contains("id=\"stale\""));
}

#[tokio::test]
async fn the_service_says_what_it_is_and_where_to_go_on() {
    let app = TestApp::new().await;
    let service = app.anonymous().get("/").await.ok();
    assert_eq!(service["name"], "Microblog");
    for name in ["docs", "openapi", "health"] {
        app.anonymous().get(service["links"][name].as_str().unwrap()).await;
    }
}
