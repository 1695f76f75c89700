//! `microblog up`: API, dashboard, builder and site in one process.
//!
//! Owns the order in which things start and stop, and what a first run makes. Everything else is the same code that the
//! separate services run.

mod first_run;
mod single;
mod site_server;

use std::process::ExitCode;
use std::sync::Arc;

use microblog_api::{AppState, Secret, Ticks, build_app, offer_setup, start_tasks};
use microblog_builder::{Identity, ProbeCommand, Workplace, open_patiently};
use microblog_config::Settings;
use microblog_domain::{BaseUrl, SiteSettings};
use microblog_process::{
    ErrorReports, Lifecycle, Patience, Process, SettingsArgs, close, listen, open_clock, run as run_process,
};
use microblog_queue::{BuildEvents, EventBridge, Queue, QueueStatus, Waker};
use microblog_release::ReleaseStore;

/// What builders of this kind are called; each has a mark of its own besides.
const WORKER: &str = "up";

/// Runs until it is told to stop.
pub(crate) fn run(args: &SettingsArgs) -> anyhow::Result<ExitCode> {
    let probe = ProbeCommand::of_this_program(args.arguments("probe"));
    run_process("microblog", args, |settings| serve(settings, probe))
}

async fn serve(mut settings: Settings, probe: ProbeCommand) -> anyhow::Result<()> {
    let _alone = single::claim(&settings.data.dir)?;
    let mut process = Process::begin("microblog", settings.server.drain)?;
    settings.server.listen = process.listen(settings.server.listen, "server.listen").await?;
    let site_listener = listen(settings.site_server.listen, "site.listen").await?;
    settings.site_server.listen = site_listener.local_addr()?;
    settings.site.base_url = base_url(&settings)?;
    let (build, errors) = (settings.build.dir.clone(), process.errors.clone());
    let site = site_server::serve(site_listener, build, errors, process.tasks.stopped());
    process.tasks.start("the server of the site", site);

    let lifecycle = process.lifecycle.clone();
    let opened = process.starting(open(&settings, &lifecycle, process.errors.clone())).await?;
    let Some(Opened { workplace, releases, link }) = opened else { return process.run().await };
    let store = workplace.store.clone();
    let errors = process.keep_errors(&store, &workplace.clock);
    let queue = Queue::at(&settings.queue.url, settings.queue.ca_file.clone(), "microblog up");
    let (sender, hints) = queue.both_ends();
    let _bridges = bridges(&queue, &workplace.events);
    let app = state(&settings, &workplace, &process, sender.status());
    start_tasks(&mut process.tasks, &app, sender);
    workplace.start(&mut process.tasks, &settings, releases, probe, hints);
    process.serve(build_app(app));
    first_run::greet(&settings, link.as_ref());
    let ended = process.run().await;
    close(&store, &errors).await;
    ended
}

/// Other processes may share the broker and the database; they and this one watch the same builds.
fn bridges(queue: &Queue, events: &BuildEvents) -> [Option<EventBridge>; 2] {
    [queue.tell_others(events), queue.hear_from_others(events)]
}

/// A site that was given no address of its own is found where this process serves it.
fn base_url(settings: &Settings) -> anyhow::Result<BaseUrl> {
    if settings.site.base_url != SiteSettings::default().base_url {
        return Ok(settings.site.base_url.clone());
    }
    Ok(format!("http://localhost:{}", settings.site_server.listen.port()).parse()?)
}

/// What the process works with.
struct Opened {
    workplace: Workplace,
    releases: ReleaseStore,
    /// Makes whoever has it the owner.
    link: Option<Secret>,
}

/// Opens everything, and makes what is missing. Somebody sits before it and should hear of what only they can mend.
async fn open(settings: &Settings, lifecycle: &Lifecycle, errors: ErrorReports) -> anyhow::Result<Opened> {
    let (store, releases) = open_patiently(settings, lifecycle, Patience::WhileItMayPass).await?;
    let clock = open_clock(&store, lifecycle).await?;
    first_run::prepare(&store, settings, clock.now()).await?;
    let link = offer_setup(&store, &settings.auth).await?;
    let identity = Identity::take(&settings.data.dir, WORKER);
    let (events, relay) = (BuildEvents::default(), Waker::default());
    let workplace = Workplace { identity, store, clock, events, relay, errors };
    workplace.prepare().await?;
    Ok(Opened { workplace, releases, link })
}

/// The API and the builder tell each other of builds.
fn state(settings: &Settings, workplace: &Workplace, process: &Process, queue: QueueStatus) -> Arc<AppState> {
    let (store, clock) = (workplace.store.clone(), Arc::clone(&workplace.clock));
    let app = AppState::new(settings, store, clock, &Ticks::of_this_machine(), process.recorder.clone());
    let (events, waker, errors) = (workplace.events.clone(), workplace.relay.clone(), workplace.errors.clone());
    Arc::new(AppState { events, waker, errors, queue, ..app })
}
