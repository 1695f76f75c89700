//! Posts as clients send them.

use microblog_domain::{Post, PostContent, PostKind, PostStatus, SiteTimeZone, Slug, Tag, Timestamp, UrlPath, Version};
use microblog_store::publishing::Intent as Standing;
use microblog_store::{Transaction, posts};
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::input::{Fields, FromFields, GivenTime, IfMatch};

/// The longest title, in characters.
const MAX_TITLE: usize = 500;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 5_000;
/// The most tags, authors or aliases.
const MAX_ITEMS: usize = 100;

/// What the client wants readers to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Not said: as it was.
    Unsaid,
    /// Nothing.
    Draft,
    /// The post, from a time that is to come.
    Scheduled,
    /// The post.
    Published,
}

impl Wish {
    pub(crate) fn is_public(self) -> bool {
        matches!(self, Self::Scheduled | Self::Published)
    }

    pub(crate) fn intent(self) -> Standing {
        match self {
            Self::Unsaid => Standing::Keep,
            Self::Draft => Standing::Withdraw,
            Self::Scheduled | Self::Published => Standing::Publish,
        }
    }
}

/// A post as a client sends it. What is left out gets its default; what the client got and sends back without having
/// any say in it (`id`, `url`, …) is passed over.
#[derive(Debug)]
pub(crate) struct PostInput {
    kind: Option<PostKind>,
    title: Option<String>,
    slug: Option<Slug>,
    markdown: String,
    wish: Wish,
    published_at: Option<GivenTime>,
    tags: Vec<Tag>,
    description: Option<String>,
    image: Option<String>,
    authors: Vec<String>,
    aliases: Vec<UrlPath>,
    permalink: Option<UrlPath>,
    extra: Map<String, Value>,
    version: Option<Version>,
}

impl FromFields for PostInput {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let input = Self {
            kind: fields.optional("kind"),
            title: fields.optional("title").map(|title: String| title.trim().to_owned()).filter(|t| !t.is_empty()),
            slug: fields.optional("slug"),
            markdown: fields.optional("markdown").unwrap_or_default(),
            wish: take_wish(fields),
            published_at: fields.optional("published_at"),
            tags: each_once(fields.optional("tags").unwrap_or_default()),
            description: fields.optional("description"),
            image: fields.optional("image"),
            authors: fields.optional("authors").unwrap_or_default(),
            aliases: fields.optional("aliases").unwrap_or_default(),
            permalink: fields.optional("permalink"),
            extra: fields.optional("extra").unwrap_or_default(),
            version: fields.optional("version"),
        };
        for name in ["id", "url", "owner", "created_at", "updated_at", "set_aside_reason"] {
            fields.ignored(name);
        }
        input.check(fields);
        Some(input)
    }
}

fn take_wish(fields: &mut Fields) -> Wish {
    match fields.optional::<PostStatus>("status") {
        None | Some(PostStatus::Unpublishable) => Wish::Unsaid,
        Some(PostStatus::Draft) => Wish::Draft,
        Some(PostStatus::Scheduled) => Wish::Scheduled,
        Some(PostStatus::Published) => Wish::Published,
        Some(PostStatus::Trashed) => {
            fields.reject("status", "must be draft, scheduled or published; use DELETE for the trash");
            Wish::Unsaid
        }
    }
}

/// Two tags with one slug share a page; the first stands for both.
fn each_once(tags: Vec<Tag>) -> Vec<Tag> {
    let mut kept: Vec<Tag> = Vec::with_capacity(tags.len());
    for tag in tags {
        if kept.iter().all(|other| other.slug() != tag.slug()) {
            kept.push(tag);
        }
    }
    kept
}

impl PostInput {
    fn check(&self, fields: &mut Fields) {
        let length = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
        fields.check(length(&self.title) <= MAX_TITLE, "title", "must have at most 500 characters");
        fields.check(length(&self.description) <= MAX_DESCRIPTION, "description", "must have at most 5,000 characters");
        let is_address = |url: &String| {
            let starts = ["/", "https://", "http://"].iter().any(|start| url.starts_with(start));
            starts && url.len() <= 2_000 && !url.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        let message = "must be an address of the site (/media/…) or begin with https://";
        fields.check(self.image.as_ref().is_none_or(is_address), "image", message);
        for (name, count) in
            [("tags", self.tags.len()), ("authors", self.authors.len()), ("aliases", self.aliases.len())]
        {
            fields.check(count <= MAX_ITEMS, name, "must have at most 100 entries");
        }
        let has_text = self.title.is_some() || !self.markdown.trim().is_empty();
        fields.check(has_text, "markdown", "must not be empty in a post without a title");
    }

    /// What readers are to see.
    pub(crate) fn wish(&self) -> Wish {
        self.wish
    }

    /// The version that the change was made from: the header, or the field that came along.
    pub(crate) fn version_or(&self, if_match: IfMatch) -> Result<Option<Version>, ApiError> {
        match (if_match, self.version) {
            (IfMatch::Missing, Some(version)) => Ok(Some(version)),
            (if_match, _) => if_match.required(),
        }
    }

    /// A scheduled post needs a time that is to come. One that is scheduled already may come due while it is edited.
    pub(crate) fn check_schedule(
        &self,
        before: Option<&Post>,
        zone: &SiteTimeZone,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let was_scheduled = before.is_some_and(|post| post.status == PostStatus::Scheduled);
        let is_to_come = self.date(zone)?.is_some_and(|at| at > now);
        if self.wish == Wish::Scheduled && !is_to_come && !was_scheduled {
            return Err(ApiError::invalid_field("published_at", "must be in the future for a scheduled post"));
        }
        Ok(())
    }

    /// The content of a new post. Without a slug it gets the first free one that its title, or the time, suggests.
    pub(crate) async fn content_of_new(
        self,
        tx: &mut Transaction,
        zone: &SiteTimeZone,
        now: Timestamp,
    ) -> Result<PostContent, ApiError> {
        let slug = match &self.slug {
            Some(slug) => slug.clone(),
            None => {
                let from_title = self.title.as_deref().and_then(Slug::from_title);
                let wanted = from_title.map_or_else(|| slug_of_time(now), Ok)?;
                posts::hold_addresses(tx).await?;
                posts::free_slug(tx, &wanted).await?
            }
        };
        self.with_slug(slug, zone)
    }

    /// The content of a post that exists. Without a slug or a date it keeps its own, so that its address stays.
    pub(crate) fn content_of_existing(
        mut self,
        before: &PostContent,
        zone: &SiteTimeZone,
    ) -> Result<PostContent, ApiError> {
        self.published_at = self.published_at.or(before.published_at.map(GivenTime::Moment));
        self.kind = self.kind.or(Some(before.kind));
        let slug = self.slug.clone().unwrap_or_else(|| before.slug.clone());
        self.with_slug(slug, zone)
    }

    /// The content of a post that is only to be looked at. Its slug need not be free.
    pub(crate) fn content_for_preview(self, zone: &SiteTimeZone, now: Timestamp) -> Result<PostContent, ApiError> {
        let wanted = self.slug.clone().or_else(|| self.title.as_deref().and_then(Slug::from_title));
        let slug = wanted.map_or_else(|| slug_of_time(now), Ok)?;
        self.with_slug(slug, zone)
    }

    fn date(&self, zone: &SiteTimeZone) -> Result<Option<Timestamp>, ApiError> {
        let Some(given) = self.published_at else { return Ok(None) };
        let moment = given.on_site(zone);
        moment.map(Some).ok_or_else(|| ApiError::invalid_field("published_at", "lies beyond the calendar"))
    }

    fn with_slug(self, slug: Slug, zone: &SiteTimeZone) -> Result<PostContent, ApiError> {
        let published_at = self.date(zone)?;
        let by_title = if self.title.is_some() { PostKind::Article } else { PostKind::Note };
        Ok(PostContent {
            kind: self.kind.unwrap_or(by_title),
            title: self.title,
            slug,
            markdown: self.markdown,
            published_at,
            tags: self.tags,
            description: self.description,
            image: self.image,
            authors: self.authors,
            aliases: self.aliases,
            permalink: self.permalink,
            extra: self.extra,
        })
    }
}

/// The name of a note: `20261120-140735`.
fn slug_of_time(now: Timestamp) -> Result<Slug, ApiError> {
    now.strftime("%Y%m%d-%H%M%S").to_string().parse().map_err(ApiError::internal)
}
