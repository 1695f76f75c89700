//! The list of posts.

use axum::extract::State;
use microblog_domain::{PostId, PostStatus, Slug, UserId};
use microblog_store::posts::list::{PostFilter, PostOrder, list};

use super::PostBody;
use crate::change::Answer;
use crate::error::ApiError;
use crate::input::{Fields, FromFields, Query};
use crate::json_api::paging::{Cursor, PageBody, PageQuery};
use crate::state::App;

/// Which posts the client wants.
#[derive(Debug)]
pub(crate) struct PostQuery {
    status: Option<PostStatus>,
    tag: Option<Slug>,
    owner: Option<UserId>,
    words: Option<String>,
    order: PostOrder,
    page: PageQuery<Cursor<PostId>>,
}

impl FromFields for PostQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let words = fields.optional::<String>("q").filter(|words| !words.trim().is_empty());
        let is_short = words.as_ref().is_none_or(|words| words.len() <= 500);
        fields.check(is_short, "q", "must have at most 500 bytes");
        Some(Self {
            status: fields.parsed("status"),
            tag: fields.parsed("tag"),
            owner: fields.parsed("owner"),
            words,
            order: take_order(fields),
            page: PageQuery::take(fields),
        })
    }
}

fn take_order(fields: &mut Fields) -> PostOrder {
    match fields.optional::<String>("order").as_deref() {
        None | Some("updated") => PostOrder::RecentlyUpdated,
        Some("published") => PostOrder::RecentlyPublished,
        Some(_) => {
            fields.reject("order", "must be updated or published");
            PostOrder::default()
        }
    }
}

/// `GET /posts`
pub(crate) async fn list_posts(State(app): State<App>, Query(query): Query<PostQuery>) -> Result<Answer, ApiError> {
    let filter = PostFilter {
        status: query.status,
        tag: query.tag,
        owner: query.owner,
        words: query.words,
        order: query.order,
        after: query.page.cursor.map(|cursor| cursor.0),
        limit: query.page.limit,
    };
    let mut conn = app.store.read().await?;
    let page = list(&mut conn, &filter).await?;
    let site = app.site(&mut conn).await?.settings;
    let items: Vec<_> = page.posts.into_iter().map(|post| PostBody::in_list(post, &site)).collect();
    Answer::ok(&PageBody { items, next_cursor: page.next.map(|next| Cursor(next).to_text()) })
}
