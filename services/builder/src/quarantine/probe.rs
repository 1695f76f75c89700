//! What the process does that may crash: renders posts one by one, and says before each which one it begins.

use std::io::{self, Write};
use std::sync::Arc;

use microblog_domain::{ChangeSeq, Post, PostId};
use microblog_site::{Change, PostSource, PostText, Site, SourceError, SourcePost};
use microblog_store::posts::changes;
use microblog_store::{Store, settings};

use super::suspect::{DONE, Suspect};
use crate::build_site::{BuildError, DeskConfig, empty_site};

/// Posts read in one go.
const BATCH: u32 = 100;

/// Why posts could not be examined, which says nothing of the posts.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// They can not be read, or the theme can not.
    #[error(transparent)]
    Site(#[from] BuildError),
    /// Nobody listens, or there is no thread to be had.
    #[error("examining posts: {0}")]
    Process(#[from] io::Error),
}

/// Renders published posts, `most` of them at most, the newest change first, from before the change `before` on; on a thread
/// with as much stack as the worker's have. Writes a line about each before it begins, and another one when it is done.
/// What merely fails is the build's to tell.
///
/// # Errors
/// When the posts can not be read, or nobody listens.
pub async fn probe(
    store: &Store,
    config: &DeskConfig,
    before: Option<ChangeSeq>,
    most: usize,
    out: &mut (dyn Write + Send),
) -> Result<(), ProbeError> {
    let mut snapshot = store.snapshot().await.map_err(BuildError::from)?;
    let saved = settings::find(&mut snapshot).await.map_err(BuildError::from)?;
    let settings = saved.map_or_else(|| config.first_settings.clone(), |saved| saved.settings);
    let mut site = empty_site(config, &settings)?;
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(io::Error::other)?;
    let (mut before, mut left) = (before, most);
    loop {
        let posts = changes::published_before(&mut snapshot, before, BATCH).await.map_err(BuildError::from)?;
        if posts.is_empty() {
            return Ok(());
        }
        for (change, post) in posts {
            if left == 0 {
                return Ok(());
            }
            writeln!(out, "{}", Suspect { post: post.id, version: post.version, change })?;
            out.flush()?;
            thread.install(|| render(&mut site, post));
            writeln!(out, "{DONE}")?;
            out.flush()?;
            (before, left) = (Some(change), left - 1);
        }
    }
}

/// Renders all pages that need the text of the post, on a site that has nothing else.
fn render(site: &mut Site, post: Post) {
    let id = post.id;
    let Ok(entry) = site.digest(&SourcePost { id, content: post.content.clone(), updated_at: post.updated_at }) else {
        return;
    };
    let touched = site.apply([Change::Put(entry)]);
    let text = OneText(id, Arc::new(post.content.into()));
    let renderer = site.renderer(&text);
    for view in touched.iter().filter_map(|key| site.view(key)).filter(|view| view.posts().next().is_some()) {
        // A template with an error is not the post's fault.
        let _ = renderer.render(&view);
    }
    drop(renderer);
    let _ = site.apply([Change::Remove(id)]);
}

struct OneText(PostId, Arc<PostText>);

impl PostSource for OneText {
    fn text(&self, id: PostId) -> Result<Arc<PostText>, SourceError> {
        let other = || SourceError { post: id, reason: "only one post is examined at a time".to_owned() };
        if id == self.0 { Ok(Arc::clone(&self.1)) } else { Err(other()) }
    }
}
