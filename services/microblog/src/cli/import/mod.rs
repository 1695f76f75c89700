//! `microblog import`: posts of a folder into the database.
//!
//! Importing the same folder again adds nothing: a post with the same slug and date is there already. (A page without a
//! date got one when it was imported, so that its slug alone tells.) What the posts were called before comes along
//! (`addresses.rs`).

mod addresses;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use microblog_config::Settings;
use microblog_content::{ContentFolder, FilePost, FileProblem, Reading};
use microblog_domain::{Clock as _, PostStatus, SystemClock, UserId, Version};
use microblog_store::publishing::{self, NewPost};
use microblog_store::{Origin, Store, Transaction, posts, settings as site_settings, users};
use serde::Serialize;

use crate::cli::installation::{block_on, clock_of, open_store, origin};
use crate::cli::{progress, report};

/// Posts in one transaction: few enough that others can write in between.
const BATCH: u32 = 200;

/// Take the posts of a folder (Hugo, Jekyll, Zola or plain Markdown) into the database.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The folder.
    dir: PathBuf,
    /// Whose posts they become; nobody's if it is not said.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// What an import did.
#[derive(Debug, Default, Serialize)]
struct Summary {
    imported: usize,
    already_there: usize,
    settings_imported: bool,
    /// Images and other files, which an import leaves where they are.
    files_left: usize,
    problems: Vec<String>,
    skipped: Vec<String>,
    /// What was found out about where the posts lived before.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_addresses: Option<String>,
}

pub(crate) fn run(args: &ImportArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let folder = ContentFolder::open(&args.dir)?;
    let summary = block_on(import(settings, &folder, args.owner.as_deref()))?;
    if args.json {
        report::answer(&summary)?;
    } else {
        summary.say();
    }
    Ok(if summary.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(settings: &Settings, folder: &ContentFolder, owner: Option<&str>) -> anyhow::Result<Summary> {
    let store = open_store(settings).await?;
    let clock = clock_of(&store).await?;
    let owner = owner_id(&store, owner).await?;
    let mut summary = Summary {
        settings_imported: import_settings(&store, folder, &origin(&*clock)).await?,
        problems: folder.problems().iter().map(ToString::to_string).collect(),
        skipped: folder.skipped().iter().map(ToString::to_string).collect(),
        files_left: folder.static_files().len(),
        ..Summary::default()
    };
    let mut posts = read(folder, &store).await?;
    summary.old_addresses = addresses::keep(&mut posts, folder, &store).await?;
    let bar = progress::bar("Importing", posts.len());
    let mut posts = posts.into_iter().peekable();
    while posts.peek().is_some() {
        let mut tx = store.begin().await?;
        for post in posts.by_ref().take(BATCH as usize) {
            bar.inc(1);
            match post {
                Ok(post) => import_post(&mut tx, post, owner, &origin(&*clock), &mut summary).await?,
                Err(problem) => summary.problems.push(problem.to_string()),
            }
        }
        tx.commit().await?;
    }
    bar.finish_and_clear();
    store.close().await;
    Ok(summary)
}

async fn owner_id(store: &Store, name: Option<&str>) -> anyhow::Result<Option<UserId>> {
    let Some(name) = name else { return Ok(None) };
    let found = users::find_by_name(&mut *store.read().await?, name).await?;
    Ok(Some(found.with_context(|| format!("nobody is called {name:?}; see `microblog user list`"))?.user.id))
}

/// A site that has settings keeps them.
async fn import_settings(store: &Store, folder: &ContentFolder, origin: &Origin) -> anyhow::Result<bool> {
    let Some(settings) = folder.settings() else { return Ok(false) };
    let mut tx = store.begin().await?;
    if site_settings::find(&mut tx).await?.is_some() {
        return Ok(false);
    }
    site_settings::save(&mut tx, Version(0), settings, origin).await?;
    tx.commit().await?;
    Ok(true)
}

/// All posts, in the time zone that the site has now.
async fn read(folder: &ContentFolder, store: &Store) -> anyhow::Result<Vec<Result<FilePost, FileProblem>>> {
    let site = site_settings::load(&mut *store.read().await?).await?.settings;
    let reading = Reading { zone: site.timezone.rules().clone(), now: SystemClock.now() };
    Ok(folder.read_posts(&reading, |post| post))
}

async fn import_post(
    tx: &mut Transaction,
    post: FilePost,
    owner: Option<UserId>,
    origin: &Origin,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let same_slug = posts::with_slug(tx, &post.content.slug).await?;
    summary.files_left += post.resources.len();
    let date = post.content.published_at;
    if same_slug.iter().any(|there| date.is_none() || there.post.content.published_at == date) {
        summary.already_there += 1;
        return Ok(());
    }
    let path = post.path.clone();
    let publish = post.status != PostStatus::Draft;
    let updated_at = post.updated_at.or(post.content.published_at);
    let new = NewPost { content: post.content, publish, owner, updated_at };
    publishing::create(tx, new, origin).await.with_context(|| format!("importing {}", path.display()))?;
    summary.imported += 1;
    Ok(())
}

impl Summary {
    fn say(&self) {
        self.problems.iter().for_each(report::say);
        self.skipped.iter().for_each(|skipped| report::say(format_args!("skipped: {skipped}")));
        report::say(format_args!(
            "{} posts imported, {} were there already, {} files could not be used.",
            self.imported,
            self.already_there,
            self.problems.len()
        ));
        self.old_addresses.iter().for_each(report::say);
        if self.settings_imported {
            report::say("The site took over the settings of the folder.");
        }
        if self.files_left > 0 {
            report::say(format_args!("{} images and other files were left where they are.", self.files_left));
        }
    }
}
