//! `microblog export`: every post as a Markdown file, with the settings, in a folder that can be imported again.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use microblog_config::Settings;
use microblog_content::{write_post, write_settings};
use microblog_domain::{Post, PostKind};
use microblog_store::posts::list::{self, PostFilter};
use microblog_store::{Store, settings as site_settings};

use crate::cli::installation::{block_on, open_existing_store};
use crate::cli::report;

/// Posts that are in memory at once.
const BATCH: u32 = 200;

/// Write every post as a Markdown file with front matter. What is in the trash stays there.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A new or empty folder.
    dir: PathBuf,
}

pub(crate) fn run(args: &ExportArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let is_free = fs::read_dir(&args.dir).map_or(true, |mut entries| entries.next().is_none());
    ensure!(is_free, "{} is not empty; choose a new folder", args.dir.display());
    let count = block_on(export(settings, &args.dir))?;
    report::say(format_args!("{count} posts exported to {}.", args.dir.display()));
    Ok(ExitCode::SUCCESS)
}

async fn export(settings: &Settings, dir: &Path) -> anyhow::Result<usize> {
    let store = open_existing_store(settings).await?;
    let content = dir.join("content");
    let site = site_settings::load(&mut *store.read().await?).await?.settings;
    write(&content.join("_data/config.yaml"), &write_settings(&site))?;
    let count = export_posts(&store, &content).await?;
    store.close().await;
    Ok(count)
}

async fn export_posts(store: &Store, content: &Path) -> anyhow::Result<usize> {
    let mut taken = HashSet::new();
    let mut filter = PostFilter { limit: BATCH, ..PostFilter::default() };
    let mut snapshot = store.snapshot().await?;
    loop {
        let page = list::list(&mut snapshot, &filter).await?;
        for stored in page.posts {
            let path = free_path(&stored.post, &mut taken);
            write(&content.join(path), &write_post(&stored.post))?;
        }
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(taken.len()),
        }
    }
}

/// The file of a post: by its month, pages at the top, with a number behind names that are taken.
fn free_path(post: &Post, taken: &mut HashSet<PathBuf>) -> PathBuf {
    let slug = &post.content.slug;
    let folder = match (post.content.kind, post.content.published_at) {
        (PostKind::Page, _) => PathBuf::new(),
        (_, Some(date)) => Path::new("posts").join(date.strftime("%Y/%m").to_string()),
        (_, None) => PathBuf::from("drafts"),
    };
    let mut path = folder.join(format!("{slug}.md"));
    let mut number = 2;
    while !taken.insert(path.clone()) {
        path = folder.join(format!("{}.md", slug.numbered(number)));
        number += 1;
    }
    path
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    made.with_context(|| format!("writing {}", path.display()))
}
