//! The list of posts, with search. Where one arrives.

use axum::extract::State;
use axum::response::Response;
use microblog_domain::{PostContent, PostStatus, SiteSettings};
use microblog_store::Connection;
use microblog_store::posts::list::{PostCursor, PostFilter, list};
use microblog_store::posts::{StoredPost, count_by_status};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::frame::{Section, Visit, html};
use super::moments::Moments;
use super::pages::{Filter, PostRow, PostsPage};
use super::templates;
use crate::error::ApiError;
use crate::input::{Fields, FromFields, Query};
use crate::json_api::paging::Cursor;
use crate::json_api::posts::public_url;
use crate::state::App;

/// Posts on one page of the list.
const PAGE: u32 = 50;
/// Characters of a note's text that stand for its title.
const NAME_CHARS: usize = 80;

/// What the list can be narrowed to, in the order of its menu.
const FILTERS: [(&str, Option<PostStatus>); 6] = [
    ("All", None),
    ("Drafts", Some(PostStatus::Draft)),
    ("Scheduled", Some(PostStatus::Scheduled)),
    ("Published", Some(PostStatus::Published)),
    ("Set aside", Some(PostStatus::Unpublishable)),
    ("Trash", Some(PostStatus::Trashed)),
];

/// What is asked for.
#[derive(Debug)]
pub(crate) struct PostsQuery {
    status: Option<PostStatus>,
    words: String,
    after: Option<PostCursor>,
}

impl FromFields for PostsQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        // The menu of filters sends an empty word for all posts.
        let word = fields.optional::<String>("status").filter(|word| !word.is_empty());
        let words = fields.optional::<String>("q").unwrap_or_default().trim().to_owned();
        fields.check(words.len() <= 500, "q", "must have at most 500 bytes");
        Some(Self {
            status: word.and_then(|word| word.parse().map_err(|_| fields.reject("status", "is not one")).ok()),
            words,
            after: fields.optional::<String>("cursor").and_then(|text| text.parse::<Cursor<_>>().ok()).map(|at| at.0),
        })
    }
}

/// `GET /dashboard/posts`
pub(crate) async fn show_posts(
    visit: Visit,
    State(app): State<App>,
    Query(query): Query<PostsQuery>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Posts).await?;
    let moments = visit.moments(&site);
    let wanted = PostFilter {
        status: query.status,
        words: (!query.words.is_empty()).then(|| query.words.clone()),
        after: query.after,
        limit: PAGE,
        ..PostFilter::default()
    };
    let found = list(&mut conn, &wanted).await?;
    let filters = filters(&mut conn, query.status).await?;
    let page = PostsPage {
        frame,
        is_blank: filters.iter().all(|filter| filter.count == 0),
        filters,
        filter: query.status.map_or("", PostStatus::as_str),
        more: found.next.map(|next| more(&query, next)),
        posts: found.posts.iter().map(|post| row(post, &site, &moments)).collect(),
        query: query.words,
    };
    if visit.wants_part {
        return Ok(html(axum::http::StatusCode::OK, templates::render("posts_list.html", &page)?));
    }
    visit.show(&page)
}

/// The menu of filters; those without posts are left out, but for the first and the current one.
async fn filters(conn: &mut Connection, current: Option<PostStatus>) -> Result<Vec<Filter>, ApiError> {
    let counts = count_by_status(conn).await?;
    let in_list = |wanted: Option<PostStatus>, status: PostStatus| match wanted {
        Some(wanted) => wanted == status,
        None => status != PostStatus::Trashed,
    };
    let filter = |(label, status): (&'static str, Option<PostStatus>)| Filter {
        label,
        word: status.map_or("", PostStatus::as_str),
        count: counts.iter().filter(|(other, _)| in_list(status, *other)).map(|(_, count)| count).sum(),
        is_current: status == current,
    };
    let is_shown = |filter: &Filter| filter.count > 0 || filter.is_current || filter.word.is_empty();
    Ok(FILTERS.map(filter).into_iter().filter(is_shown).collect())
}

fn more(query: &PostsQuery, next: PostCursor) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let status = query.status.map_or("", PostStatus::as_str);
    format!("/dashboard/posts?status={status}&q={}&cursor={}", encoded(&query.words), Cursor(next).to_text())
}

fn row(stored: &StoredPost, site: &SiteSettings, moments: &Moments) -> PostRow {
    let post = &stored.post;
    let at = match post.status {
        PostStatus::Published | PostStatus::Scheduled => post.content.published_at.unwrap_or(post.updated_at),
        PostStatus::Draft | PostStatus::Trashed | PostStatus::Unpublishable => post.updated_at,
    };
    PostRow {
        id: post.id,
        name: name(&post.content),
        is_note: post.content.title.is_none(),
        status: post.status,
        status_label: status_label(post.status),
        when: moments.of(at),
        tags: post.content.tags.iter().map(ToString::to_string).collect(),
        url: public_url(stored, site),
    }
}

/// What a post is called: its title, or the first words of its text.
pub(super) fn name(content: &PostContent) -> String {
    if let Some(title) = &content.title {
        return title.clone();
    }
    let text = content.markdown.trim_start().lines().next().unwrap_or_default();
    match text.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None if text.is_empty() => "(empty)".to_owned(),
        None => text.to_owned(),
    }
}

/// A status as people read it.
pub(super) const fn status_label(status: PostStatus) -> &'static str {
    match status {
        PostStatus::Draft => "Draft",
        PostStatus::Scheduled => "Scheduled",
        PostStatus::Published => "Published",
        PostStatus::Trashed => "In the trash",
        PostStatus::Unpublishable => "Set aside",
    }
}
