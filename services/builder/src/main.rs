//! The program `microblog-builder`: the worker that makes releases, and the maker of smaller pictures. Of several that
//! stand ready for one site, one builds at a time; whichever is left takes over.
//!
//! Owns its command line and the order in which things start. The work is the library's, what every program does
//! `microblog-process`'s. Start reading at `serve`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use microblog_builder::{Endpoints, Folders, Identity, ProbeArgs, ProbeCommand, Stuck, Workplace, open_patiently};
use microblog_config::Settings;
use microblog_domain::SystemClock;
use microblog_process::{
    ErrorReports, HealthcheckArgs, Lifecycle, Obstacle, Patience, Process, SettingsArgs, close, make_folder,
    name_on_this_machine, open_clock, patiently, report, run,
};
use microblog_queue::{BuildEvents, Queue, Waker};
use microblog_release::ReleaseStore;

/// The system's allocator spends a tenth of a build's processor time; this one half of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The builder of Microblog: makes the site, and makes it live.
///
/// Without a subcommand it builds until it is told to stop.
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
    #[command(hide = true)]
    Probe(ProbeArgs),
}

fn main() -> ExitCode {
    start(Cli::parse()).unwrap_or_else(|error| report::failure(&error))
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => {
            let probe = ProbeCommand::of_this_program(cli.settings.arguments("probe"));
            let ended = run("builder", &cli.settings, |settings| serve(settings, probe));
            Stuck::replace_process(ended)
        }
        Some(Command::Healthcheck(healthcheck)) => Ok(healthcheck.run(cli.settings.load()?.builder.listen)),
        Some(Command::Probe(probe)) => probe.run(&cli.settings.load()?),
    }
}

async fn serve(settings: Settings, probe: ProbeCommand) -> anyhow::Result<()> {
    let mut process = Process::begin("builder", Duration::ZERO)?;
    let address = process.listen(settings.builder.listen, "builder.listen").await?;
    let name = settings.builder.name.clone().unwrap_or_else(|| name_on_this_machine(address.port()));
    let lifecycle = process.lifecycle.clone();
    let opened = process.starting(open(&settings, name, &lifecycle, process.errors.clone())).await?;
    let Some((workplace, releases)) = opened else { return process.run().await };
    let store = workplace.store.clone();
    let errors = process.keep_errors(&store, &workplace.clock);
    let process_name = format!("microblog-builder {}", workplace.identity.name());
    let queue = Queue::at(&settings.queue.url, settings.queue.ca_file.clone(), &process_name);
    let hints = queue.receiver();
    let _news = queue.tell_others(&workplace.events);
    let hearing = hints.status();
    let pulse = workplace.start(&mut process.tasks, &settings, releases, probe, hints);
    let folders = Folders { build: settings.build.dir.clone(), data: settings.data.dir.clone() };
    let recorder = process.recorder.clone();
    let endpoints = Endpoints::new(store.clone(), folders, pulse, hearing, Arc::new(SystemClock), recorder);
    process.serve(endpoints.into_router());
    let ended = process.run().await;
    close(&store, &errors).await;
    ended
}

/// Opens what the service depends on, and takes up again what was left.
async fn open(
    settings: &Settings,
    name: String,
    lifecycle: &Lifecycle,
    errors: ErrorReports,
) -> anyhow::Result<(Workplace, ReleaseStore)> {
    let uploads = async || make_folder(&settings.data.dir);
    patiently("storage", lifecycle, Patience::Endless, uploads).await?;
    let (store, releases) = open_patiently(settings, lifecycle, Patience::Endless).await?;
    let clock = open_clock(&store, lifecycle).await?;
    let identity = Identity::take(&settings.data.dir, &name);
    let (events, relay) = (BuildEvents::default(), Waker::default());
    let workplace = Workplace { identity, store, clock, events, relay, errors };
    let prepare = async || workplace.prepare().await.map_err(Obstacle::from);
    patiently("database", lifecycle, Patience::Endless, prepare).await?;
    Ok((workplace, releases))
}
