//! What is to be done, found by comparing: what each page would be rendered from now, and what it was rendered from.

use std::collections::BTreeSet;
use std::path::Path;

use microblog_domain::media::stored_file;
use microblog_domain::{BuildMode, ContentHash, FilePath, Fingerprint};
use microblog_release::Draft;
use microblog_site::View;

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
    pub(super) fn make(memory: &Memory, draft: &Draft<'_>, stored: &Path, mode: BuildMode) -> Self {
        let is_known = memory.shown_by == Some(draft.live().release().id);
        let mut plan = match mode {
            BuildMode::Incremental if is_known => Self::compare_dirty(memory, draft),
            _ => Self::compare_everything(memory, draft, mode),
        };
        plan.leave_out_lost(stored);
        plan.total = plan.total_after(draft);
        plan
    }

    fn compare_dirty(memory: &Memory, draft: &Draft<'_>) -> Self {
        let mut plan = Self::default();
        for key in &memory.dirty.pages {
            match (memory.site.view(key), key.file()) {
                (Some(view), _) => plan.consider(view, draft, BuildMode::Incremental),
                (None, Some(file)) => plan.drop_if_there(file, draft),
                (None, None) => {}
            }
        }
        for file in &memory.dirty.media {
            match memory.media.get(file) {
                Some(hash) => plan.consider_upload(file, *hash, draft),
                None => plan.drop_if_there(file.clone(), draft),
            }
        }
        plan
    }

    fn compare_everything(memory: &Memory, draft: &Draft<'_>, mode: BuildMode) -> Self {
        let mut plan = Self::default();
        let mut wanted = BTreeSet::new();
        for view in memory.site.pages().iter().filter_map(|key| memory.site.view(key)) {
            wanted.insert(view.file().clone());
            plan.consider(view, draft, mode);
        }
        for (file, hash) in &memory.media {
            wanted.insert(file.clone());
            plan.consider_upload(file, *hash, draft);
        }
        plan.remove = draft.live().iter().map(|(file, _)| file).filter(|file| !wanted.contains(file)).collect();
        plan
    }

    fn consider(&mut self, view: View, draft: &Draft<'_>, mode: BuildMode) {
        let is_kept = mode == BuildMode::Incremental && draft.fingerprint(view.file()) == Some(view.fingerprint());
        if !is_kept {
            self.render.push(view);
        }
    }

    fn consider_upload(&mut self, file: &FilePath, hash: ContentHash, draft: &Draft<'_>) {
        if draft.fingerprint(file) != Some(upload_fingerprint(&hash)) {
            self.link.push((file.clone(), hash));
        }
    }

    fn leave_out_lost(&mut self, stored: &Path) {
        let lost = self.link.extract_if(.., |(_, hash)| !stored.join(stored_file(hash)).exists());
        self.left_out = lost.map(|(file, _)| file).collect();
    }

    fn drop_if_there(&mut self, file: FilePath, draft: &Draft<'_>) {
        if draft.fingerprint(&file).is_some() {
            self.remove.push(file);
        }
    }

    fn total_after(&self, draft: &Draft<'_>) -> usize {
        let is_new = |file: &FilePath| draft.fingerprint(file).is_none();
        let new = self.render.iter().filter(|view| is_new(view.file())).count()
            + self.link.iter().filter(|(file, _)| is_new(file)).count();
        usize::try_from(draft.live().release().totals.files).unwrap_or(usize::MAX).saturating_add(new)
            - self.remove.len()
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

/// Uploads are named by their content, which never changes.
pub(super) fn upload_fingerprint(hash: &ContentHash) -> Fingerprint {
    Fingerprint::of(hash.as_bytes())
}
