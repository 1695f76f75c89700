//! The installation that a command works on: its settings, its database, its releases.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use microblog_config::Settings;
use microblog_domain::{Clock, DatabaseUrl, SystemClock};
use microblog_release::ReleaseStore;
use microblog_store::{Origin, Store, shared_clock};

/// Runs what needs the database.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Opens the database; makes it, and brings it up to date, if need be.
pub(crate) async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    Ok(microblog_process::open_store(settings).await?)
}

/// Opens the database of an installation that must be there: who looks into the wrong folder is told so, and no new
/// installation is made there.
pub(crate) async fn open_existing_store(settings: &Settings) -> anyhow::Result<Store> {
    if let Some(path) = missing_file(settings) {
        bail!(
            "there is no database at {}: go to the folder of your site, or name it with --config FILE or --set \
             data.dir=FOLDER; `microblog up` makes a new one",
            path.display()
        );
    }
    open_store(settings).await
}

/// The file of the database, if it is kept in one and was not made yet. A server is there or says why not.
pub(crate) fn missing_file(settings: &Settings) -> Option<&Path> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) => Some(path.as_path()).filter(|path| !path.exists()),
        DatabaseUrl::Postgres(_) => None,
    }
}

/// Opens the release store for somebody who does not build there: whose releases it holds does not matter.
pub(crate) fn open_releases(settings: &Settings) -> anyhow::Result<ReleaseStore> {
    microblog_builder::open_releases(settings, None)
        .with_context(|| format!("opening the releases in {}", settings.build.dir.display()))
}

/// The clock that the services of the installation go by, which is not always this machine's: what is written is due when
/// they say so.
pub(crate) async fn clock_of(store: &Store) -> anyhow::Result<Arc<dyn Clock>> {
    Ok(shared_clock(store, Arc::new(SystemClock)).await?)
}

/// The command line as the origin of a change.
pub(crate) fn origin(clock: &dyn Clock) -> Origin {
    Origin::system(clock.now())
}
