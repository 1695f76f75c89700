//! Where the imported posts lived before, so that links and bookmarks go on leading to them.
//!
//! Leaves the inference to [`microblog_content::old_addresses`]; tells it which addresses other posts of the site have.

use std::collections::HashSet;

use microblog_content::old_addresses::{self, KnownPost, OldAddresses};
use microblog_content::{ContentFolder, FilePost, FileProblem};
use microblog_domain::{Clock as _, FilePath, PostContent, SiteSettings, SystemClock, Timestamp, UrlPath};
use microblog_store::posts::list::{self, PostFilter};
use microblog_store::{Store, settings as site_settings};

use super::BATCH;

/// Lets the addresses under which the posts know each other go on working.
pub(super) async fn keep(
    posts: &mut [Result<FilePost, FileProblem>],
    folder: &ContentFolder,
    store: &Store,
) -> anyhow::Result<Option<String>> {
    let site = site_settings::load(&mut *store.read().await?).await?.settings;
    let mut posts: Vec<&mut FilePost> = posts.iter_mut().filter_map(|post| post.as_mut().ok()).collect();
    let taken = addresses_of_others(store, &posts, &site).await?;
    let found = find(&posts, folder, &site, &taken);
    for (post, aliases) in posts.iter_mut().zip(&found.aliases) {
        post.content.aliases.extend_from_slice(aliases);
    }
    Ok(found.notice())
}

fn find(
    posts: &[&mut FilePost],
    folder: &ContentFolder,
    site: &SiteSettings,
    taken: &HashSet<FilePath>,
) -> OldAddresses {
    let now = SystemClock.now();
    let outlines: Vec<_> = posts
        .iter()
        .map(|post| (site_address(site, &post.content, now), old_addresses::links(&post.content.markdown)))
        .collect();
    let known: Vec<_> = posts
        .iter()
        .zip(&outlines)
        .map(|(post, (address, links))| KnownPost {
            file: folder.path_in_content(&post.path),
            slug: &post.content.slug,
            address,
            aliases: &post.content.aliases,
            links,
        })
        .collect();
    old_addresses::find(&known, |address| {
        let file = address.file();
        !file.is_reserved() && !taken.contains(&file)
    })
}

/// The files of the posts that the site has besides those of the folder. What an earlier import of the same posts gave
/// them is theirs again.
async fn addresses_of_others(
    store: &Store,
    posts: &[&mut FilePost],
    site: &SiteSettings,
) -> anyhow::Result<HashSet<FilePath>> {
    let same: HashSet<_> = posts.iter().map(|post| (post.content.slug.clone(), post.content.published_at)).collect();
    let undated: HashSet<_> = same.iter().filter(|(_, date)| date.is_none()).map(|(slug, _)| slug.clone()).collect();
    let mut taken = HashSet::new();
    let mut filter = PostFilter { limit: BATCH, ..PostFilter::default() };
    let mut snapshot = store.snapshot().await?;
    loop {
        let page = list::list(&mut snapshot, &filter).await?;
        for content in page.posts.into_iter().map(|stored| stored.post.content) {
            let address = site_address(site, &content, SystemClock.now());
            let PostContent { slug, published_at, aliases, .. } = content;
            if !undated.contains(&slug) && !same.contains(&(slug, published_at)) {
                taken.extend(aliases.iter().chain([&address]).map(UrlPath::file));
            }
        }
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(taken),
        }
    }
}

/// Where a post is, or would be if it were published now. One that can have no address is at none that matters.
fn site_address(site: &SiteSettings, content: &PostContent, now: Timestamp) -> UrlPath {
    site.address_of(content, content.published_at.unwrap_or(now)).unwrap_or_else(|_| UrlPath::root())
}
