//! A service for one test, and clients that hold its answers to its own description.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use microblog_api::{AppState, Secret, Ticks, build_app};
use microblog_config::{Settings, Sources};
use microblog_domain::{Clock as _, Role, Scope, UserId};
use microblog_store::tokens::{self, NewToken};
use microblog_telemetry::Recorder;
use microblog_testkit::{TestClock, TestDatabase};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::schema::violations;

/// The service, its database and its clocks.
pub(crate) struct TestApp {
    pub(crate) database: TestDatabase,
    pub(crate) clock: TestClock,
    pub(crate) state: Arc<AppState>,
    pub(crate) folder: tempfile::TempDir,
    ticks: Arc<AtomicU64>,
    router: Router,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings other than the defaults.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(TestDatabase::new().await, settings)
    }

    /// On a database server.
    pub(crate) async fn postgres() -> Self {
        Self::on(TestDatabase::postgres().await, &[])
    }

    fn on(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name).display().to_string();
        let mut command_line = vec![("data.dir".to_owned(), path("data")), ("build.dir".to_owned(), path("build"))];
        command_line.extend(settings.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())));
        let settings = Settings::load(&Sources { command_line, ..Sources::default() }).unwrap();
        for folder in [&settings.data.dir, &settings.build.dir] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let (clock, ticks) = (TestClock::new(), Arc::new(AtomicU64::new(0)));
        let elapsed = Arc::clone(&ticks);
        let elapsed = Ticks::new(move || Duration::from_secs(elapsed.load(Ordering::Relaxed)));
        let recorder = Recorder::of_this_process().unwrap();
        let clock_of_app = Arc::new(clock.clone());
        let state = Arc::new(AppState::new(&settings, database.store().clone(), clock_of_app, &elapsed, recorder));
        let router = build_app(Arc::clone(&state));
        Self { database, clock, state, folder, ticks, router }
    }

    /// Lets time pass, on both clocks.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.ticks.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Somebody unknown.
    pub(crate) fn anonymous(&self) -> Client<'_> {
        Client { app: self, headers: HeaderMap::new(), user: None }
    }

    /// A new user of this role, with a token for everything.
    pub(crate) async fn user(&self, name: &str, role: Role) -> Client<'_> {
        let user = self.database.user(name, role).await.id;
        self.token(user, &[Scope::Read, Scope::Write, Scope::Admin]).await
    }

    pub(crate) async fn owner(&self) -> Client<'_> {
        self.user("olga", Role::Owner).await
    }

    pub(crate) async fn author(&self) -> Client<'_> {
        self.user("anna", Role::Author).await
    }

    /// A program with a token of this user.
    pub(crate) async fn token(&self, user: UserId, scopes: &[Scope]) -> Client<'_> {
        let secret = Secret::generate_token();
        let (name, scopes) = ("test".to_owned(), scopes.to_vec());
        let new = NewToken { hash: secret.hash(), user, name, scopes, expires_at: None };
        let mut tx = self.database.store().begin().await.unwrap();
        tokens::create(&mut tx, &new, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let client = self.anonymous().with("authorization", &format!("Bearer {}", secret.reveal()));
        Client { user: Some(user), ..client }
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Response {
        let peer = ConnectInfo(SocketAddr::from(([203, 0, 113, 7], 4711)));
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(peer);
        }
        self.router.clone().oneshot(request).await.unwrap()
    }
}

/// The description of the API, as the service gives it.
pub(crate) fn described() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let runtime = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let app = TestApp::new().await;
                let request = Request::get("/api/openapi.json").body(Body::empty()).unwrap();
                let body = to_bytes(app.send(request).await.into_body(), usize::MAX).await.unwrap();
                serde_json::from_slice(&body).unwrap()
            })
        };
        std::thread::spawn(runtime).join().unwrap()
    })
}

/// Somebody who asks.
#[derive(Clone)]
pub(crate) struct Client<'a> {
    app: &'a TestApp,
    headers: HeaderMap,
    user: Option<UserId>,
}

impl Client<'_> {
    /// The same with one more header.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(name, value.parse().unwrap());
        client
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> UserId {
        self.user.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.with("content-type", "application/json").ask(Method::POST, path, body.to_string().into()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.with("content-type", "application/json").ask(Method::PUT, path, body.to_string().into()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.with("content-type", "application/json").ask(Method::PATCH, path, body.to_string().into()).await
    }

    /// Asks, and holds the answer to the description.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Body) -> Answer {
        let response = self.app.send(self.request(method.clone(), path, body)).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        answer.hold_to_description(&method, path);
        answer
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Body) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).body(body).unwrap();
        request.headers_mut().extend(self.headers.clone());
        request
    }
}

/// What somebody was told.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body, if all went well.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The problem, which must be of this kind.
    #[track_caller]
    pub(crate) fn problem(&self, code: &str) -> Value {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        assert_eq!(problem["code"], code, "{} {}", self.status, self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(violations(described(), &described()["components"]["schemas"]["Problem"], &problem), [""; 0]);
        problem
    }

    /// The names of the fields that are wrong.
    #[track_caller]
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        let problem = self.problem("invalid_input");
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of the cookie that is set.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header(header::SET_COOKIE.as_str());
        cookie.split(';').next().unwrap().to_owned()
    }

    fn hold_to_description(&self, method: &Method, path: &str) {
        let path = path.split('?').next().unwrap();
        let Some(operation) = operation(method, path) else { return };
        let responses = &operation["responses"];
        let response = responses.get(self.status.as_str()).unwrap_or(&responses["default"]);
        let content_type = self.header("content-type");
        let Some(schema) = response["content"].get(&content_type).map(|content| &content["schema"]) else {
            assert!(
                !self.status.is_client_error() && !self.status.is_server_error(),
                "{content_type}: {}",
                self.text()
            );
            let is_described =
                responses.get(self.status.as_str()).is_some() || self.status == StatusCode::PARTIAL_CONTENT;
            assert!(is_described || !self.status.is_success(), "{path}: {}", self.status);
            return;
        };
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(violations(described(), schema, &body), [""; 0], "{method} {path}");
    }
}

/// What the description says about an address.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let is_template = |template: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let fits = |(one, other): (&&str, &&str)| one == other || one.starts_with('{');
        template.len() == path.len() && template.iter().zip(&path).all(fits)
    };
    let paths = described()["paths"].as_object()?;
    let exact = paths.get(path);
    let found = exact.or_else(|| paths.iter().find(|(template, _)| is_template(template)).map(|(_, found)| found));
    found?.get(method.as_str().to_lowercase())
}
