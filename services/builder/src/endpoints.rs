//! What a builder that is a process of its own answers over HTTP: its health, and what it counted.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use microblog_domain::Clock;
use microblog_process::dependency_up;
use microblog_process::health::{Checks, Needs, Probed, Probes, Troubles, Volumes};
use microblog_queue::QueueStatus;
use microblog_store::Store;
use microblog_telemetry::Recorder;
use microblog_telemetry::health::{Finding, check};

use crate::pulse::Pulse;

/// The schema is up to date, or the process would not serve.
const TO_HAVE_STARTED: Needs = &["database"];
const TO_WORK: Needs = &["database", "filesystem", "worker", "broker"];

/// What the answers are made of.
#[derive(Debug)]
pub struct Endpoints {
    store: Store,
    pulse: Pulse,
    queue: QueueStatus,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
    probes: Probes,
    troubles: Troubles,
    volumes: Volumes,
}

/// Where a builder works.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Where the releases are.
    pub build: PathBuf,
    /// Where the uploads are.
    pub data: PathBuf,
}

type Shared = State<Arc<Endpoints>>;

impl Endpoints {
    /// Of a builder that works in these folders, whose worker has this pulse and hears of jobs from this queue.
    #[must_use]
    pub fn new(
        store: Store,
        folders: Folders,
        pulse: Pulse,
        queue: QueueStatus,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
    ) -> Self {
        let volumes = Volumes::new([("build", folders.build), ("data", folders.data)]);
        let (probes, troubles) = (Probes::default(), Troubles::default());
        Self { store, pulse, queue, clock, recorder, probes, troubles, volumes }
    }

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

    async fn examine(&self) -> Checks {
        let (database, volumes) = tokio::join!(self.troubles.database(&self.store), self.volumes.examine());
        let worker = check(std::future::ready(self.pulse.examine())).await;
        let broker = check(std::future::ready(self.broker())).await;
        Checks::from([
            ("database", database),
            ("filesystem", volumes.filesystem),
            ("disk", volumes.disk),
            ("worker", worker),
            ("broker", broker),
        ])
    }

    /// Without a broker the worker finds jobs by its own look, but others should take them that hear of them at once.
    fn broker(&self) -> Finding {
        let trouble = self.queue.condition().trouble();
        dependency_up("broker", trouble.is_none());
        trouble.map_or_else(Finding::healthy, |reason| Finding::unhealthy(&reason))
    }
}

async fn show_live(State(builder): Shared) -> Probed {
    Probes::live(&*builder.clock)
}

async fn show_startup(State(builder): Shared) -> Probed {
    builder.probes.about(TO_HAVE_STARTED, &*builder.clock, builder.examine()).await
}

async fn show_ready(State(builder): Shared) -> Probed {
    builder.probes.about(TO_WORK, &*builder.clock, builder.examine()).await
}

async fn show_summary(State(builder): Shared) -> Probed {
    builder.probes.summary(&*builder.clock, builder.examine()).await
}

async fn show_metrics(State(builder): Shared) -> impl IntoResponse {
    builder.probes.measure(TO_WORK, &*builder.clock, builder.examine()).await;
    ([(header::CONTENT_TYPE, Recorder::FORMAT)], builder.recorder.render())
}
