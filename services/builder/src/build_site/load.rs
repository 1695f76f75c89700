//! Reading what changed since the worker last looked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use microblog_domain::media::public_file;
use microblog_domain::{ChangeSeq, ContentHash, FilePath, Post, PostId, ReleaseId, SiteSettings};
use microblog_site::{Change, Entry, Site, SourcePost, Theme};
use microblog_store::posts::changes;
use microblog_store::{Snapshot, media, releases, settings};
use rayon::prelude::*;

use super::desk::{Desk, Dirty, Memory, theme_stamp};
use super::{BuildError, Control};

/// Rows read in one go.
const BATCH: u32 = 500;

/// What a build works on.
pub(super) struct Loaded {
    /// The state of the database that this build shows.
    pub(super) snapshot: Snapshot,
    /// The release that shows everything but `dirty`. If it is not the live one, everything must be compared.
    pub(super) shown_by: Option<ReleaseId>,
    /// What may differ from that release.
    pub(super) dirty: Dirty,
    /// Uploads by the file of their address.
    pub(super) media: BTreeMap<FilePath, ContentHash>,
    /// The release that somebody holds the site at.
    pub(super) pinned: Option<ReleaseId>,
    pub(super) warnings: Vec<String>,
}

/// Brings the site in memory up to date with the database.
pub(super) fn bring_up_to_date(desk: &mut Desk, control: &Control) -> Result<Loaded, BuildError> {
    let runtime = desk.runtime.clone();
    let mut snapshot = runtime.block_on(desk.store.snapshot())?;
    let mut warnings = Vec::new();
    let saved = runtime.block_on(settings::find(&mut snapshot))?;
    let settings = saved.map_or_else(|| desk.config.first_settings.clone(), |saved| saved.settings);
    let theme = theme_stamp(desk.config.theme.as_ref());
    let is_current = |memory: &Memory| memory.settings == settings && memory.theme == theme;
    match desk.memory.take().filter(is_current) {
        Some(mut memory) => {
            follow(&mut memory, &mut snapshot, desk, &mut warnings)?;
            desk.memory = Some(memory);
        }
        None => {
            let site = read_all(desk, &settings, &mut snapshot, control, &mut warnings)?;
            let seen = ChangeSeq(0);
            let mut memory = Memory {
                site,
                seen: runtime.block_on(microblog_store::newest_change(&mut snapshot))?,
                settings,
                theme,
                media: BTreeMap::new(),
                shown_by: None,
                dirty: Dirty::default(),
            };
            follow_media(&mut memory, seen, &mut snapshot, desk)?;
            desk.memory = Some(memory);
        }
    }
    let pinned = runtime.block_on(releases::pinned(&mut snapshot))?;
    finish(desk, snapshot, pinned, warnings)
}

fn finish(
    desk: &Desk,
    snapshot: Snapshot,
    pinned: Option<ReleaseId>,
    mut warnings: Vec<String>,
) -> Result<Loaded, BuildError> {
    let memory = desk.memory.as_ref().ok_or(BuildError::Stopped)?;
    warnings.extend(memory.site.address_problems().iter().map(ToString::to_string));
    let (shown_by, dirty, media) = (memory.shown_by, memory.dirty.clone(), memory.media.clone());
    Ok(Loaded { snapshot, shown_by, dirty, media, pinned, warnings })
}

/// Reads every published post.
fn read_all(
    desk: &Desk,
    settings: &SiteSettings,
    snapshot: &mut Snapshot,
    control: &Control,
    warnings: &mut Vec<String>,
) -> Result<Site, BuildError> {
    let theme = match &desk.config.theme {
        Some(folder) => Theme::with_overrides(folder)?,
        None => Theme::builtin()?,
    };
    let mut site = Site::new(Arc::new(settings.clone()), Arc::new(theme))?;
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        control.check()?;
        let posts = desk.runtime.block_on(changes::published_page(snapshot, after, BATCH))?;
        let Some(last) = posts.last() else { break };
        after = Some(last.id);
        let digested: Vec<_> = posts.into_par_iter().map(|post| digest(&site, post)).collect();
        entries.extend(digested.into_iter().filter_map(|entry| keep(entry, warnings)));
    }
    site.fill(entries);
    Ok(site)
}

/// Takes over what changed since the memory was made.
fn follow(
    memory: &mut Memory,
    snapshot: &mut Snapshot,
    desk: &Desk,
    warnings: &mut Vec<String>,
) -> Result<(), BuildError> {
    let before = memory.seen;
    loop {
        let changed = desk.runtime.block_on(changes::changed_since(snapshot, memory.seen, BATCH))?;
        let Some(last) = changed.last() else { break };
        memory.seen = last.seq;
        let mut edits = Vec::with_capacity(changed.len());
        for change in changed {
            let entry = change.published.map(|post| digest(&memory.site, post)).and_then(|entry| keep(entry, warnings));
            edits.push(entry.map_or(Change::Remove(change.id), Change::Put));
        }
        memory.dirty.pages.extend(memory.site.apply(edits));
    }
    follow_media(memory, before, snapshot, desk)?;
    memory.seen = desk.runtime.block_on(microblog_store::newest_change(snapshot))?;
    Ok(())
}

fn follow_media(
    memory: &mut Memory,
    mut seen: ChangeSeq,
    snapshot: &mut Snapshot,
    desk: &Desk,
) -> Result<(), BuildError> {
    loop {
        let changed = desk.runtime.block_on(media::changed_since(snapshot, seen, BATCH))?;
        let Some(last) = changed.last() else { return Ok(()) };
        seen = last.change;
        for upload in changed {
            let Ok(file) = public_file(&upload.file.hash, &upload.file.name) else { continue };
            match upload.deleted_at {
                None => drop(memory.media.insert(file.clone(), upload.file.hash)),
                Some(_) => drop(memory.media.remove(&file)),
            }
            memory.dirty.media.insert(file);
        }
    }
}

fn digest(site: &Site, post: Post) -> Result<Entry, String> {
    let id = post.id;
    let source = SourcePost { id, content: post.content, updated_at: post.updated_at };
    site.digest(&source).map_err(|error| format!("post {id} is left out: {error}"))
}

fn keep(entry: Result<Entry, String>, warnings: &mut Vec<String>) -> Option<Entry> {
    entry.map_err(|warning| warnings.push(warning)).ok()
}

/// The texts of some posts, as they are in the snapshot.
pub(super) fn texts(
    snapshot: &mut Snapshot,
    runtime: &tokio::runtime::Handle,
    wanted: &BTreeSet<PostId>,
) -> Result<Vec<Post>, BuildError> {
    let wanted: Vec<_> = wanted.iter().copied().collect();
    let mut posts = Vec::with_capacity(wanted.len());
    for ids in wanted.chunks(changes::MAX_IDS) {
        posts.extend(runtime.block_on(changes::published_among(snapshot, ids))?);
    }
    Ok(posts)
}
