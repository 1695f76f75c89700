//! Posts in one line: `a_post().titled("Hello").tagged("rust").published()`.

use microblog_domain::{PostContent, PostKind, Slug, Tag, Timestamp, UserId};
use microblog_store::publishing::NewPost;

/// A post in the making.
#[derive(Debug, Clone)]
pub struct PostBuilder(NewPost);

/// A draft of an article called "A post", with a short text.
#[must_use]
pub fn a_post() -> PostBuilder {
    PostBuilder(NewPost {
        content: PostContent {
            kind: PostKind::Article,
            title: Some("A post".to_owned()),
            slug: "a-post".parse().expect("a valid slug"),
            markdown: "Some *text*.".to_owned(),
            published_at: None,
            tags: Vec::new(),
            description: None,
            image: None,
            authors: Vec::new(),
            aliases: Vec::new(),
            permalink: None,
            extra: serde_json::Map::new(),
        },
        publish: false,
        owner: None,
        updated_at: None,
    })
}

impl PostBuilder {
    /// With this title, and the slug that it suggests.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        if let Some(slug) = Slug::from_title(title) {
            self.0.content.slug = slug;
        }
        self.0.content.title = Some(title.to_owned());
        self
    }

    /// With this slug.
    #[must_use]
    pub fn slugged(mut self, slug: &str) -> Self {
        self.0.content.slug = slug.parse().expect("a valid slug");
        self
    }

    /// With this text.
    #[must_use]
    pub fn saying(mut self, markdown: &str) -> Self {
        self.0.content.markdown = markdown.to_owned();
        self
    }

    /// With one more tag.
    #[must_use]
    pub fn tagged(mut self, tag: &str) -> Self {
        self.0.content.tags.push(Tag::new(tag).expect("a valid tag"));
        self
    }

    /// With this date, written as in RFC 3339.
    #[must_use]
    pub fn dated(mut self, time: &str) -> Self {
        self.0.content.published_at = Some(time.parse::<Timestamp>().expect("a time like 2026-01-01T00:00:00Z"));
        self
    }

    /// As a note: no title.
    #[must_use]
    pub fn note(mut self) -> Self {
        self.0.content.kind = PostKind::Note;
        self.0.content.title = None;
        self
    }

    /// As a page that stands outside time.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.0.content.kind = PostKind::Page;
        self
    }

    /// Belonging to somebody.
    #[must_use]
    pub fn owned_by(mut self, user: UserId) -> Self {
        self.0.owner = Some(user);
        self
    }

    /// To be published, at once or at its date.
    #[must_use]
    pub fn published(mut self) -> Self {
        self.0.publish = true;
        self
    }

    /// What `publishing::create` takes.
    #[must_use]
    pub fn build(self) -> NewPost {
        self.0
    }

    /// Only the content.
    #[must_use]
    pub fn content(self) -> PostContent {
        self.0.content
    }
}
