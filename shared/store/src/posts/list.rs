//! Lists of posts for people: filtered, searched, in pages of which each begins where the last one ended.

use jiff::Timestamp;
use microblog_domain::{PostId, PostStatus, Slug, UserId};
use sqlx::AssertSqlSafe;

use super::{StoredPost, from_row};
use crate::connect::Connection;
use crate::decode::{Columns as _, micros};
use crate::dialect;
use crate::error::StoreError;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PostOrder {
    /// The post that was changed last.
    #[default]
    RecentlyUpdated,
    /// The post with the latest date; posts without a date are left out.
    RecentlyPublished,
}

/// Where a page of the list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostCursor {
    /// The time that the list is ordered by, of its last post.
    pub at: Timestamp,
    /// The last post.
    pub id: PostId,
}

/// Which posts, in which order, and how many.
#[derive(Debug, Clone, Default)]
pub struct PostFilter {
    /// Only those of this status; otherwise all but those in the trash.
    pub status: Option<PostStatus>,
    /// Only those with the tag of this slug.
    pub tag: Option<Slug>,
    /// Only those of this person.
    pub owner: Option<UserId>,
    /// Only those that hold all of these words, or words that begin so.
    pub words: Option<String>,
    /// What comes first.
    pub order: PostOrder,
    /// Go on after this one.
    pub after: Option<PostCursor>,
    /// How many at most.
    pub limit: u32,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct PostPage {
    /// The posts.
    pub posts: Vec<StoredPost>,
    /// Where the next page begins, if there is more.
    pub next: Option<PostCursor>,
}

/// Reads one page.
pub async fn list(conn: &mut Connection, filter: &PostFilter) -> Result<PostPage, StoreError> {
    let Some(statement) = statement(filter) else {
        return Ok(PostPage { posts: Vec::new(), next: None });
    };
    let mut query = sqlx::query(AssertSqlSafe(statement.sql));
    for value in statement.values {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        };
    }
    let rows = query.fetch_all(conn).await?;
    let mut posts = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let has_more = posts.len() > limit;
    posts.truncate(limit);
    let next = posts.last().filter(|_| has_more).and_then(|last| cursor(last, filter.order));
    Ok(PostPage { posts, next })
}

fn cursor(last: &StoredPost, order: PostOrder) -> Option<PostCursor> {
    let at = match order {
        PostOrder::RecentlyUpdated => Some(last.post.updated_at),
        PostOrder::RecentlyPublished => last.post.content.published_at,
    };
    at.map(|at| PostCursor { at, id: last.post.id })
}

enum Value {
    Text(String),
    Number(i64),
}

/// A statement in the making; values only ever enter it as parameters.
#[derive(Default)]
struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    /// Appends `sql` with `$` standing for the parameter after it.
    fn push(&mut self, sql: &str, value: Value) {
        self.values.push(value);
        self.sql.push_str(&sql.replace('$', &format!("${}", self.values.len())));
    }
}

/// `None` when nothing can match. The page's ids are found first, so that the long rows are read for the page only.
fn statement(filter: &PostFilter) -> Option<Statement> {
    let time = match filter.order {
        PostOrder::RecentlyUpdated => "updated_at",
        PostOrder::RecentlyPublished => "published_at",
    };
    let mut statement = Statement::default();
    statement.sql.push_str("SELECT * FROM posts WHERE id IN (");
    select_ids(&mut statement, filter, time)?;
    statement.sql.push_str(&format!(") ORDER BY {time} DESC, id DESC"));
    Some(statement)
}

/// The tags repeat the dates of their posts: a list of one tag is read in order from the index of the tags.
fn select_ids(statement: &mut Statement, filter: &PostFilter, time: &str) -> Option<()> {
    let (time, id) = match &filter.tag {
        None => (format!("p.{time}"), "p.id"),
        Some(_) => (format!("t.{time}"), "t.post_id"),
    };
    match &filter.tag {
        None => statement.sql.push_str("SELECT p.id FROM posts p WHERE TRUE"),
        Some(tag) => statement.push(
            "SELECT t.post_id FROM post_tags t JOIN posts p ON p.id = t.post_id WHERE t.tag = $",
            Value::Text(tag.to_string()),
        ),
    }
    match filter.status {
        None => statement.sql.push_str(" AND p.status <> 'trashed'"),
        Some(status) => statement.push(" AND p.status = $", Value::Text(status.as_str().to_owned())),
    }
    if let Some(owner) = filter.owner {
        statement.push(" AND p.owner_id = $", Value::Text(owner.to_string()));
    }
    if let Some(words) = &filter.words {
        let expression = dialect::search_expression(words)?;
        statement.push(&format!(" AND p.id IN {} $)", dialect::POSTS_WITH_WORDS), Value::Text(expression));
    }
    if filter.order == PostOrder::RecentlyPublished {
        statement.sql.push_str(&format!(" AND {time} IS NOT NULL"));
    }
    if let Some(after) = filter.after {
        statement.push(&format!(" AND ({time}, {id}) < ($"), Value::Number(micros(after.at)));
        statement.push(", $)", Value::Text(after.id.to_string()));
    }
    statement.push(&format!(" ORDER BY {time} DESC, {id} DESC LIMIT $"), Value::Number(i64::from(filter.limit) + 1));
    Some(())
}

/// The scheduled posts whose time has come, the most overdue first.
pub(crate) async fn due(conn: &mut Connection, now: Timestamp, limit: u32) -> Result<Vec<PostId>, StoreError> {
    let sql = "SELECT id FROM posts WHERE status = 'scheduled' AND published_at <= $1 ORDER BY published_at LIMIT $2";
    let rows = sqlx::query(sql).bind(micros(now)).bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// When the next scheduled post is due.
pub async fn next_due(conn: &mut Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MIN(published_at) AS at FROM posts WHERE status = 'scheduled'";
    sqlx::query(sql).fetch_one(conn).await?.maybe_time("at")
}
