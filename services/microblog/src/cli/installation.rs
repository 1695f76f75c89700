//! The installation that a command works on: its settings, its database, its releases.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use microblog_config::{Settings, Sources};
use microblog_domain::{Clock as _, DatabaseUrl, InstallationId, SystemClock};
use microblog_release::{Options, ReleaseStore, Repaired};
use microblog_store::{Origin, Store, installation};

/// Which installation, where the environment does not say it.
#[derive(Debug, Clone, Args)]
pub(crate) struct SettingsArgs {
    /// Read settings from this file: TOML, or YAML by its ending.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Set one setting, such as server.listen=127.0.0.1:9000; wins over file and environment. May be given repeatedly.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value, global = true)]
    overrides: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it like server.listen=127.0.0.1:9000")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl SettingsArgs {
    /// Reads the settings; the error lists every mistake.
    pub(crate) fn load(&self) -> anyhow::Result<Settings> {
        let sources = Sources::of_this_process(self.config.clone(), self.overrides.clone());
        Ok(Settings::load(&sources)?)
    }
}

/// Runs what needs the database.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Opens the database; makes it, and brings it up to date, if need be.
pub(crate) async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    Ok(Store::open(&settings.database.url).await?)
}

/// Opens the database of an installation that must be there: who looks into the wrong folder is told so, and no new
/// installation is made there.
pub(crate) async fn open_existing_store(settings: &Settings) -> anyhow::Result<Store> {
    let DatabaseUrl::Sqlite(path) = &settings.database.url;
    ensure!(
        path.exists(),
        "there is no database at {}: go to the folder of your site, or name it with --config FILE or --set \
         data.dir=FOLDER; `microblog up` makes a new one",
        path.display()
    );
    open_store(settings).await
}

/// Opens the release store for somebody who does not build there: whose releases it holds does not matter.
pub(crate) fn open_releases(settings: &Settings) -> anyhow::Result<ReleaseStore> {
    open_releases_of(settings, None)
}

/// Opens the release store to build there; refused where another installation does.
pub(crate) async fn open_own_releases(settings: &Settings, store: &Store) -> anyhow::Result<ReleaseStore> {
    let releases = open_releases_of(settings, Some(installation_id(store).await?))?;
    let repaired = releases.last_repair().filter(|repaired| repaired.undone.is_some() || repaired.swept > 0);
    if let Some(Repaired { undone, swept }) = repaired {
        let undone = undone.map(|release| release.0);
        tracing::info!(undone, swept, "the release store was left in the middle of a change and is in order again");
    }
    Ok(releases)
}

fn open_releases_of(settings: &Settings, installation: Option<InstallationId>) -> anyhow::Result<ReleaseStore> {
    let keep = usize::try_from(settings.release.keep)?;
    let options = Options { keep, compress: settings.release.compress, installation, ..Options::default() };
    let releases = ReleaseStore::open(&settings.build.dir, options);
    releases.with_context(|| format!("opening the releases in {}", settings.build.dir.display()))
}

/// By what an installation knows its own releases.
pub(crate) async fn installation_id(store: &Store) -> anyhow::Result<InstallationId> {
    let mut tx = store.begin().await?;
    let id = installation::id(&mut tx, SystemClock.now()).await?;
    tx.commit().await?;
    Ok(id)
}

/// The command line as the origin of a change.
pub(crate) fn origin() -> Origin {
    Origin::system(SystemClock.now())
}
