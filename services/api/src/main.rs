//! The program `microblog-api`: JSON API and dashboard on one port, the relay of jobs and the scheduler beside them. Any
//! number of them may serve one site.
//!
//! Owns its command line and the order in which things start. What is served is the library's, what every program does
//! `microblog-process`'s. Start reading at `serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use microblog_api::{AppState, Health, Ticks, build_app, offer_setup, setup_link, start_tasks};
use microblog_config::{AuthSettings, Settings};
use microblog_domain::Clock;
use microblog_process::{
    HealthcheckArgs, Lifecycle, Obstacle, Patience, Process, SettingsArgs, close, make_folder, name_on_this_machine,
    open_clock, open_store, patiently, reachable, report, run,
};
use microblog_queue::{Queue, QueueStatus};
use microblog_store::{Store, StoreError, users};

/// The API and the dashboard of Microblog.
///
/// Without a subcommand it serves until it is told to stop.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit status: 0 done, 1 failed, 2 misused.")]
struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Healthcheck(HealthcheckArgs),
    /// Print a new link that makes whoever opens it the owner of a site that has nobody yet. Earlier links end.
    SetupLink,
}

fn main() -> ExitCode {
    start(Cli::parse()).unwrap_or_else(|error| report::failure(&error))
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => run("api", &cli.settings, serve),
        Some(Command::Healthcheck(healthcheck)) => Ok(healthcheck.run(cli.settings.load()?.server.listen)),
        Some(Command::SetupLink) => print_setup_link(&cli.settings.load()?),
    }
}

async fn serve(mut settings: Settings) -> anyhow::Result<()> {
    let mut process = Process::begin("api", settings.server.drain)?;
    settings.server.listen = process.listen(settings.server.listen, "server.listen").await?;
    let lifecycle = process.lifecycle.clone();
    let opened = process.starting(open(&settings, &lifecycle)).await?;
    let Some((store, clock)) = opened else { return process.run().await };
    let errors = process.keep_errors(&store, &clock);
    let name = format!("microblog-api {}", name_on_this_machine(settings.server.listen.port()));
    let queue = Queue::at(&settings.queue.url, settings.queue.ca_file.clone(), &name);
    let hints = queue.sender();
    let app = state(&settings, store.clone(), clock, &process, hints.status());
    let _news = queue.hear_from_others(&app.events);
    start_tasks(&mut process.tasks, &app, hints);
    process.serve(build_app(app));
    let ended = process.run().await;
    close(&store, &errors).await;
    ended
}

/// Releases are the business of the builder, whose disk may be another.
fn state(
    settings: &Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    process: &Process,
    queue: QueueStatus,
) -> Arc<AppState> {
    let ticks = Ticks::of_this_machine();
    let app = AppState::new(settings, store, clock, &ticks, process.recorder.clone());
    let errors = process.errors.clone();
    Arc::new(AppState { health: Health::new(settings, false), queue, errors, ..app })
}

/// Opens what the service depends on.
async fn open(settings: &Settings, lifecycle: &Lifecycle) -> anyhow::Result<(Store, Arc<dyn Clock>)> {
    let uploads = async || make_folder(&settings.data.dir);
    patiently("storage", lifecycle, Patience::Endless, uploads).await?;
    let database = async || open_store(settings).await.map_err(Obstacle::from);
    let store = patiently("database", lifecycle, Patience::Endless, database).await?;
    let clock = open_clock(&store, lifecycle).await?;
    let setup = async || prepare_setup(&store, &settings.auth).await.map_err(Obstacle::from);
    patiently("database", lifecycle, Patience::Endless, setup).await?;
    Ok((store, clock))
}

/// Says how to become the owner. No link is logged; and of several processes that start at once, none takes back what
/// another one gave out.
async fn prepare_setup(store: &Store, auth: &AuthSettings) -> Result<(), StoreError> {
    if !users::are_missing(&mut *store.read().await?).await? {
        return Ok(());
    }
    if auth.setup_token.is_none() {
        tracing::info!("nobody owns this site yet: `microblog-api setup-link` prints the link to begin with");
        return Ok(());
    }
    offer_setup(store, auth).await?;
    tracing::info!("nobody owns this site yet: /dashboard/setup?token=… takes the token of auth.setup_token");
    Ok(())
}

fn print_setup_link(settings: &Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let secret = runtime.block_on(async {
        let store = open_store(settings).await?;
        let secret = offer_setup(&store, &settings.auth).await?;
        store.close().await;
        anyhow::Ok(secret)
    })?;
    let secret = secret.context("somebody owns this site already: ask them, or use `microblog user add`")?;
    report::print(setup_link(&format!("http://{}/dashboard", reachable(settings.server.listen)), &secret));
    report::say("It works once. Behind a proxy, the same path at the address of the proxy.");
    Ok(ExitCode::SUCCESS)
}
