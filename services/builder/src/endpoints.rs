//! What a builder that is a process of its own answers over HTTP: its health, and what it counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use microblog_domain::Clock;
use microblog_process::health::{self, Checks, Probed, Troubles};
use microblog_process::{Space, dependency_up};
use microblog_queue::QueueStatus;
use microblog_store::Store;
use microblog_telemetry::Recorder;
use microblog_telemetry::health::{Finding, check};

use crate::pulse::Pulse;

/// What the answers are made of.
#[derive(Debug)]
pub struct Endpoints {
    /// Where the posts are.
    pub store: Store,
    /// Where the releases are.
    pub build_dir: PathBuf,
    /// Where the uploads are.
    pub data_dir: PathBuf,
    /// Of the worker.
    pub pulse: Pulse,
    /// Whether the worker hears of jobs.
    pub queue: QueueStatus,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// What was counted.
    pub recorder: Recorder,
    /// What probes found out.
    pub troubles: Troubles,
}

type Shared = State<Arc<Endpoints>>;

impl Endpoints {
    /// All of them.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/health", get(show_summary))
            .route("/health/live", get(show_live))
            .route("/health/ready", get(show_ready))
            .route("/health/startup", get(show_startup))
            .route("/metrics", get(show_metrics))
            .with_state(Arc::new(self))
    }

    async fn filesystem(&self) -> Finding {
        health::folders(vec![("build", self.build_dir.clone()), ("data", self.data_dir.clone())]).await
    }

    async fn needs(&self) -> Checks {
        let (database, filesystem) = tokio::join!(check(self.troubles.database(&self.store)), check(self.filesystem()));
        let worker = check(std::future::ready(self.pulse.examine())).await;
        let broker = check(std::future::ready(self.broker())).await;
        Checks::from([("database", database), ("filesystem", filesystem), ("worker", worker), ("broker", broker)])
    }

    /// Without a broker the worker finds jobs by its own look, but others should take them that hear of them at once.
    fn broker(&self) -> Finding {
        self.queue.condition().trouble().map_or_else(Finding::healthy, |reason| Finding::unhealthy(&reason))
    }
}

async fn show_live(State(builder): Shared) -> Probed {
    health::report(Checks::new(), &*builder.clock, Instant::now())
}

async fn show_startup(State(builder): Shared) -> Probed {
    let started = Instant::now();
    let checks = Checks::from([("database", check(builder.troubles.database(&builder.store)).await)]);
    health::report(checks, &*builder.clock, started)
}

async fn show_ready(State(builder): Shared) -> Probed {
    let started = Instant::now();
    health::report(builder.needs().await, &*builder.clock, started)
}

async fn show_summary(State(builder): Shared) -> Probed {
    let started = Instant::now();
    let (mut checks, disk) = tokio::join!(builder.needs(), check(health::disk("build", &builder.build_dir)));
    checks.insert("disk", disk);
    health::report(checks, &*builder.clock, started)
}

/// What depends on others is read anew for every scrape.
async fn show_metrics(State(builder): Shared) -> impl IntoResponse {
    let (database, build, data) = tokio::join!(
        builder.store.examine(),
        Space::measure("build", &builder.build_dir),
        Space::measure("data", &builder.data_dir),
    );
    dependency_up("database", database.is_ok());
    dependency_up("broker", builder.queue.condition().trouble().is_none());
    dependency_up("storage", build && data);
    ([(header::CONTENT_TYPE, Recorder::FORMAT)], builder.recorder.render())
}
