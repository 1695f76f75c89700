//! `microblog up`: API, dashboard, builder and site in one process, on SQLite and the queue in the database.
//!
//! Owns the order in which things start and stop, and what a first run makes. Everything else is the same code that the
//! separate services run.

mod first_run;
mod single;
mod site_server;
mod tasks;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use microblog_api::{AppState, Ticks};
use microblog_builder::{Desk, DeskConfig, ImageMaker, Worker, WorkerConfig};
use microblog_config::{LogFormat, Settings};
use microblog_domain::{BaseUrl, Clock, SiteSettings, SystemClock};
use microblog_queue::{BuildEvents, Relay, Waker, embedded};
use microblog_store::builds::leases;
use microblog_store::{MediaFolder, Store, images};
use microblog_telemetry::Recorder;
use microblog_telemetry::logs::{self, Form, LogOptions};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use self::tasks::Tasks;
use crate::cli::installation;

/// There is one worker to a data folder, so that it can take up at once what its predecessor left.
const WORKER: &str = "up";

/// Runs until it is told to stop.
pub(crate) fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    logs::start(&log_options(&settings), Arc::new(SystemClock))?;
    let _alone = single::claim(&settings.data.dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the threads")?;
    let served = runtime.block_on(serve(settings));
    // A build that did not stop in time must not keep the process from ending.
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS)
}

fn log_options(settings: &Settings) -> LogOptions {
    let form = match settings.log.format {
        LogFormat::Auto => None,
        LogFormat::Text => Some(Form::Text),
        LogFormat::Json => Some(Form::Json),
    };
    LogOptions { form, level: settings.log.level.clone(), service: "microblog" }
}

async fn serve(mut settings: Settings) -> anyhow::Result<()> {
    let api_listener = listen(settings.server.listen, "server.listen").await?;
    let site_listener = listen(settings.site_server.listen, "site.listen").await?;
    settings.server.listen = api_listener.local_addr()?;
    settings.site_server.listen = site_listener.local_addr()?;
    settings.site.base_url = base_url(&settings)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = installation::open_store(&settings).await?;
    let parts = Parts { clock, store, events: BuildEvents::default(), waker: Waker::default() };
    let app = Arc::new(parts.api(&settings)?);
    let worker = parts.worker(&settings).await?;
    first_run::prepare(&parts.store, &settings, parts.clock.now()).await?;
    parts.take_up_what_was_left().await?;

    let mut tasks = Tasks::new();
    parts.start_building(&mut tasks, worker);
    parts.start_making_images(&mut tasks, settings.data.media_dir());
    let site = site_server::serve(site_listener, settings.build.dir.clone(), tasks.stopped());
    tasks.start("the server of the site", site);
    let link = microblog_api::offer_setup(&app).await?;
    first_run::greet(&settings, link.as_ref());
    start_api(&mut tasks, api_listener, app);

    tasks.run_until(wait_for_signal()).await?;
    parts.store.close().await;
    Ok(())
}

fn start_api(tasks: &mut Tasks, listener: TcpListener, app: Arc<AppState>) {
    tasks.start_endless("housekeeping", microblog_api::keep_house(Arc::clone(&app)));
    tasks.start_endless("the scheduler", microblog_api::publish_on_time(Arc::clone(&app)));
    tasks.start_endless("the recorder of metrics", app.recorder.clone().upkeep());
    tasks.start("the API", microblog_api::serve(listener, microblog_api::build_app(app), tasks.stopped()));
}

/// A site that was given no address of its own is found where this process serves it.
fn base_url(settings: &Settings) -> anyhow::Result<BaseUrl> {
    if settings.site.base_url != SiteSettings::default().base_url {
        return Ok(settings.site.base_url.clone());
    }
    Ok(format!("http://localhost:{}", settings.site_server.listen.port()).parse()?)
}

/// What the parts of the process share.
struct Parts {
    clock: Arc<dyn Clock>,
    store: Store,
    events: BuildEvents,
    waker: Waker,
}

impl Parts {
    fn api(&self, settings: &Settings) -> anyhow::Result<AppState> {
        let recorder = Recorder::of_this_process()?;
        let ticks = Ticks::of_this_machine();
        let app = AppState::new(settings, self.store.clone(), Arc::clone(&self.clock), &ticks, recorder);
        Ok(AppState { events: self.events.clone(), waker: self.waker.clone(), ..app })
    }

    async fn worker(&self, settings: &Settings) -> anyhow::Result<Worker> {
        let releases = installation::open_own_releases(settings, &self.store).await?;
        let desk = DeskConfig {
            theme: settings.site_server.theme.clone(),
            media: settings.data.media_dir(),
            first_settings: settings.site.clone(),
        };
        let desk = Desk::new(desk, self.store.clone(), releases, Handle::current());
        let config =
            WorkerConfig { name: WORKER.to_owned(), deadline: settings.build.deadline, ..WorkerConfig::default() };
        Ok(Worker::new(
            config,
            self.store.clone(),
            Arc::clone(&self.clock),
            self.events.clone(),
            self.waker.clone(),
            Arc::new(Mutex::new(desk)),
        ))
    }

    /// Starts the relay, and the worker that it tells of jobs.
    fn start_building(&self, tasks: &mut Tasks, worker: Worker) {
        let (sender, hints) = embedded();
        let relay = Relay::new(self.store.clone(), sender, Arc::clone(&self.clock), self.waker.clone());
        tasks.start_endless("the relay", relay.run());
        let stop = tasks.stop();
        tasks.start("the builder", worker.run(hints, stop));
    }

    /// Starts what makes smaller variants of uploaded pictures.
    fn start_making_images(&self, tasks: &mut Tasks, media: PathBuf) {
        let (store, clock, relay) = (self.store.clone(), Arc::clone(&self.clock), self.waker.clone());
        let maker = ImageMaker::new(WORKER.to_owned(), store, clock, MediaFolder::new(media), relay);
        let stop = tasks.stop();
        tasks.start("the maker of smaller pictures", async move {
            maker.run(stop).await;
            anyhow::Ok(())
        });
    }

    /// The process before this one may have been killed in the middle of a build.
    async fn take_up_what_was_left(&self) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        leases::bury(&mut tx, WORKER).await?;
        images::bury(&mut tx, WORKER, self.clock.now()).await?;
        images::reconsider(&mut tx, microblog_images::EDITION).await?;
        Ok(tx.commit().await?)
    }
}

async fn listen(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "can not listen on {address}: another program may use the port; stop it, or choose another one with \
             --set {setting}=127.0.0.1:PORT"
        )
    })
}

/// Waits for Ctrl+C, or for SIGTERM as service managers send it.
fn wait_for_signal() -> impl Future<Output = anyhow::Result<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    async {
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl+C")?,
            _ = terminate.recv() => {}
        }
        Ok(())
    }
}
