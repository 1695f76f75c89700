//! The list of posts.

use std::str::FromStr;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use microblog_domain::{PostStatus, Slug, Timestamp, UserId};
use microblog_store::posts::list::{PostCursor, PostFilter, PostOrder, list};

use super::PostBody;
use crate::change::Answer;
use crate::error::ApiError;
use crate::input::{Fields, FromFields, Query};
use crate::json_api::paging::{PageBody, PageQuery};
use crate::state::App;

/// Which posts the client wants.
#[derive(Debug)]
pub(crate) struct PostQuery {
    status: Option<PostStatus>,
    tag: Option<Slug>,
    owner: Option<UserId>,
    words: Option<String>,
    order: PostOrder,
    page: PageQuery<Cursor>,
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

/// Where a page ended. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) PostCursor);

impl Cursor {
    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.0.at.as_microsecond(), self.0.id))
    }
}

/// Not a cursor of ours.
#[derive(Debug)]
pub(crate) struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let text = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        let (micros, id) = text.split_once(' ').ok_or(NotACursor)?;
        let micros = micros.parse().map_err(|_| NotACursor)?;
        let at = Timestamp::from_microsecond(micros).map_err(|_| NotACursor)?;
        Ok(Self(PostCursor { at, id: id.parse().map_err(|_| NotACursor)? }))
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::PostId;

    use super::*;

    #[test]
    fn a_cursor_survives_the_way_to_the_client_and_back() {
        let at = Timestamp::from_microsecond(1_800_000_000_123_456).unwrap();
        let cursor = Cursor(PostCursor { at, id: PostId::generate(at) });
        assert_eq!(cursor.to_text().parse::<Cursor>().ok(), Some(cursor));
        for wrong in ["", "x", "MTIz", "!"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }
}
