//! A process from its start to its end: what [`Process`] does is what every program does.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use microblog_config::Settings;
use microblog_domain::{Clock, SystemClock};
use microblog_store::Store;
use microblog_telemetry::Recorder;
use microblog_telemetry::logs::Form;

use crate::errors::{ErrorKeeper, ErrorReports};
use crate::report::Logged;
use crate::signals::{Order, Signals};
use crate::{Lifecycle, SettingsArgs, Tasks, descriptors, front, logging, metrics, server};

/// Reads the settings, starts logs and threads, and runs `serve` on them.
///
/// # Errors
/// When there are mistakes in the settings, or `serve` fails or can not even be begun.
pub fn run<F>(service: &'static str, args: &SettingsArgs, serve: impl FnOnce(Settings) -> F) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the threads")?;
    let hangups = logging::listen_for_hangups(&runtime);
    let settings = args.load()?;
    let _recorder = Recorder::of_this_process()?;
    // Dropped last, here and by nobody else: what waits is written and sent then, before the process ends.
    let telemetry = logging::start(service, &settings)?;
    descriptors::raise();
    runtime.spawn(logging::follow_settings(hangups, telemetry.log_level(), args.clone(), settings.log.level.clone()));
    let served = runtime.block_on(serve(settings));
    if let Err(error) = &served {
        // The log file hears it, too, before it is closed.
        tracing::error!(error = format!("{error:#}"), "the process ends");
    }
    // Work that did not stop in time must not keep the process from ending.
    runtime.shutdown_background();
    match telemetry.form() {
        Form::Json => served.context(Logged)?,
        Form::Text => served?,
    }
    Ok(ExitCode::SUCCESS)
}

/// How a process ended that was told to stop: what went wrong meanwhile is no reason to begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldToStop;

impl fmt::Display for ToldToStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("when it was told to stop")
    }
}

/// A process that was told to start, and not yet to stop.
#[derive(Debug)]
pub struct Process {
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// What runs in it.
    pub tasks: Tasks,
    /// What it counts.
    pub recorder: Recorder,
    /// What went wrong in it.
    pub errors: ErrorReports,
    signals: Signals,
    drain: Duration,
}

impl Process {
    /// Begins to listen for signals. Told to stop by a service manager, the process goes on for as long as `drain` says,
    /// so that nobody sends requests any more when it stops.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn begin(service: &'static str, drain: Duration) -> anyhow::Result<Self> {
        let signals = Signals::listen().context("listening for signals")?;
        let recorder = Recorder::of_this_process()?;
        metrics::begin(service);
        let errors = ErrorReports::default();
        errors.hear_of_panics();
        let mut tasks = Tasks::new();
        tasks.start_endless("the recorder of metrics", recorder.clone().upkeep());
        tasks.start_endless("the watch over the runtime", metrics::watch_runtime());
        Ok(Self { lifecycle: Lifecycle::new(), tasks, recorder, errors, signals, drain })
    }

    /// Begins to answer on an address: at first that the process lives, and what it waits for. Gives the address, whose
    /// port the system has chosen if the setting says 0.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn listen(&mut self, address: SocketAddr, setting: &str) -> anyhow::Result<SocketAddr> {
        let listener = server::listen(address, setting).await?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "listening");
        let router = front(self.lifecycle.clone(), self.recorder.clone(), Arc::new(SystemClock) as Arc<dyn Clock>);
        self.tasks.start("the HTTP server", server::serve(listener, router, self.tasks.stopped()));
        Ok(address)
    }

    /// Does what a start needs; nothing comes of it if the process is told to stop before it is done.
    ///
    /// # Errors
    /// When it fails.
    pub async fn starting<T>(&mut self, start: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Option<T>> {
        tokio::select! {
            started = start => started.map(Some),
            _ = self.signals.first() => Ok(None),
        }
    }

    /// From now on what goes wrong is stored, also what did so far.
    pub fn keep_errors(&mut self, store: &Store, clock: &Arc<dyn Clock>) -> ErrorKeeper {
        let keeper = ErrorKeeper::new(self.errors.clone(), store.clone(), Arc::clone(clock));
        self.tasks.start_endless("the keeper of errors", keeper.clone().run());
        keeper
    }

    /// From now on requests are answered by this.
    pub fn serve(&self, app: Router) {
        self.lifecycle.serve(app);
        tracing::info!(version = crate::VERSION, "ready");
    }

    /// Goes on until it is told to stop or a task ends; then ends all of them.
    ///
    /// # Errors
    /// Names the task that failed first, in the context of [`ToldToStop`] if it was told; or says that the process was told
    /// twice, and so ended at once.
    pub async fn run(self) -> anyhow::Result<()> {
        let (mut first, mut second) = (self.signals.clone(), self.signals.clone());
        let (lifecycle, drain) = (self.lifecycle, self.drain);
        let told_to_stop = async move {
            let order = first.first().await;
            lifecycle.drain();
            if order == Order::Terminate {
                tokio::time::sleep(drain).await;
            }
            Ok(())
        };
        tokio::select! {
            ended = self.tasks.run_until(told_to_stop) => match self.signals.is_heard() {
                true => ended.context(ToldToStop),
                false => ended,
            },
            () = second.second() => bail!("told twice to stop: what was under way is cut off, and taken up again at the next start"),
        }
    }
}
