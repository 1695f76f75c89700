//! A builder as its settings describe it: what it opens, what it takes up again, and the tasks that it is made of.

use std::sync::{Arc, Mutex};

use microblog_config::Settings;
use microblog_domain::{BuildMode, Clock, InstallationId, SystemClock};
use microblog_process::{ErrorReports, Lifecycle, Obstacle, Patience, Tasks, open_store, patiently};
use microblog_queue::{BuildEvents, HintReceiver, Waker};
use microblog_release::{Error, Options, ReleaseStore, Repaired};
use microblog_store::builds::{self, BuildRequest, leases};
use microblog_store::{MediaFolder, Origin, Store, StoreError, images, installation};
use tokio::runtime::Handle;

use crate::build_site::{Desk, DeskConfig};
use crate::identity::Identity;
use crate::images::ImageMaker;
use crate::pulse::Pulse;
use crate::quarantine::ProbeCommand;
use crate::worker::{Worker, WorkerConfig};

/// What a builder works with.
#[derive(Debug)]
pub struct Workplace {
    /// Who it is.
    pub identity: Identity,
    /// Posts and jobs.
    pub store: Store,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Told of whatever happens to a build.
    pub events: BuildEvents,
    /// Woken when a job went back to the outbox.
    pub relay: Waker,
    /// Told of whatever goes wrong.
    pub errors: ErrorReports,
}

impl Workplace {
    /// Takes up again what a process of this identity left when it was killed, and asks for the build that every start asks
    /// for: the program, the theme or the build folder may have changed meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let origin = Origin::system(now);
        let mut tx = self.store.begin().await?;
        // Rows before counters, in the order that all transactions lock them.
        images::reconsider(&mut tx, microblog_images::EDITION).await?;
        if self.identity.has_predecessors() {
            images::bury(&mut tx, self.identity.name(), now).await?;
            leases::bury(&mut tx, self.identity.name()).await?;
        }
        builds::ask(&mut tx, &BuildRequest::now(BuildMode::Incremental, &origin), &origin).await?;
        tx.commit().await
    }

    /// Starts the worker, which hears of jobs by `hints`, and the maker of smaller pictures. Gives the worker's pulse.
    pub fn start(
        self,
        tasks: &mut Tasks,
        settings: &Settings,
        releases: ReleaseStore,
        probe: ProbeCommand,
        hints: HintReceiver,
    ) -> Pulse {
        let media = MediaFolder::new(settings.data.media_dir());
        let (clock, relay) = (Arc::clone(&self.clock), self.relay.clone());
        let identity = self.identity.clone();
        let maker = ImageMaker::new(identity.name().to_owned(), self.store.clone(), clock, media, relay);
        let worker = self.worker(settings, releases, probe);
        let pulse = worker.pulse();
        tasks.start("the builder", worker.run(hints, tasks.stop()));
        let stop = tasks.stop();
        tasks.start("the maker of smaller pictures", async move {
            maker.run(stop).await;
            // Until here nobody else may have it.
            drop(identity);
            Ok::<_, std::convert::Infallible>(())
        });
        pulse
    }

    fn worker(self, settings: &Settings, releases: ReleaseStore, probe: ProbeCommand) -> Worker {
        let desk = Desk::new(desk_config(settings), self.store.clone(), releases, Handle::current());
        let config = WorkerConfig {
            name: self.identity.name().to_owned(),
            deadline: settings.build.deadline,
            page_limit: settings.build.page_limit,
            stuck_after: settings.build.page_limit.min(WorkerConfig::default().stuck_after),
            probe: Some(probe),
            ..WorkerConfig::default()
        };
        Worker::new(config, self.store, self.clock, self.events, self.relay, Arc::new(Mutex::new(desk)))
            .reporting(self.errors)
    }
}

/// Where a builder finds what is not in the database.
#[must_use]
pub fn desk_config(settings: &Settings) -> DeskConfig {
    DeskConfig {
        theme: settings.site_server.theme.clone(),
        media: settings.data.media_dir(),
        first_settings: settings.site.clone(),
    }
}

/// Opens the releases. Waits for a process that is changing them. Whoever builds there says for which installation.
///
/// # Errors
/// When the folder can not be used, or holds the releases of another installation.
pub fn open_releases(settings: &Settings, installation: Option<InstallationId>) -> Result<ReleaseStore, Error> {
    let keep = usize::try_from(settings.release.keep).unwrap_or(usize::MAX);
    let options = Options { keep, compress: settings.release.compress, installation, ..Options::default() };
    ReleaseStore::open(&settings.build.dir, options)
}

/// By what an installation knows its own releases.
///
/// # Errors
/// When the database fails.
pub async fn installation_id(store: &Store) -> Result<InstallationId, StoreError> {
    let mut tx = store.begin().await?;
    let id = installation::id(&mut tx, SystemClock.now()).await?;
    tx.commit().await?;
    Ok(id)
}

/// Opens database and releases as a process does that starts: it waits for them, and says so.
///
/// # Errors
/// When somebody has to do something about it, and the patience is not endless.
pub async fn open_patiently(
    settings: &Settings,
    lifecycle: &Lifecycle,
    patience: Patience,
) -> anyhow::Result<(Store, ReleaseStore)> {
    let database = async || open_store(settings).await.map_err(Obstacle::from);
    let store = patiently("database", lifecycle, patience, database).await?;
    let identify = async || installation_id(&store).await.map_err(Obstacle::from);
    let installation = patiently("database", lifecycle, patience, identify).await?;
    let releases = async || {
        let settings = settings.clone();
        let open = move || open_releases(&settings, Some(installation)).map_err(|error| obstacle(&settings, &error));
        let opened = tokio::task::spawn_blocking(open).await;
        opened.unwrap_or_else(|crash| Err(Obstacle::lasting(crash, "opening the releases crashed; see the log")))
    };
    let releases = patiently("storage", lifecycle, patience, releases).await?;
    tell_of_repair(&releases);
    Ok((store, releases))
}

fn tell_of_repair(releases: &ReleaseStore) {
    let repaired = releases.last_repair().filter(|repaired| repaired.undone.is_some() || repaired.swept > 0);
    if let Some(Repaired { undone, swept }) = repaired {
        let undone = undone.map(|release| release.0);
        tracing::info!(undone, swept, "the release store was left in the middle of a change and is in order again");
    }
}

fn obstacle(settings: &Settings, error: &Error) -> Obstacle {
    let told = format!("opening the releases in {}: {error}", settings.build.dir.display());
    match error {
        Error::Locked { .. } | Error::Leased { .. } => Obstacle::passing(told, "another process has the releases"),
        _ => Obstacle::lasting(told, "the releases can not be opened; the log says why"),
    }
}
