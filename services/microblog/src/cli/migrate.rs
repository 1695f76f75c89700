//! `microblog migrate` and `microblog check`: is everything ready to start?

use std::fmt;
use std::process::ExitCode;

use microblog_builder::installation_id;
use microblog_config::Settings;
use microblog_domain::InstallationId;
use microblog_process::schema_of;
use microblog_queue::Queue;
use microblog_site::Theme;
use microblog_store::migrate;

use crate::cli::installation::{block_on, missing_file, open_releases, open_store};
use crate::cli::report;

pub(crate) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let schema = block_on(schema(settings))?;
    report::say(format_args!("The database has schema {schema}, the newest that this program knows."));
    Ok(ExitCode::SUCCESS)
}

/// Checks one after the other, and goes on after a failure: all that is wrong is said at once.
pub(crate) fn check(settings: &Settings) -> anyhow::Result<ExitCode> {
    report::say("settings: fine");
    let database = database(settings);
    let is_ready = matches!(database, Ok(Database::Ready));
    let theme = match &settings.site_server.theme {
        Some(folder) => Theme::with_overrides(folder),
        None => Theme::builtin(),
    };
    let checks = [
        ("database", database.map(|database| database.to_string())),
        ("queue", queue(settings)),
        ("releases", live_release(settings, is_ready)),
        ("theme", theme.map(|_| "fine".to_owned()).map_err(Into::into)),
    ];
    let mut all_fine = true;
    for (what, result) in checks {
        all_fine &= result.is_ok();
        match result {
            Ok(state) => report::say(format_args!("{what}: {state}")),
            Err(error) => report::say(format_args!("{what}: {error:#}")),
        }
    }
    Ok(if all_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks at the database; a check makes none, and leaves an older one as it is.
fn database(settings: &Settings) -> anyhow::Result<Database> {
    if missing_file(settings).is_some() {
        return Ok(Database::Missing);
    }
    let schema = block_on(async { Ok(schema_of(settings).await?) })?;
    Ok(if schema == migrate::newest_schema() { Database::Ready } else { Database::Older { schema } })
}

/// What a start would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    Missing,
    Older { schema: i64 },
    Ready,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest = migrate::newest_schema();
        match self {
            Self::Missing => write!(f, "none yet; `microblog up` makes it"),
            Self::Older { schema: 0 } => {
                write!(f, "empty; the first start, or `microblog migrate`, makes schema {newest}")
            }
            Self::Older { schema } => {
                write!(f, "schema {schema}; the next start, or `microblog migrate`, brings it to {newest}")
            }
            Self::Ready => write!(f, "schema {newest}"),
        }
    }
}

fn queue(settings: &Settings) -> anyhow::Result<String> {
    let queue = Queue::at(&settings.queue.url, settings.queue.ca_file.clone(), "microblog check");
    block_on(async { Ok(queue.try_out().await?) })?;
    Ok(match queue {
        Queue::Embedded => "in the database",
        Queue::Broker(_) => "fine",
    }
    .to_owned())
}

async fn schema(settings: &Settings) -> anyhow::Result<i64> {
    let store = open_store(settings).await?;
    let schema = migrate::schema(&mut *store.read().await?).await?;
    store.close().await;
    Ok(schema)
}

/// Whose releases these are is known to a database that is ready.
fn live_release(settings: &Settings, is_ready: bool) -> anyhow::Result<String> {
    if !settings.build.dir.exists() {
        return Ok("none yet".to_owned());
    }
    let store = open_releases(settings)?;
    if is_ready {
        store.check_owner(block_on(own_id(settings))?)?;
    }
    Ok(store.live().map_or("none yet".to_owned(), |live| format!("{} is live", live.id)))
}

async fn own_id(settings: &Settings) -> anyhow::Result<InstallationId> {
    let store = open_store(settings).await?;
    let id = installation_id(&store).await?;
    store.close().await;
    Ok(id)
}
