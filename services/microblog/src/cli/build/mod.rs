//! `microblog build`: a folder in, a site out; no database, no queue.
//!
//! Read [`run`], then [`build`]: its steps in order. [`load`] makes a site of the folder, [`Output`] sees to it that a
//! build that fails leaves the site that was there before; [`record`] to it that a build with nothing to do ends at once.

mod images;
mod load;
mod record;
mod siblings;
mod summary;
mod write;

use std::iter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use microblog_content::ContentFolder;
use microblog_domain::{BaseUrl, Clock as _, SiteSettings, SystemClock};
use microblog_site::{Site, Theme};

use self::images::{Cache, Images};
use self::load::Loaded;
use self::record::{Choices, Record, Records};
use self::summary::{Outcome, Problem, Summary};
use crate::cli::output::{Output, Replaced};
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
when all is written; a build that fails leaves it as it was, and so does one for which nothing has changed.")]
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
    /// Make no smaller variants of pictures.
    #[arg(long)]
    no_images: bool,
    /// Where smaller variants of pictures are kept from one build to the next; by default "microblog" in your cache
    /// folder, $XDG_CACHE_HOME or ~/.cache. It can be removed at any time.
    #[arg(long, value_name = "DIR", conflicts_with = "no_images")]
    cache: Option<PathBuf>,
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
    let now = SystemClock.now();
    let sources: Vec<&Path> = iter::once(args.content.as_path()).chain(args.theme.as_deref()).collect();
    let output = Output::prepare(&args.output, &sources)?;
    let folder = ContentFolder::open(&args.content)?;
    let site = Site::new(Arc::new(settings(args, &folder)), Arc::new(theme(args)?))?;
    let pictures = pictures(args)?;
    let choices = Choices { compress: args.compress, images: pictures.is_some() };
    // Drafts without a date are dated now: two builds of them are never the same.
    let made_from = if args.drafts { None } else { record::made_from(&site, &folder, choices, output.began()?) };
    let records = cache_folder(args).map(|cache| Records::within(&cache));
    if let (Some(made_from), Some(records)) = (&made_from, &records)
        && output.note().as_ref() == Some(made_from)
        && let Some(last) = records.find(output.place()).filter(|last| last.holds(made_from, now))
    {
        return Ok((last.summary.again(), None));
    }
    let (summary, until) = write_anew(args, now, site, &folder, pictures, &output)?;
    if summary.outcome == Outcome::Refused {
        return Ok((summary, None));
    }
    let place = output.place().to_owned();
    let put = output.replace(made_from.as_deref());
    let replaced = put.with_context(|| format!("putting the site to {}", args.output.display()))?;
    if let (Some(made_from), Some(records)) = (made_from, records) {
        let record = Record { made_from, until, summary };
        // Without a record the next build is a whole one.
        let _ = records.keep(&place, &record);
        return Ok((record.summary, Some(replaced)));
    }
    Ok((summary, Some(replaced)))
}

/// Writes the whole site. Also tells when the next scheduled post appears.
fn write_anew(
    args: &BuildArgs,
    now: Timestamp,
    mut site: Site,
    folder: &ContentFolder,
    pictures: Option<Cache>,
    output: &Output,
) -> anyhow::Result<(Summary, Option<Timestamp>)> {
    let images = Images::new(folder, pictures);
    let mut loaded = Loaded::load(folder, &mut site, &images, now, args.drafts);
    let mut problems: Vec<Problem> = folder.problems().iter().map(Problem::from).collect();
    problems.extend(loaded.problems());
    problems.extend(loaded.address_problems(&site));
    problems.extend(images.problems());

    let written = write::write_site(&site, &loaded, folder, &images, output, args.compress)?;
    problems.extend(written.problems);
    let summary = Summary {
        output: args.output.clone(),
        posts: loaded.post_count(),
        pages: written.pages,
        files: written.files,
        variants: Some(written.variants).filter(|_| !args.no_images),
        compressed: written.compressed,
        old_addresses: loaded.old_addresses(),
        skipped: folder.skipped().iter().map(ToString::to_string).collect(),
        outcome: if args.strict && !problems.is_empty() { Outcome::Refused } else { Outcome::Built },
        problems,
        seconds: 0.0,
    };
    let next_scheduled = loaded.next_scheduled();
    // The process is about to end: to free a large site piece by piece would only take its time.
    std::mem::forget((site, loaded));
    Ok((summary, next_scheduled))
}

/// What is kept from one build to the next.
fn cache_folder(args: &BuildArgs) -> Option<PathBuf> {
    args.cache.clone().or_else(microblog_config::cache_folder)
}

/// Where variants of pictures are kept, unless there shall be none. That there is no usual place stops no build.
fn pictures(args: &BuildArgs) -> anyhow::Result<Option<Cache>> {
    if args.no_images {
        return Ok(None);
    }
    if let Some(folder) = &args.cache {
        return Cache::open(folder).map(Some);
    }
    let usual = microblog_config::cache_folder().context("there is no home folder to keep them in; give --cache DIR");
    Ok(usual
        .and_then(|folder| Cache::open(&folder))
        .map_err(|error| {
            report::say(format_args!("Pictures are shown without smaller variants: {error:#}"));
        })
        .ok())
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
