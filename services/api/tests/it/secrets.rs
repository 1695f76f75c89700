//! Nothing secret is logged, shown or sent.

use std::io;
use std::sync::{Arc, Mutex};

use microblog_api::offer_setup;
use microblog_telemetry::logs::{Form, LogLayer};
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::harness::TestApp;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_password_token_or_cookie_reaches_the_log_at_any_level() {
    let app = TestApp::new().await;
    let sink = Sink::default();
    let writer = sink.clone();
    let layer = LogLayer::new("api", Arc::new(app.clock.clone())).to(Form::Json, move || writer.clone());
    // For all threads: whether a line is wanted is remembered for the process, whichever thread asks first.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let link = offer_setup(&app.state.store, &app.state.auth).await.unwrap().unwrap();
    let password = "planted horse";
    let setup = json!({"token": link.reveal(), "name": "olga", "password": password});
    let answer = app.anonymous().post("/api/v1/setup", setup).await;
    let (cookie, csrf) = (answer.cookie(), answer.ok()["csrf_token"].as_str().unwrap().to_owned());
    let browser = app.anonymous().with("cookie", &cookie).with("x-csrf-token", &csrf);
    let token = browser.post("/api/v1/tokens", json!({"name": "x", "scopes": ["read"]})).await.ok();
    let token = token["token"].as_str().unwrap().to_owned();
    app.anonymous().with("authorization", &format!("Bearer {token}")).get("/api/v1/posts").await.ok();
    app.anonymous().with("authorization", "Bearer mb_guessed").get("/api/v1/posts").await.problem("unauthenticated");
    let traced = app.anonymous().with("x-request-id", "secrets-1");
    traced.post("/api/v1/session", json!({"name": "olga", "password": "battery staple"})).await;

    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let refused = log.lines().find(|line| line.contains("\"request_id\":\"secrets-1\"")).unwrap();
    assert!(refused.contains("a log-in was refused"), "{refused}");
    let (_, session) = cookie.split_once('=').unwrap();
    for secret in [password, "battery staple", link.reveal(), session, &csrf, &token, "mb_guessed"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
