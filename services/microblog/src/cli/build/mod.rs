//! `microblog build`: a folder in, a site out; no database, no queue.
//!
//! Read [`run`], then [`build`]: its steps in order. [`load`] makes a site of the folder, [`output`] sees to it that a
//! build that fails leaves the site that was there before.

mod load;
mod output;
mod siblings;
mod summary;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use microblog_content::ContentFolder;
use microblog_domain::{BaseUrl, Clock as _, SiteSettings, SystemClock};
use microblog_site::{Site, Theme};

use self::load::Loaded;
use self::output::{Output, Replaced};
use self::summary::{Problem, Summary};
use crate::cli::report;

/// Build a site from a folder of Markdown files.
///
/// Takes the folders of Hugo, Jekyll and Zola as they are, a content folder, or any folder with .md files. Dates and
/// titles come from front matter, from file names such as 2024-01-31-hello.md, and from first headings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  microblog build --content . --output public
  microblog build --content . --output public --drafts --base-url http://localhost:8080

A file that can not be used is named with its reason, and the others go on. The output folder is replaced as a whole \
when all is written; a build that fails leaves it as it was.")]
pub(crate) struct BuildArgs {
    /// The folder with the posts.
    #[arg(long, value_name = "DIR")]
    content: PathBuf,
    /// Where the site goes: a new or empty folder, or one that an earlier build made.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// A folder whose templates/ and assets/ replace those of the default theme.
    #[arg(long, value_name = "DIR")]
    theme: Option<PathBuf>,
    /// Where the site will be found, instead of what its settings say.
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
    /// Show drafts and scheduled posts, too.
    #[arg(long)]
    drafts: bool,
    /// Do not colour code.
    #[arg(long)]
    no_highlight: bool,
    /// Put a compressed copy (.gz) beside each text that is worth it, for hosts that send these as they are.
    #[arg(long)]
    compress: bool,
    /// Fail if anything is wrong with any file.
    #[arg(long)]
    strict: bool,
    /// How many threads to use; all cores by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Print the summary as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// Builds the site and says how that went.
pub(crate) fn run(args: &BuildArgs) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.jobs.unwrap_or(0).into()).build()?;
    let (mut summary, replaced) = threads.install(|| build(args))?;
    summary.seconds = started.elapsed().as_secs_f64();
    if args.json {
        report::answer(&summary)?;
    } else {
        summary.say();
    }
    drop(replaced);
    Ok(if args.strict && !summary.problems.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn build(args: &BuildArgs) -> anyhow::Result<(Summary, Option<Replaced>)> {
    let output = Output::prepare(&args.output)?;
    let folder = ContentFolder::open(&args.content)?;
    let mut site = Site::new(Arc::new(settings(args, &folder)), Arc::new(theme(args)?))?;
    let mut loaded = Loaded::load(&folder, &mut site, SystemClock.now(), args.drafts);
    let mut problems: Vec<Problem> = folder.problems().iter().map(Problem::from).collect();
    problems.extend(loaded.problems());
    problems.extend(loaded.address_problems(&site));

    let written = write::write_site(&site, &loaded, &folder, &output, args.compress)?;
    problems.extend(written.problems);
    let summary = Summary {
        output: args.output.clone(),
        posts: loaded.post_count(),
        pages: written.pages,
        files: written.files,
        compressed: written.compressed,
        old_addresses: loaded.old_addresses(),
        skipped: folder.skipped().iter().map(ToString::to_string).collect(),
        is_live: !args.strict || problems.is_empty(),
        problems,
        seconds: 0.0,
    };
    let put = || output.replace().with_context(|| format!("putting the site to {}", args.output.display()));
    let replaced = if summary.is_live { Some(put()?) } else { None };
    // The process is about to end: to free a large site piece by piece would only take its time.
    std::mem::forget((site, loaded));
    Ok((summary, replaced))
}

/// The folder's settings, under those of the command line.
fn settings(args: &BuildArgs, folder: &ContentFolder) -> SiteSettings {
    let mut settings = folder.settings().cloned().unwrap_or_default();
    settings.highlight &= !args.no_highlight;
    settings.base_url = args.base_url.clone().unwrap_or(settings.base_url);
    settings
}

fn theme(args: &BuildArgs) -> anyhow::Result<Theme> {
    Ok(match &args.theme {
        Some(folder) => Theme::with_overrides(folder)?,
        None => Theme::builtin()?,
    })
}
