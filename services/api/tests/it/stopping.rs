//! A service that listens, and is told to stop.

use std::sync::Arc;
use std::time::Duration;

use microblog_api::build_app;
use microblog_domain::Role;
use microblog_process::serve;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::harness::TestApp;

#[tokio::test]
async fn who_watches_a_build_does_not_keep_the_service_from_stopping() {
    let app = TestApp::new().await;
    let editor = app.user("edith", Role::Editor).await;
    let build = editor.post("/api/v1/builds", json!({})).await.ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut browser = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = build_app(Arc::clone(&app.state));
    let service = tokio::spawn(serve(listener, service, async { stopped.await.unwrap() }));

    let path = format!("/api/v1/builds/{}/events", build["id"].as_str().unwrap());
    let (name, value) = ("authorization", editor.header("authorization"));
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{name}: {value}\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: queued") {
        let mut buffer = [0; 4_096];
        let count = browser.read(&mut buffer).await.unwrap();
        heard.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    stop.send(()).unwrap();
    let deadline = Duration::from_secs(30);
    timeout(deadline, service).await.unwrap().unwrap().unwrap();
    timeout(deadline, browser.read_to_string(&mut heard)).await.unwrap().unwrap();
    assert!(heard.contains("retry: 500"), "the browser does not know when to come again: {heard}");
    assert!(heard.ends_with("0\r\n\r\n"), "the stream was cut off: {heard}");
}
