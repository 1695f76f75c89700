//! Posts as clients see them.

use microblog_domain::{
    PostContent, PostId, PostKind, PostStatus, SiteSettings, Slug, Tag, Timestamp, UrlPath, UserId, Version,
};
use microblog_store::posts::StoredPost;
use serde::Serialize;
use serde_json::{Map, Value};

/// A post.
#[derive(Debug, Serialize)]
pub(crate) struct PostBody {
    id: PostId,
    kind: PostKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    slug: Slug,
    /// Missing in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
    status: PostStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    authors: Vec<String>,
    aliases: Vec<UrlPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permalink: Option<UrlPath>,
    extra: Map<String, Value>,
    version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<UserId>,
    /// Why it was set aside, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_aside_reason: Option<String>,
    /// Where readers find it, if it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl PostBody {
    /// The whole post.
    pub(crate) fn of(stored: StoredPost, site: &SiteSettings) -> Self {
        let url = public_url(&stored, site);
        let StoredPost { post, owner, created_at, set_aside_reason } = stored;
        let PostContent {
            kind,
            title,
            slug,
            markdown,
            published_at,
            tags,
            description,
            image,
            authors,
            aliases,
            permalink,
            extra,
        } = post.content;
        let (id, status, updated_at, version) = (post.id, post.status, post.updated_at, post.version);
        let markdown = Some(markdown);
        Self {
            id,
            kind,
            title,
            slug,
            markdown,
            status,
            published_at,
            created_at,
            updated_at,
            tags,
            description,
            image,
            authors,
            aliases,
            permalink,
            extra,
            version,
            owner,
            set_aside_reason,
            url,
        }
    }

    /// The post as it stands in a list, where the texts of all would be too much.
    pub(crate) fn in_list(stored: StoredPost, site: &SiteSettings) -> Self {
        Self { markdown: None, ..Self::of(stored, site) }
    }
}

/// Where readers find a post, if it is published.
pub(crate) fn public_url(stored: &StoredPost, site: &SiteSettings) -> Option<String> {
    let published_at = stored.post.content.published_at.filter(|_| stored.post.status == PostStatus::Published)?;
    let address = site.address_of(&stored.post.content, published_at).ok()?;
    Some(format!("{}{}", site.base_url, address.href()))
}
