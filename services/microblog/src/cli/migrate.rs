//! `microblog migrate` and `microblog check`: is everything ready to start?

use std::process::ExitCode;

use microblog_builder::installation_id;
use microblog_config::Settings;
use microblog_domain::InstallationId;
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
    let theme = match &settings.site_server.theme {
        Some(folder) => Theme::with_overrides(folder),
        None => Theme::builtin(),
    };
    let checks = [
        ("database", database),
        ("queue", queue(settings)),
        ("releases", live_release(settings)),
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

/// Looks at the database; a check makes none.
fn database(settings: &Settings) -> anyhow::Result<String> {
    if !has_database(settings) {
        return Ok("none yet; `microblog up` makes it".to_owned());
    }
    block_on(schema(settings)).map(|schema| format!("schema {schema}"))
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

fn has_database(settings: &Settings) -> bool {
    missing_file(settings).is_none()
}

async fn schema(settings: &Settings) -> anyhow::Result<i64> {
    let store = open_store(settings).await?;
    let schema = migrate::schema(&mut *store.read().await?).await?;
    store.close().await;
    Ok(schema)
}

fn live_release(settings: &Settings) -> anyhow::Result<String> {
    if !settings.build.dir.exists() {
        return Ok("none yet".to_owned());
    }
    let store = open_releases(settings)?;
    if has_database(settings) {
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
