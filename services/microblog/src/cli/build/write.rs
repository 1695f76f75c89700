//! Rendering every page and writing it, on all cores, then the files that the site holds as they are.

use std::collections::HashSet;

use anyhow::Context as _;
use microblog_content::{ContentFolder, StaticFile};
use microblog_domain::FilePath;
use microblog_site::{PageKey, Site};
use rayon::prelude::*;

use super::images::{Images, place_beside};
use super::load::Loaded;
use super::siblings;
use super::summary::Problem;
use crate::cli::output::Output;
use crate::cli::progress;

/// What was written.
pub(super) struct Written {
    pub(super) pages: usize,
    pub(super) files: usize,
    pub(super) variants: usize,
    pub(super) compressed: Option<usize>,
    pub(super) problems: Vec<Problem>,
}

/// Writes pages and files. Stops at the first error: what is half written is never shown.
pub(super) fn write_site(
    site: &Site,
    loaded: &Loaded<'_>,
    folder: &ContentFolder,
    images: &Images,
    output: &Output,
    with_siblings: bool,
) -> anyhow::Result<Written> {
    let pages = site.pages();
    write_pages(site, &pages, loaded, output)?;
    let mut files = folder.static_files().to_vec();
    files.extend(resources(site, loaded));
    let (files, problems) = sort_out(files, &pages);
    copy(&files, output)?;
    let variants: Vec<_> = images.variants().into_iter().map(|(path, source)| StaticFile { source, path }).collect();
    copy(&variants, output)?;
    let compress = || {
        let all = pages.iter().filter_map(PageKey::file).chain(files.iter().map(|file| file.path.clone())).collect();
        siblings::compress_files(&all, output)
    };
    let compressed = with_siblings.then(compress).transpose()?;
    Ok(Written { pages: pages.len(), files: files.len(), variants: variants.len(), compressed, problems })
}

fn copy(files: &[StaticFile], output: &Output) -> anyhow::Result<()> {
    files.par_iter().try_for_each(|file| {
        let copied = output.copy(&file.source, &file.path);
        copied.with_context(|| format!("copying {} to {}", file.source.display(), file.path))
    })
}

fn write_pages(site: &Site, pages: &[PageKey], loaded: &Loaded<'_>, output: &Output) -> anyhow::Result<()> {
    let renderer = site.renderer(loaded);
    let bar = progress::bar("Rendering", pages.len());
    let written = pages.par_iter().try_for_each(|key| {
        if let Some(view) = site.view(key) {
            let page = renderer.render(&view)?;
            output.write(&page.file, &page.body).with_context(|| format!("writing {}", page.file))?;
        }
        bar.inc(1);
        Ok(())
    });
    bar.finish_and_clear();
    written
}

/// The files beside posts, each beside its post's page.
fn resources(site: &Site, loaded: &Loaded<'_>) -> Vec<StaticFile> {
    let mut files: Vec<StaticFile> = loaded
        .resources()
        .filter_map(|(id, resource)| {
            let path = place_beside(site.entry(id)?.address(), &resource.name)?;
            Some(StaticFile { source: resource.source.clone(), path })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// A file of the author's wins over a page that the site makes by itself; that it hides anything but `robots.txt` and
/// `404.html` is worth saying. A file that wins over nothing but another file comes too late.
fn sort_out(files: Vec<StaticFile>, pages: &[PageKey]) -> (Vec<StaticFile>, Vec<Problem>) {
    let meant_to_be_replaced = |key: &PageKey| matches!(key, PageKey::Robots | PageKey::NotFound);
    let hidden: HashSet<FilePath> =
        pages.iter().filter(|key| !meant_to_be_replaced(key)).filter_map(PageKey::file).collect();
    let mut taken = HashSet::new();
    let mut problems = Vec::new();
    let mut kept = Vec::with_capacity(files.len());
    for file in files {
        let problem = |reason| Problem { path: file.source.clone(), line: None, reason };
        if hidden.contains(&file.path) {
            problems.push(problem(format!("stands in the site instead of the page {}", file.path)));
        }
        if taken.insert(file.path.clone()) {
            kept.push(file);
        } else {
            problems.push(problem(format!("is left out: another file is {} in the site", file.path)));
        }
    }
    (kept, problems)
}
