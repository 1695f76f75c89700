//! Sites in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use microblog_domain::{Fingerprint, PostContent, PostId, PostKind, SiteSettings, Tag, Timestamp};
use microblog_site::{Page, PostSource, PostText, Site, SourceError, SourcePost, Theme, View};

/// A post that tests change to their needs.
pub(crate) fn a_post(number: u128, slug: &str, day: i64) -> SourcePost {
    let published_at = Timestamp::from_second(1_700_000_000 + day * 86_400).unwrap();
    let content = PostContent {
        kind: PostKind::Article,
        title: Some(format!("Post {slug}")),
        slug: slug.parse().unwrap(),
        markdown: format!("The text of *{slug}*."),
        published_at: Some(published_at),
        tags: Vec::new(),
        description: None,
        image: None,
        authors: Vec::new(),
        aliases: Vec::new(),
        permalink: None,
        extra: serde_json::Map::new(),
    };
    SourcePost { id: id(number), content, updated_at: published_at }
}

pub(crate) fn id(number: u128) -> PostId {
    format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
}

pub(crate) fn tagged(mut post: SourcePost, tags: &[&str]) -> SourcePost {
    post.content.tags = tags.iter().map(|tag| Tag::new(tag).unwrap()).collect();
    post
}

/// Posts by id, as a source of texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Posts(pub(crate) BTreeMap<PostId, SourcePost>);

impl PostSource for Posts {
    fn text(&self, id: PostId) -> Result<Arc<PostText>, SourceError> {
        let missing = || SourceError { post: id, reason: "it does not exist".to_owned() };
        self.0.get(&id).map(|post| Arc::new(post.content.clone().into())).ok_or_else(missing)
    }
}

impl FromIterator<SourcePost> for Posts {
    fn from_iter<T: IntoIterator<Item = SourcePost>>(posts: T) -> Self {
        Self(posts.into_iter().map(|post| (post.id, post)).collect())
    }
}

/// A site with small pages, so that few posts fill many.
pub(crate) fn settings() -> SiteSettings {
    SiteSettings { posts_per_page: 1, feed_items: 3, ..SiteSettings::default() }
}

pub(crate) fn site_of(settings: SiteSettings, posts: &Posts) -> Site {
    let mut site = Site::new(Arc::new(settings), Arc::new(Theme::builtin().unwrap())).unwrap();
    let entries: Vec<_> = posts.0.values().map(|post| site.digest(post).unwrap()).collect();
    site.fill(entries);
    site
}

/// What a reader would find, by file.
pub(crate) type Output = BTreeMap<String, (Fingerprint, String)>;

pub(crate) fn stored(view: &View, page: &Page) -> (String, (Fingerprint, String)) {
    (page.file.to_string(), (view.fingerprint(), String::from_utf8_lossy(&page.body).into_owned()))
}

/// Renders every page.
pub(crate) fn render_all(site: &Site, posts: &Posts) -> Output {
    let renderer = site.renderer(posts);
    let keys = site.pages();
    let count = keys.len();
    let views = keys.iter().map(|key| site.view(key).unwrap());
    let output: Output = views.map(|view| stored(&view, &renderer.render(&view).unwrap())).collect();
    assert_eq!(output.len(), count, "two pages became the same file");
    output
}
