//! `microblog releases`: what readers saw, see, and can see again.

mod copy;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use microblog_builder::installation_id;
use microblog_config::Settings;
use microblog_domain::{BuildMode, ReleaseId};
use microblog_release::{Committed, Release, ReleaseStore};
use microblog_store::builds::{self, BuildRequest};
use microblog_store::releases::{self, ReleaseRecord};
use serde_json::{Value, json};

use crate::cli::installation::{block_on, clock_of, open_existing_store, open_releases, open_store, origin};
use crate::cli::report;

/// List, copy, verify, activate, prune and take over the kept releases of the site.
#[derive(Debug, Args)]
pub(crate) struct ReleasesArgs {
    #[command(subcommand)]
    command: ReleasesCommand,
}

#[derive(Debug, Subcommand)]
enum ReleasesCommand {
    /// List the kept releases, the newest first.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    Copy(copy::CopyArgs),
    /// Show an earlier release again, at once, and hold the site at it until it is unpinned in the dashboard.
    Activate {
        /// Its number, as `list` shows it.
        release: ReleaseId,
    },
    /// Read every file of every kept release and compare it with what was written.
    Verify {
        /// Put right what can be put right without a build.
        #[arg(long)]
        mend: bool,
    },
    /// Remove all but the newest releases.
    Prune {
        /// How many stay.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: Option<u32>,
    },
    /// Take over the releases of another installation: for when its database is lost, or this one is to go on with its
    /// site. The other can not publish there any more.
    Adopt,
}

pub(crate) fn run(args: &ReleasesArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    if !settings.build.dir.is_dir() {
        bail!("there are no releases yet: {} does not exist. `microblog up` makes it", settings.build.dir.display());
    }
    if let ReleasesCommand::Copy(args) = &args.command {
        return copy::run(args, settings);
    }
    let mut store = open_releases(settings)?;
    match &args.command {
        ReleasesCommand::Copy(_) => {}
        ReleasesCommand::List { json } => list(&store, *json)?,
        ReleasesCommand::Activate { release } => activate(settings, &mut store, *release)?,
        ReleasesCommand::Verify { mend } => return verify(&mut store, *mend),
        ReleasesCommand::Prune { keep } => {
            let removed = store.prune(keep.unwrap_or(settings.release.keep).try_into()?)?;
            report::say(format_args!("Removed {removed}."));
        }
        ReleasesCommand::Adopt => adopt(settings, &mut store)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(store: &ReleaseStore, as_json: bool) -> anyhow::Result<()> {
    let releases = store.releases()?;
    let live = store.live().map(|live| live.id);
    if as_json {
        return report::answer(&releases.iter().map(|release| entry(release, live)).collect::<Vec<_>>());
    }
    for release in releases {
        let mark = if Some(release.id) == live { "  live" } else { "" };
        let (id, at, pages) = (release.id, release.activated_at, release.totals.pages);
        report::print(format_args!("{id:>6}  {at:.0}  {pages} pages, {} files differ{mark}", release.changed));
    }
    Ok(())
}

fn entry(release: &Release, live: Option<ReleaseId>) -> Value {
    json!({
        "id": release.id, "activated_at": release.activated_at, "live": Some(release.id) == live,
        "pages": release.totals.pages, "files": release.totals.files, "bytes": release.totals.bytes,
        "changed": release.changed,
    })
}

/// The pin comes first: a build that ran in between would make its own release live again. One that ran already may do so
/// afterwards; the build that is asked for here then goes back once more.
fn activate(settings: &Settings, store: &mut ReleaseStore, id: ReleaseId) -> anyhow::Result<()> {
    let kept = store.releases()?.iter().any(|release| release.id == id);
    kept.then_some(()).with_context(|| format!("release {id} is not kept; see `microblog releases list`"))?;
    block_on(async {
        let database = open_store(settings).await?;
        store.check_owner(installation_id(&database).await?)?;
        let origin = origin(&*clock_of(&database).await?);
        let mut tx = database.begin().await?;
        releases::pin(&mut tx, id, &origin).await?;
        builds::ask(&mut tx, &BuildRequest::now(BuildMode::Incremental, &origin), &origin).await?;
        tx.commit().await?;
        if let Committed::Activated(activated) = store.roll_back(id)? {
            let release = activated.release;
            let (pages, activated_at) = (release.totals.pages, release.activated_at);
            let record = ReleaseRecord { id: release.id, build: None, activated_at, pages, rolled_back_to: Some(id) };
            let mut tx = database.begin().await?;
            releases::record(&mut tx, &record).await?;
            tx.commit().await?;
        }
        database.close().await;
        report::say(format_args!("Readers see release {id} again, until somebody unpins it in the dashboard."));
        Ok(())
    })
}

/// Readers notice nothing until this installation builds its own site.
fn adopt(settings: &Settings, store: &mut ReleaseStore) -> anyhow::Result<()> {
    let installation = block_on(async {
        let database = open_existing_store(settings).await?;
        let installation = installation_id(&database).await?;
        database.close().await;
        Ok(installation)
    })?;
    store.adopt(installation)?;
    report::say(format_args!(
        "The releases in {} belong to this installation now. Readers see its own site after the next build; one that \
         loses most of the pages they see now must be a full build.",
        settings.build.dir.display()
    ));
    Ok(())
}

fn verify(store: &mut ReleaseStore, mend: bool) -> anyhow::Result<ExitCode> {
    let audit = store.audit()?;
    audit.flaws.iter().for_each(report::say);
    report::say(format_args!("{} files read, {} flaws.", audit.files, audit.flaws.len()));
    if audit.flaws.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if mend {
        store.mend(&audit.flaws)?;
        report::say("Mended as far as that is possible; the next build makes what was lost.");
        return Ok(ExitCode::SUCCESS);
    }
    report::say("`microblog releases verify --mend` puts right what it can.");
    Ok(ExitCode::FAILURE)
}
