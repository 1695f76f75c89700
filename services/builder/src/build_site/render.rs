//! Rendering the pages of a plan into a draft, a chunk at a time, so that memory stays bounded whatever their number.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use microblog_domain::media::stored_file;
use microblog_domain::{Post, PostId};
use microblog_release::{Adopt, Draft, Page as ReleasePage};
use microblog_site::{PostSource, PostText, Site, SourceError, View};
use microblog_store::{Snapshot, Store};
use rayon::prelude::*;
use tokio::runtime::Handle;

use super::load;
use super::pieces::Piece;
use super::plan::{Plan, upload_fingerprint};
use super::{BuildError, Control};

/// Pages rendered before the next texts are read.
const CHUNK: usize = 512;

/// Where a build reads and writes while it renders.
pub(super) struct Sources<'a> {
    pub(super) store: &'a Store,
    pub(super) runtime: &'a Handle,
    pub(super) media: &'a Path,
}

/// The texts that a chunk of pages needs.
struct Texts(HashMap<PostId, Arc<PostText>>);

impl PostSource for Texts {
    fn text(&self, id: PostId) -> Result<Arc<PostText>, SourceError> {
        let missing = || SourceError { post: id, reason: "its text is not in the database any more".to_owned() };
        self.0.get(&id).cloned().ok_or_else(missing)
    }
}

impl FromIterator<Post> for Texts {
    fn from_iter<T: IntoIterator<Item = Post>>(posts: T) -> Self {
        Self(posts.into_iter().map(|post| (post.id, Arc::new(post.content.into()))).collect())
    }
}

/// Carries the plan out.
pub(super) fn write_pages(
    site: &Site,
    plan: &Plan,
    snapshot: &mut Snapshot,
    draft: &Draft<'_>,
    sources: &Sources<'_>,
    control: &Control,
) -> Result<(), BuildError> {
    for file in &plan.remove {
        draft.remove(file)?;
    }
    for (file, hash) in &plan.link {
        control.check()?;
        draft.put_file(file, &sources.media.join(stored_file(hash)), Adopt::Link, upload_fingerprint(hash))?;
    }
    for views in plan.render.chunks(CHUNK) {
        control.check()?;
        let wanted: BTreeSet<PostId> = views.iter().flat_map(View::posts).collect();
        let texts: Texts = load::texts(snapshot, sources.runtime, &wanted)?.into_iter().collect();
        write_chunk(site, views, &texts, draft, control)?;
    }
    Ok(())
}

fn write_chunk(
    site: &Site,
    views: &[View],
    texts: &Texts,
    draft: &Draft<'_>,
    control: &Control,
) -> Result<(), BuildError> {
    let renderer = site.renderer(texts);
    views.par_iter().try_for_each(|view| {
        let page = control.guard(Piece::Page(view.file().clone()), || renderer.render(view))??;
        let release_page =
            ReleasePage { bytes: &page.body, fingerprint: view.fingerprint(), author_links: &page.authored_links };
        draft.put(&page.file, release_page)?;
        control.rendered_one();
        Ok(())
    })
}
