//! Reading what changed since the worker last looked.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use microblog_domain::media::{ImageVariant, stored_file};
use microblog_domain::{ChangeSeq, ContentHash, Post, PostId, ReleaseId, SiteSettings};
use microblog_site::{Change, Entry, Site, SourcePost, Theme};
use microblog_store::media::Media;
use microblog_store::posts::changes;
use microblog_store::{Snapshot, StoreError, builds, images, in_time, media, releases, settings};
use rayon::prelude::*;
use tokio::runtime::Handle;

use super::desk::{Desk, DeskConfig, Dirty, Landmark, Memory, ThemeStamp, theme_stamp};
use super::media::{MediaFiles, PublicUpload};
use super::pieces::Piece;
use super::{BuildError, Control, Order};

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
pub(super) fn bring_up_to_date(desk: &mut Desk, order: Order, control: &Control) -> Result<Loaded, BuildError> {
    let runtime = desk.runtime.clone();
    let mut snapshot = runtime.block_on(in_time(desk.store.snapshot()))?;
    let pinned = runtime.block_on(in_time(releases::pinned(&mut snapshot)))?;
    let mut loaded = Loaded { snapshot, pinned, warnings: Vec::new() };
    let settings = current_settings(desk, &mut loaded.snapshot)?;
    let theme = theme_stamp(desk.config.theme.as_ref());
    let memory = match desk.memory.take() {
        Some(memory)
            if memory.settings == settings
                && memory.theme == theme
                && is_same_history(&memory, &runtime, &mut loaded.snapshot)? =>
        {
            follow(memory, desk, &mut loaded, control)?
        }
        _ => remember(desk, settings, theme, &mut loaded, control)?,
    };
    let landmark = landmark(order, &runtime, &mut loaded.snapshot)?;
    loaded.warnings.extend(memory.site.address_problems().iter().map(ToString::to_string));
    desk.memory = Some(Memory { landmark, ..memory });
    Ok(loaded)
}

/// The build that is worked on, and when it was first taken. A backup that was made before then does not know it.
fn landmark(order: Order, runtime: &Handle, snapshot: &mut Snapshot) -> Result<Option<Landmark>, BuildError> {
    let Some(lease) = order.lease else { return Ok(None) };
    let build = runtime.block_on(in_time(builds::get(snapshot, lease.build)))?;
    Ok(Some(Landmark { build: build.id, taken_at: build.started_at }))
}

/// Whether the database goes on from where this worker saw it last. An older backup that was restored does not: what was
/// changed since is undone, and no number tells which posts that concerns. The number of the newest change alone would
/// not tell, since it may have gone past the old one again.
fn is_same_history(memory: &Memory, runtime: &Handle, snapshot: &mut Snapshot) -> Result<bool, BuildError> {
    let newest = runtime.block_on(in_time(microblog_store::newest_change(snapshot)))?;
    let still_stands = match memory.landmark {
        Some(landmark) => match runtime.block_on(in_time(builds::get(snapshot, landmark.build))) {
            Ok(build) => build.started_at == landmark.taken_at,
            Err(StoreError::NotFound) => false,
            Err(error) => return Err(error.into()),
        },
        None => true,
    };
    let goes_on = still_stands && memory.seen <= newest;
    if !goes_on {
        let (seen, newest) = (memory.seen.0, newest.0);
        tracing::warn!(seen, newest, "the database is not what it was: a backup was restored; reading all of it anew");
    }
    Ok(goes_on)
}

fn current_settings(desk: &Desk, snapshot: &mut Snapshot) -> Result<SiteSettings, BuildError> {
    let saved = desk.runtime.block_on(in_time(settings::find(snapshot)))?;
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
        site: empty_site(&desk.config, &settings)?,
        seen: ChangeSeq(0),
        landmark: None,
        settings,
        theme,
        media: MediaFiles::default(),
        shown_by: None,
        dirty: Dirty::default(),
    };
    follow_media(&mut memory, desk, loaded)?;
    read_all(&mut memory.site, desk, loaded, control)?;
    memory.seen = desk.runtime.block_on(in_time(microblog_store::newest_change(&mut loaded.snapshot)))?;
    Ok(memory)
}

/// A site without posts, as these settings and the theme make it.
pub(crate) fn empty_site(config: &DeskConfig, settings: &SiteSettings) -> Result<Site, BuildError> {
    let theme = match &config.theme {
        Some(folder) => Theme::with_overrides(folder)?,
        None => Theme::builtin()?,
    };
    Ok(Site::new(Arc::new(settings.clone()), Arc::new(theme))?)
}

/// Reads every published post: the next ones while those before are digested.
fn read_all(site: &mut Site, desk: &Desk, loaded: &mut Loaded, control: &Control) -> Result<(), BuildError> {
    let Loaded { snapshot, warnings, .. } = loaded;
    let mut page_after = |last| desk.runtime.block_on(in_time(changes::published_page(snapshot, last, BATCH)));
    let mut entries = Vec::new();
    let mut posts = page_after(None)?;
    while let Some(last) = posts.last().map(|post| post.id) {
        control.check()?;
        let digest_all = || posts.into_par_iter().map(|post| digest(site, post, control)).collect();
        let (digested, next): (Result<Vec<_>, BuildError>, _) = rayon::join(digest_all, || page_after(Some(last)));
        entries.extend(digested?.into_iter().filter_map(|entry| keep(entry, warnings)));
        posts = next?;
    }
    site.fill(entries);
    Ok(())
}

/// Takes over what changed since the memory was made.
fn follow(mut memory: Memory, desk: &Desk, loaded: &mut Loaded, control: &Control) -> Result<Memory, BuildError> {
    let concerned = follow_media(&mut memory, desk, loaded)?;
    digest_again(&mut memory, &concerned, desk, loaded, control)?;
    let mut seen = memory.seen;
    loop {
        let changed = desk.runtime.block_on(in_time(changes::changed_since(&mut loaded.snapshot, seen, BATCH)))?;
        let Some(last) = changed.last() else { break };
        seen = last.seq;
        let digest = |post| digest(&memory.site, post, control);
        let digested: Vec<_> = changed
            .into_par_iter()
            .map(|change| Ok((change.id, change.published.map(digest).transpose()?)))
            .collect::<Result<_, BuildError>>()?;
        let edits = digested.into_iter().map(|(id, entry)| {
            let entry = entry.and_then(|entry| keep(entry, &mut loaded.warnings));
            entry.map_or(Change::Remove(id), Change::Put)
        });
        memory.dirty.pages.extend(memory.site.apply(edits));
    }
    memory.seen = desk.runtime.block_on(in_time(microblog_store::newest_change(&mut loaded.snapshot)))?;
    Ok(memory)
}

/// Takes posts over anew whose pictures changed.
fn digest_again(
    memory: &mut Memory,
    posts: &BTreeSet<PostId>,
    desk: &Desk,
    loaded: &mut Loaded,
    control: &Control,
) -> Result<(), BuildError> {
    let posts = texts(&mut loaded.snapshot, &desk.runtime, posts)?;
    let digest = |post| digest(&memory.site, post, control);
    let digested = posts.into_par_iter().map(digest).collect::<Result<Vec<_>, BuildError>>()?;
    let entries = digested.into_iter().filter_map(|entry| keep(entry, &mut loaded.warnings));
    memory.dirty.pages.extend(memory.site.apply(entries.map(Change::Put)));
    Ok(())
}

/// Takes over which uploads were added, deleted or got variants since the memory was made, and has variants made again
/// that got lost. Tells which posts show what changed.
fn follow_media(memory: &mut Memory, desk: &Desk, loaded: &mut Loaded) -> Result<BTreeSet<PostId>, BuildError> {
    let mut concerned = BTreeSet::new();
    let mut seen = memory.seen;
    loop {
        let changed = desk.runtime.block_on(in_time(media::changed_since(&mut loaded.snapshot, seen, BATCH)))?;
        let Some(last) = changed.last() else { return Ok(concerned) };
        seen = last.change;
        let mut variants = variants_of(&changed, desk, &mut loaded.snapshot)?;
        let lost = take_out_lost(&mut variants, &desk.config.media);
        if !lost.is_empty() {
            make_again(&lost, desk)?;
            loaded.warnings.push(told_of_lost(lost.len(), &desk.config.media));
        }
        for upload in changed {
            let variants = variants.get(&upload.file.hash).map(Vec::as_slice).unwrap_or_default();
            let Some(public) = PublicUpload::of(&upload, variants) else { continue };
            let (file, image) = (public.file.clone(), public.image.clone().filter(|_| upload.deleted_at.is_none()));
            let touched = match upload.deleted_at {
                None => memory.media.put(public),
                Some(_) => memory.media.remove(&file),
            };
            memory.dirty.media.extend(touched);
            concerned.extend(memory.site.set_images([(file, image)]));
        }
    }
}

fn variants_of(
    uploads: &[Media],
    desk: &Desk,
    snapshot: &mut Snapshot,
) -> Result<HashMap<ContentHash, Vec<ImageVariant>>, BuildError> {
    let shown = uploads.iter().filter(|upload| upload.deleted_at.is_none());
    let hashes: Vec<_> = shown.map(|upload| upload.file.hash).collect();
    let mut variants = HashMap::new();
    for hashes in hashes.chunks(images::MAX_HASHES) {
        variants.extend(desk.runtime.block_on(in_time(images::variants_of(snapshot, hashes)))?);
    }
    Ok(variants)
}

/// Leaves out variants whose bytes are not all there: browsers that choose one would show nothing, not the original.
/// Tells of which pictures.
fn take_out_lost(variants: &mut HashMap<ContentHash, Vec<ImageVariant>>, stored: &Path) -> Vec<ContentHash> {
    let is_whole = |variant: &ImageVariant| {
        let metadata = std::fs::metadata(stored.join(stored_file(&variant.hash)));
        metadata.is_ok_and(|metadata| metadata.len() == variant.size)
    };
    let mut lost = Vec::new();
    for (original, variants) in variants {
        let before = variants.len();
        variants.retain(is_whole);
        if variants.len() < before {
            lost.push(*original);
        }
    }
    lost
}

fn make_again(lost: &[ContentHash], desk: &Desk) -> Result<(), BuildError> {
    desk.runtime.block_on(in_time(async {
        let mut tx = desk.store.begin().await?;
        images::want_again(&mut tx, lost).await?;
        Ok(tx.commit().await?)
    }))
}

fn told_of_lost(pictures: usize, stored: &Path) -> String {
    format!(
        "pictures whose smaller variants are not all in {}: {pictures}; they are made again, and until then pages do \
         without",
        stored.display()
    )
}

/// A post that can be on the site, or a warning why it is left out.
type Digested = Result<Entry, String>;

fn digest(site: &Site, post: Post, control: &Control) -> Result<Digested, BuildError> {
    let id = post.id;
    let source = SourcePost { id, content: post.content, updated_at: post.updated_at };
    let digested = control.guard(Piece::Post(id), || site.digest(&source))?;
    Ok(digested.map_err(|error| format!("post {id} is left out: {error}")))
}

fn keep(entry: Digested, warnings: &mut Vec<String>) -> Option<Entry> {
    entry.map_err(|warning| warnings.push(warning)).ok()
}

/// The texts of some posts, as they are in the snapshot.
pub(super) fn texts(
    snapshot: &mut Snapshot,
    runtime: &Handle,
    wanted: &BTreeSet<PostId>,
) -> Result<Vec<Post>, BuildError> {
    let wanted: Vec<_> = wanted.iter().copied().collect();
    let mut posts = Vec::with_capacity(wanted.len());
    for ids in wanted.chunks(changes::MAX_IDS) {
        posts.extend(runtime.block_on(in_time(changes::published_among(snapshot, ids)))?);
    }
    Ok(posts)
}
