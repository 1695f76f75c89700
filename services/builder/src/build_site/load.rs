//! Reading what changed since the worker last looked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use microblog_domain::media::public_file;
use microblog_domain::{ChangeSeq, Post, PostId, ReleaseId, SiteSettings};
use microblog_site::{Change, Entry, Site, SourcePost, Theme};
use microblog_store::posts::changes;
use microblog_store::{Snapshot, media, releases, settings};
use rayon::prelude::*;

use super::desk::{Desk, Dirty, Memory, ThemeStamp, theme_stamp};
use super::{BuildError, Control};

/// Rows read in one go.
const BATCH: u32 = 500;

/// What a build learns from the database, besides the site.
pub(super) struct Loaded {
    /// The state of the database that this build shows.
    pub(super) snapshot: Snapshot,
    /// The release that somebody holds the site at.
    pub(super) pinned: Option<ReleaseId>,
    pub(super) warnings: Vec<String>,
}

/// Brings the site in memory up to date with the database.
pub(super) fn bring_up_to_date(desk: &mut Desk, control: &Control) -> Result<Loaded, BuildError> {
    let runtime = desk.runtime.clone();
    let mut snapshot = runtime.block_on(desk.store.snapshot())?;
    let pinned = runtime.block_on(releases::pinned(&mut snapshot))?;
    let mut loaded = Loaded { snapshot, pinned, warnings: Vec::new() };
    let settings = current_settings(desk, &mut loaded.snapshot)?;
    let theme = theme_stamp(desk.config.theme.as_ref());
    let is_current = |memory: &Memory| memory.settings == settings && memory.theme == theme;
    let memory = match desk.memory.take().filter(is_current) {
        Some(memory) => follow(memory, desk, &mut loaded)?,
        None => remember(desk, settings, theme, &mut loaded, control)?,
    };
    loaded.warnings.extend(memory.site.address_problems().iter().map(ToString::to_string));
    desk.memory = Some(memory);
    Ok(loaded)
}

fn current_settings(desk: &Desk, snapshot: &mut Snapshot) -> Result<SiteSettings, BuildError> {
    let saved = desk.runtime.block_on(settings::find(snapshot))?;
    Ok(saved.map_or_else(|| desk.config.first_settings.clone(), |saved| saved.settings))
}

/// Reads everything. What readers see of it is not known yet.
fn remember(
    desk: &Desk,
    settings: SiteSettings,
    theme: ThemeStamp,
    loaded: &mut Loaded,
    control: &Control,
) -> Result<Memory, BuildError> {
    let mut memory = Memory {
        site: read_all(desk, &settings, loaded, control)?,
        seen: ChangeSeq(0),
        settings,
        theme,
        media: BTreeMap::new(),
        shown_by: None,
        dirty: Dirty::default(),
    };
    follow_media(&mut memory, desk, &mut loaded.snapshot)?;
    memory.seen = desk.runtime.block_on(microblog_store::newest_change(&mut loaded.snapshot))?;
    Ok(memory)
}

/// Reads every published post: the next ones while those before are digested.
fn read_all(desk: &Desk, settings: &SiteSettings, loaded: &mut Loaded, control: &Control) -> Result<Site, BuildError> {
    let theme = match &desk.config.theme {
        Some(folder) => Theme::with_overrides(folder)?,
        None => Theme::builtin()?,
    };
    let mut site = Site::new(Arc::new(settings.clone()), Arc::new(theme))?;
    let Loaded { snapshot, warnings, .. } = loaded;
    let mut page_after = |last| desk.runtime.block_on(changes::published_page(snapshot, last, BATCH));
    let mut entries = Vec::new();
    let mut posts = page_after(None)?;
    while let Some(last) = posts.last().map(|post| post.id) {
        control.check()?;
        let digest_all = || posts.into_par_iter().map(|post| digest(&site, post)).collect::<Vec<_>>();
        let (digested, next) = rayon::join(digest_all, || page_after(Some(last)));
        entries.extend(digested.into_iter().filter_map(|entry| keep(entry, warnings)));
        posts = next?;
    }
    site.fill(entries);
    Ok(site)
}

/// Takes over what changed since the memory was made.
fn follow(mut memory: Memory, desk: &Desk, loaded: &mut Loaded) -> Result<Memory, BuildError> {
    let mut seen = memory.seen;
    loop {
        let changed = desk.runtime.block_on(changes::changed_since(&mut loaded.snapshot, seen, BATCH))?;
        let Some(last) = changed.last() else { break };
        seen = last.seq;
        let digested: Vec<_> = changed
            .into_par_iter()
            .map(|change| (change.id, change.published.map(|post| digest(&memory.site, post))))
            .collect();
        let edits = digested.into_iter().map(|(id, entry)| {
            let entry = entry.and_then(|entry| keep(entry, &mut loaded.warnings));
            entry.map_or(Change::Remove(id), Change::Put)
        });
        memory.dirty.pages.extend(memory.site.apply(edits));
    }
    follow_media(&mut memory, desk, &mut loaded.snapshot)?;
    memory.seen = desk.runtime.block_on(microblog_store::newest_change(&mut loaded.snapshot))?;
    Ok(memory)
}

/// Takes over which uploads were added and deleted since the memory was made.
fn follow_media(memory: &mut Memory, desk: &Desk, snapshot: &mut Snapshot) -> Result<(), BuildError> {
    let mut seen = memory.seen;
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
