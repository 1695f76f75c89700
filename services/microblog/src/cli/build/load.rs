//! From a folder to a site in memory: everything about its posts but their texts, which are fetched when a page needs
//! them, so that a large site takes little memory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use microblog_content::{ContentFolder, FilePost, FileProblem, Reading, Resource, TextLocation};
use microblog_domain::{Post, PostContent, PostId, PostStatus};
use microblog_site::{AddressProblem, Entry, PostSource, Site, SourceError, SourcePost, Taken};

use super::summary::Problem;
use crate::cli::progress;

/// The posts of a folder, as far as they were usable.
pub(super) struct Loaded {
    posts: HashMap<PostId, LoadedPost>,
    problems: Vec<Problem>,
}

/// What is remembered of a post.
struct LoadedPost {
    path: PathBuf,
    /// Without the text.
    content: PostContent,
    text: TextLocation,
    resources: Vec<Resource>,
}

/// What became of one file.
enum Read {
    OnSite(Box<(PostId, LoadedPost, Entry)>),
    NotOnSite,
    Unusable(Problem),
}

impl Loaded {
    /// Reads all posts and fills the site with those that readers are to see.
    pub(super) fn load(folder: &ContentFolder, site: &mut Site, now: Timestamp, drafts: bool) -> Self {
        let reading = Reading { zone: site.settings().timezone.rules().clone(), now };
        let bar = progress::bar("Reading", folder.post_count());
        let read = folder.read_posts(&reading, |post| {
            bar.inc(1);
            digest(site, post, now, drafts)
        });
        bar.finish_and_clear();

        let mut loaded = Self { posts: HashMap::with_capacity(read.len()), problems: Vec::new() };
        let mut entries = Vec::with_capacity(read.len());
        for file in read {
            match file {
                Read::NotOnSite => {}
                Read::Unusable(problem) => loaded.problems.push(problem),
                Read::OnSite(post) => {
                    let (id, post, entry) = *post;
                    loaded.posts.insert(id, post);
                    entries.push(entry);
                }
            }
        }
        site.fill(entries);
        loaded
    }

    /// How many posts the site has.
    pub(super) fn post_count(&self) -> usize {
        self.posts.len()
    }

    /// The files that lie beside posts, with the post.
    pub(super) fn resources(&self) -> impl Iterator<Item = (PostId, &Resource)> {
        self.posts.iter().flat_map(|(id, post)| post.resources.iter().map(|resource| (*id, resource)))
    }

    /// What was wrong with single files.
    pub(super) fn problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// The posts that do not answer where they should.
    pub(super) fn address_problems(&self, site: &Site) -> Vec<Problem> {
        site.address_problems().iter().map(|problem| self.address_problem(problem)).collect()
    }

    fn address_problem(&self, problem: &AddressProblem) -> Problem {
        let path = |id: PostId| self.posts.get(&id).map(|post| post.path.clone()).unwrap_or_default();
        let holder = match problem.taken {
            Taken::By(other) => format!("{} has it", path(other).display()),
            Taken::BySite => "the site itself needs it".to_owned(),
            Taken::ByFolder => "other pages lie below it".to_owned(),
        };
        let reason =
            format!("can not have the address of {}: {holder}. Give it another slug or permalink", problem.file);
        Problem { path: path(problem.post), line: None, reason }
    }
}

impl PostSource for Loaded {
    fn content(&self, id: PostId) -> Result<Arc<PostContent>, SourceError> {
        let missing = |reason: String| SourceError { post: id, reason };
        let post = self.posts.get(&id).ok_or_else(|| missing("no such post".to_owned()))?;
        let markdown = post.text.read().map_err(|problem| missing(problem.to_string()))?;
        Ok(Arc::new(PostContent { markdown, ..post.content.clone() }))
    }
}

fn digest(site: &Site, post: Result<FilePost, FileProblem>, now: Timestamp, drafts: bool) -> Read {
    let post = match post {
        Ok(post) => post,
        Err(problem) => return Read::Unusable(Problem::from(&problem)),
    };
    if post.status != PostStatus::Published && !drafts {
        return Read::NotOnSite;
    }
    let (path, text, resources) = (post.path.clone(), post.text.clone(), post.resources.clone());
    let mut source = source_post(post.into_post(), now);
    match site.digest(&source) {
        Ok(entry) => {
            source.content.markdown = String::new();
            Read::OnSite(Box::new((source.id, LoadedPost { path, content: source.content, text, resources }, entry)))
        }
        Err(error) => Read::Unusable(Problem { path, line: None, reason: error.to_string() }),
    }
}

/// A draft without a date is shown as if it were published now.
fn source_post(post: Post, now: Timestamp) -> SourcePost {
    let Post { id, mut content, status, updated_at, .. } = post;
    if status == PostStatus::Draft {
        content.published_at = content.published_at.or(Some(now));
    }
    SourcePost { id, content, updated_at }
}
