//! What is to be done, found by comparing: what each page would be rendered from now, and what it was rendered from.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use microblog_domain::media::stored_file;
use microblog_domain::{BuildMode, ContentHash, FilePath, Fingerprint};
use microblog_release::Manifest;
use microblog_site::View;
use rayon::prelude::*;

use super::desk::Memory;

/// The work of a build.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Pages to render.
    pub(super) render: Vec<View>,
    /// Uploads to link into the release.
    pub(super) link: Vec<(FilePath, ContentHash)>,
    /// Files that are no longer there.
    pub(super) remove: Vec<FilePath>,
    /// Uploads whose bytes are missing. One lost upload must not keep everything else from going live.
    pub(super) left_out: BTreeSet<FilePath>,
    /// Files that the site will have.
    total: usize,
}

impl Plan {
    /// Compares the site with the live release: where it may differ, or everywhere if that is not known, because the
    /// live release is not the one that this worker left there.
    pub(super) fn make(memory: &Memory, live: &Manifest, stored: &Path, mode: BuildMode) -> Self {
        let is_known = memory.shown_by == Some(live.release().id);
        let mut plan = match mode {
            BuildMode::Incremental if is_known => Self::compare_dirty(memory, live),
            _ => Self::compare_everything(memory, live, mode),
        };
        plan.leave_out_lost(stored);
        plan.total = plan.total_after(live);
        plan
    }

    fn compare_dirty(memory: &Memory, live: &Manifest) -> Self {
        let mut plan = Self::default();
        for key in &memory.dirty.pages {
            match (memory.site.view(key), key.file()) {
                (Some(view), _) if is_kept(&view, live, BuildMode::Incremental) => {}
                (Some(view), _) => plan.render.push(view),
                (None, Some(file)) => plan.drop_if_there(file, live),
                (None, None) => {}
            }
        }
        for file in &memory.dirty.media {
            match memory.media.get(file) {
                Some(hash) => plan.consider_upload(file, hash, live),
                None => plan.drop_if_there(file.clone(), live),
            }
        }
        plan
    }

    fn compare_everything(memory: &Memory, live: &Manifest, mode: BuildMode) -> Self {
        let compared: Vec<(FilePath, Option<View>)> = memory
            .site
            .pages()
            .par_iter()
            .filter_map(|key| memory.site.view(key))
            .map(|view| (view.file().clone(), Some(view).filter(|view| !is_kept(view, live, mode))))
            .collect();
        let mut plan = Self::default();
        let mut wanted = HashSet::with_capacity(compared.len());
        for (file, view) in compared {
            wanted.insert(file);
            plan.render.extend(view);
        }
        for (file, hash) in memory.media.iter() {
            wanted.insert(file.clone());
            plan.consider_upload(file, hash, live);
        }
        plan.remove = live.iter().map(|(file, _)| file).filter(|file| !wanted.contains(file)).collect();
        plan
    }

    fn consider_upload(&mut self, file: &FilePath, hash: ContentHash, live: &Manifest) {
        if fingerprint(live, file) != Some(upload_fingerprint(&hash)) {
            self.link.push((file.clone(), hash));
        }
    }

    fn leave_out_lost(&mut self, stored: &Path) {
        let lost = self.link.extract_if(.., |(_, hash)| !stored.join(stored_file(hash)).exists());
        self.left_out = lost.map(|(file, _)| file).collect();
    }

    fn drop_if_there(&mut self, file: FilePath, live: &Manifest) {
        if fingerprint(live, &file).is_some() {
            self.remove.push(file);
        }
    }

    fn total_after(&self, live: &Manifest) -> usize {
        let is_new = |file: &FilePath| fingerprint(live, file).is_none();
        let new = self.render.iter().filter(|view| is_new(view.file())).count()
            + self.link.iter().filter(|(file, _)| is_new(file)).count();
        usize::try_from(live.release().totals.files).unwrap_or(usize::MAX).saturating_add(new) - self.remove.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.render.is_empty() && self.link.is_empty() && self.remove.is_empty()
    }

    /// What the owner is told about the uploads that are left out.
    pub(super) fn warnings(&self, stored: &Path) -> impl Iterator<Item = String> {
        self.left_out.iter().map(move |file| {
            format!(
                "the upload /{file} is left out: its bytes are not in {}; bring them back from a backup, or upload the \
                 file again",
                stored.display()
            )
        })
    }

    pub(super) fn to_render(&self) -> usize {
        self.render.len()
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn reused(&self) -> usize {
        self.total.saturating_sub(self.render.len() + self.link.len())
    }
}

/// What the live release's file was made from, if it has one at this path.
fn fingerprint(live: &Manifest, file: &FilePath) -> Option<Fingerprint> {
    live.get(file.as_str()).map(|entry| entry.fingerprint)
}

/// Whether the live release has the page as it would be rendered now.
fn is_kept(view: &View, live: &Manifest, mode: BuildMode) -> bool {
    mode == BuildMode::Incremental && fingerprint(live, view.file()) == Some(view.fingerprint())
}

/// Uploads are named by their content, which never changes.
pub(super) fn upload_fingerprint(hash: &ContentHash) -> Fingerprint {
    Fingerprint::of(hash.as_bytes())
}
