//! Measures what logs, metrics and traces cost a request: `measure_telemetry [ROUNDS]`.
//!
//! The same requests go through the whole router of the service, on SQLite in memory. In each round twenty of them are told
//! to nobody, twenty are counted, and twenty are counted and logged as a service does by default; what is compared is the
//! processor time of all threads, by the median over the rounds. So whatever else the machine does meets all three alike.
//! Nothing of HTTP on a wire is in it, so the shares are larger than those of a service. Give standard error a file. At the
//! end: how long `/metrics` takes to render with as many series as one caller can make.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use microblog_api::{AppState, Secret, Ticks, build_app};
use microblog_config::{Settings, Sources};
use microblog_domain::{Clock as _, Role, Scope, SystemClock};
use microblog_store::tokens::{self, NewToken};
use microblog_telemetry::logs::{Form, LogOptions};
use microblog_telemetry::traces::TraceOptions;
use microblog_telemetry::{Recorder, Telemetry};
use microblog_testkit::{TestDatabase, fast_folder};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tower::ServiceExt as _;

type Failure = Box<dyn Error>;

/// What is told of a request.
#[derive(Debug, Clone, Copy)]
enum Tells {
    Nothing,
    Metrics,
    Everything,
}

const TELLS: [Tells; 3] = [Tells::Nothing, Tells::Metrics, Tells::Everything];
/// What is asked: each is measured by itself.
const KINDS: [&str; 3] = ["list", "read", "save"];
/// Posts in the database; a list shows the newest.
const POSTS: u32 = 200;
/// Requests that are measured together.
const BATCH: u32 = 20;

fn main() -> Result<(), Failure> {
    let rounds = std::env::args().nth(1).map_or(Ok(200), |text| text.parse())?;
    let recorder = Recorder::of_this_process()?;
    let _telemetry = start_telemetry()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(recorder, rounds))
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
async fn measure(recorder: Recorder, rounds: u32) -> Result<(), Failure> {
    let service = Service::start(recorder.clone()).await?;
    println!("microseconds of processor time for a request, medians of {rounds} rounds");
    for kind in KINDS {
        let [nothing, metrics, everything] = service.compare(kind, rounds).await?;
        let share = |with: f64| (with / nothing - 1.0) * 100.0;
        let (of_metrics, of_all) = (share(metrics), share(everything));
        println!(
            "{kind:<5} {nothing:>7.1}  metrics {metrics:>7.1} ({of_metrics:+.1} %)  everything {everything:>7.1} ({of_all:+.1} %)"
        );
    }
    service.ask_everywhere(&recorder).await?;
    let (mut times, mut series) = (Vec::new(), 0);
    for _ in 0..rounds {
        let begun = processor_time();
        let text = recorder.render();
        times.push((processor_time() - begun).as_secs_f64() * 1e3);
        series = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    }
    println!("/metrics: {series} series, rendered in {:.2} ms of processor time", median(times));
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn start_telemetry() -> Result<Telemetry, Failure> {
    let logs = LogOptions { form: Some(Form::Json), level: "info".to_owned(), service: "api", file: None };
    let traces = TraceOptions { service: "microblog-api", ..TraceOptions::default() };
    Ok(Telemetry::start(logs, traces, Arc::new(SystemClock))?)
}

/// Of all threads of this process.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The service with some posts, and its owner's token.
struct Service {
    router: Router,
    token: String,
    post: String,
    _database: TestDatabase,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn start(recorder: Recorder) -> Result<Self, Failure> {
        let folder = fast_folder("measure-telemetry");
        let database = TestDatabase::in_folder(fast_folder("measure-telemetry")).await;
        let token = token_of_owner(&database).await?;
        let (settings, store) = (settings(folder.path())?, database.store().clone());
        let app = AppState::new(&settings, store, Arc::new(SystemClock), &Ticks::of_this_machine(), recorder);
        let router = build_app(Arc::new(app));
        let mut service = Self { router, token, post: String::new(), _database: database, _folder: folder };
        for number in 0..POSTS {
            let text = "Some words. ".repeat(200);
            let post = json!({"title": format!("Post {number}"), "markdown": text, "status": "published"});
            let made = service.send(Method::POST, "/api/v1/posts", Some(&post)).await?;
            service.post = format!("/api/v1/posts/{}", made["id"].as_str().ok_or("no post was made")?);
        }
        Ok(service)
    }

    /// The microseconds of a request, for each of what can be told of it.
    async fn compare(&self, kind: &str, rounds: u32) -> Result<[f64; TELLS.len()], Failure> {
        let mut times: [Vec<f64>; TELLS.len()] = Default::default();
        for _ in 0..rounds {
            for (tells, times) in TELLS.into_iter().zip(&mut times) {
                times.push(self.batch(kind, tells).await?);
            }
        }
        Ok(times.map(median))
    }

    async fn batch(&self, kind: &str, tells: Tells) -> Result<f64, Failure> {
        let deaf = || metrics::set_default_local_recorder(&metrics::NoopRecorder);
        let _deaf = matches!(tells, Tells::Nothing).then(deaf);
        let mute = || tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
        let _mute = matches!(tells, Tells::Nothing | Tells::Metrics).then(mute);
        let begun = processor_time();
        self.ask(kind).await?;
        Ok((processor_time() - begun).as_secs_f64() * 1e6 / f64::from(BATCH))
    }

    async fn ask(&self, kind: &str) -> Result<(), Failure> {
        for number in 0..BATCH {
            match kind {
                "list" => self.send(Method::GET, "/api/v1/posts?limit=20", None).await?,
                "read" => self.send(Method::GET, &self.post, None).await?,
                _ => {
                    let post = json!({"title": "Post", "markdown": format!("Text {number}. ").repeat(100)});
                    self.send(Method::PUT, &self.post, Some(&post)).await?
                }
            };
        }
        Ok(())
    }

    /// Asks at every route that the metrics know.
    async fn ask_everywhere(&self, recorder: &Recorder) -> Result<(), Failure> {
        let text = recorder.render();
        let route = |line: &str| Some(line.split_once("route=\"")?.1.split_once('"')?.0.replace(['{', '}', '*'], ""));
        for route in text.lines().filter_map(route).filter(|route| route.starts_with('/')) {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                self.answer(Request::builder().method(method).uri(&route).body(Body::from("{}"))?).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("if-match", "*");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let (is_success, bytes) = self.answer(request.body(body)?).await?;
        if !is_success {
            return Err(String::from_utf8_lossy(&bytes).into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    async fn answer(&self, mut request: Request<Body>) -> Result<(bool, Vec<u8>), Failure> {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
        let response = self.router.clone().oneshot(request).await?;
        let is_success = response.status().is_success();
        Ok((is_success, to_bytes(response.into_body(), usize::MAX).await?.to_vec()))
    }
}

fn settings(folder: &std::path::Path) -> Result<Settings, Failure> {
    let path = |name| folder.join(name).display().to_string();
    let given = [("data.dir", path("data")), ("build.dir", path("build")), ("rate_limit.owner", "1000000".to_owned())];
    let command_line = given.map(|(key, text)| (key.to_owned(), text)).to_vec();
    Ok(Settings::load(&Sources { command_line, ..Sources::default() })?)
}

async fn token_of_owner(database: &TestDatabase) -> Result<String, Failure> {
    let user = database.user("olga", Role::Owner).await.id;
    let secret = Secret::generate_token();
    let scopes = vec![Scope::Read, Scope::Write, Scope::Admin];
    let new = NewToken { hash: secret.hash(), user, name: "measure".to_owned(), scopes, expires_at: None };
    let mut tx = database.store().begin().await?;
    tokens::create(&mut tx, &new, SystemClock.now()).await?;
    tx.commit().await?;
    Ok(secret.reveal().to_owned())
}
