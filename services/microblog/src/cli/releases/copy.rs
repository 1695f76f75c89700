//! `microblog releases copy`: one release as a plain folder, for `rsync` to a static host, for a backup, for a look.
//!
//! The build folder itself is not for copying: what takes longer than a release to read would be a mixture of several.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use clap::Args;
use microblog_config::Settings;
use microblog_domain::{FilePath, ReleaseId};
use microblog_release::{ReleaseReader, Snapshot};
use rayon::prelude::*;
use serde_json::json;

use crate::cli::output::Output;
use crate::cli::{progress, report};

/// Write the files of one release into a folder: all of them, and no others.
///
/// The folder is made beside its place and put there in one step. One that an earlier copy made is replaced; one that
/// holds anything else is refused.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// A new or empty folder, or one that was copied to before.
    dir: PathBuf,
    /// Copy this release, as `list` shows it, instead of the live one.
    #[arg(long, value_name = "N")]
    release: Option<ReleaseId>,
    /// Make hard links where the file system can: no bytes are copied. The files must not be changed in place then.
    #[arg(long)]
    link: bool,
    /// Print JSON when it is done.
    #[arg(long)]
    json: bool,
}

/// A file of the release, and where it lies.
type File = (FilePath, PathBuf);

pub(crate) fn run(args: &CopyArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let reader = ReleaseReader::open(&settings.build.dir)?;
    let output = Output::prepare(&args.dir, &[&settings.build.dir, &settings.data.dir])?;
    let snapshot = match args.release {
        Some(id) => reader.snapshot_of(id)?,
        None => reader.snapshot()?,
    };
    let linked = write(&snapshot, &output, args.link)?;
    let release = snapshot.release().clone();
    // From here on nobody needs the release to stay as it is.
    drop(snapshot);
    drop(output.replace(None).with_context(|| format!("putting {} into its place", args.dir.display()))?);
    let (id, files, bytes) = (release.id, release.totals.files, release.totals.bytes);
    if args.json {
        report::answer(&json!({"release": id, "files": files, "bytes": bytes, "linked": linked, "dir": args.dir}))?;
    } else {
        report::say(format_args!("Release {id}, {files} files, is in {}.", args.dir.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes every file; tells how many are links.
fn write(snapshot: &Snapshot, output: &Output, link: bool) -> anyhow::Result<u64> {
    let files: Vec<File> = snapshot.files().map(|(path, _, source)| (path, source)).collect();
    let bar = progress::bar("copying", files.len());
    let linked = AtomicU64::new(0);
    files.par_iter().try_for_each(|(path, source)| {
        let is_link = link && output.link(source, path).is_ok();
        if !is_link {
            output.copy_with_time(source, path).with_context(|| lost(source, path, snapshot))?;
        }
        linked.fetch_add(u64::from(is_link), Ordering::Relaxed);
        bar.inc(1);
        anyhow::Ok(())
    })?;
    bar.finish_and_clear();
    Ok(linked.into_inner())
}

fn lost(source: &Path, path: &FilePath, snapshot: &Snapshot) -> String {
    let id = snapshot.release().id;
    let hint = if source.exists() { "" } else { "; the release is no longer kept, choose one of `releases list`" };
    format!("copying /{path} of release {id} from {}{hint}", source.display())
}
