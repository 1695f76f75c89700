//! From a folder to a site in memory: everything about its posts but their texts, which are fetched when a page needs
//! them, so that a large site takes little memory.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use microblog_content::old_addresses::{self, KnownPost, OldAddresses};
use microblog_content::{ContentFolder, FilePost, FileProblem, Reading, Resource, TextLocation};
use microblog_domain::{FilePath, PathError, Post, PostContent, PostId, PostStatus, Slug, UrlPath};
use microblog_site::{AddressProblem, Entry, PostSource, PostText, Site, SourceError, SourcePost, Taken};
use serde_json::{Map, Value};

use super::images::Images;
use super::summary::Problem;
use crate::cli::progress;

/// The posts of a folder, as far as they were usable.
pub(super) struct Loaded<'a> {
    folder: &'a ContentFolder,
    posts: HashMap<PostId, LoadedPost>,
    problems: Vec<Problem>,
    /// What to tell about older addresses of the posts.
    old_addresses: Option<String>,
    next_scheduled: Option<Timestamp>,
}

/// What is remembered of a post.
struct LoadedPost {
    /// Relative to the folder.
    path: PathBuf,
    text: TextLocation,
    extra: Map<String, Value>,
    resources: Vec<Resource>,
}

/// A post on its way into the site.
struct Digested {
    post: LoadedPost,
    entry: Entry,
    slug: Slug,
    /// The addresses that its author named besides.
    aliases: Vec<UrlPath>,
    /// Where its text leads to.
    links: Vec<UrlPath>,
}

/// What became of one file.
enum Read {
    OnSite(Box<Digested>),
    /// Readers may see it from this time on.
    NotOnSite(Option<Timestamp>),
    Unusable(Problem),
}

impl<'a> Loaded<'a> {
    /// Reads all posts and fills the site with those that readers are to see.
    pub(super) fn load(
        folder: &'a ContentFolder,
        site: &mut Site,
        images: &Images,
        now: Timestamp,
        drafts: bool,
    ) -> Self {
        let reading = Reading { zone: site.settings().timezone.rules().clone(), now };
        let bar = progress::bar("Reading", folder.post_count());
        let read = folder.read_posts(&reading, |post| {
            bar.inc(1);
            digest(site, images, post, now, drafts)
        });
        bar.finish_and_clear();

        let mut digested = Vec::with_capacity(read.len());
        let mut problems = Vec::new();
        let mut next_scheduled = None;
        for file in read {
            match file {
                Read::NotOnSite(scheduled) => next_scheduled = next_scheduled.into_iter().chain(scheduled).min(),
                Read::Unusable(problem) => problems.push(problem),
                Read::OnSite(post) => digested.push(*post),
            }
        }
        let old = old_addresses(folder, &digested);
        let posts = HashMap::with_capacity(digested.len());
        let mut loaded = Self { folder, posts, problems, old_addresses: old.notice(), next_scheduled };
        site.fill(digested.into_iter().zip(old.aliases).map(|(Digested { post, entry, .. }, aliases)| {
            loaded.posts.insert(entry.id(), post);
            entry.with_aliases(aliases)
        }));
        loaded
    }

    /// How many posts the site has.
    pub(super) fn post_count(&self) -> usize {
        self.posts.len()
    }

    /// When the next of the posts appears that are scheduled.
    pub(super) fn next_scheduled(&self) -> Option<Timestamp> {
        self.next_scheduled
    }

    /// The files that lie beside posts, with the post.
    pub(super) fn resources(&self) -> impl Iterator<Item = (PostId, &Resource)> {
        self.posts.iter().flat_map(|(id, post)| post.resources.iter().map(|resource| (*id, resource)))
    }

    /// What was wrong with single files.
    pub(super) fn problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// What to tell about older addresses of the posts.
    pub(super) fn old_addresses(&mut self) -> Option<String> {
        self.old_addresses.take()
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

impl PostSource for Loaded<'_> {
    fn text(&self, id: PostId) -> Result<Arc<PostText>, SourceError> {
        let missing = |reason: String| SourceError { post: id, reason };
        let post = self.posts.get(&id).ok_or_else(|| missing("no such post".to_owned()))?;
        let read = self.folder.read_text(&post.path, &post.text);
        let markdown = read.map_err(|problem| missing(problem.to_string()))?;
        Ok(Arc::new(PostText { markdown, extra: post.extra.clone() }))
    }
}

/// What the site makes by itself, and files of the author, stay where they are.
fn old_addresses(folder: &ContentFolder, posts: &[Digested]) -> OldAddresses {
    let files: HashSet<&FilePath> = folder.static_files().iter().map(|file| &file.path).collect();
    let known: Vec<_> = posts.iter().map(|digested| digested.known(folder)).collect();
    old_addresses::find(&known, |address| {
        let file = address.file();
        !file.is_reserved() && !files.contains(&file)
    })
}

impl Digested {
    fn known<'a>(&'a self, folder: &'a ContentFolder) -> KnownPost<'a> {
        KnownPost {
            file: folder.path_in_content(&self.post.path),
            slug: &self.slug,
            address: self.entry.address(),
            aliases: &self.aliases,
            links: &self.links,
        }
    }
}

fn digest(site: &Site, images: &Images, post: Result<FilePost, FileProblem>, now: Timestamp, drafts: bool) -> Read {
    let post = match post {
        Ok(post) => post,
        Err(problem) => return Read::Unusable(Problem::from(&problem)),
    };
    if post.status != PostStatus::Published && !drafts {
        let is_scheduled = post.status == PostStatus::Scheduled;
        return Read::NotOnSite(post.content.published_at.filter(|_| is_scheduled));
    }
    let (path, text, resources) = (post.path.clone(), post.text.clone(), post.resources.clone());
    let links = old_addresses::links(&post.content.markdown);
    let source = source_post(post.into_post(), now);
    match digest_showing(site, images, &source, &resources) {
        Ok(entry) => {
            let PostContent { extra, slug, aliases, .. } = source.content;
            let post = LoadedPost { path, text, extra, resources };
            Read::OnSite(Box::new(Digested { post, entry, slug, aliases, links }))
        }
        Err(error) => Read::Unusable(Problem { path, line: None, reason: error.to_string() }),
    }
}

/// Digests a post with its pictures, which may lie beside it.
fn digest_showing(site: &Site, images: &Images, post: &SourcePost, beside: &[Resource]) -> Result<Entry, PathError> {
    let published_at = post.content.published_at.unwrap_or(post.updated_at);
    let address = site.settings().address_of(&post.content, published_at)?;
    site.digest_showing(post, &|file| images.find(file, &address, beside))
}

/// A draft without a date is shown as if it were published now.
fn source_post(post: Post, now: Timestamp) -> SourcePost {
    let Post { id, mut content, status, updated_at, .. } = post;
    if status == PostStatus::Draft {
        content.published_at = content.published_at.or(Some(now));
    }
    SourcePost { id, content, updated_at }
}
