//! Lists of posts for people: filtered, searched, in pages of which each begins where the last one ended.

use jiff::Timestamp;
use microblog_domain::{PostId, PostStatus, Slug, UserId};
use sqlx::AssertSqlSafe;

use super::{StoredPost, from_row};
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros};
use crate::dialect::{Dialect, RowLock, SearchSql};
use crate::error::StoreError;
use crate::paging::TimeCursor;

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
pub type PostCursor = TimeCursor<PostId>;

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
    let search = match &filter.words {
        None => None,
        Some(words) => match Search::plan(conn, words).await? {
            Some(search) => Some(search),
            None => return Ok(PostPage { posts: Vec::new(), next: None }),
        },
    };
    let (sql, values) = Selection::of(filter, search).into_sql(filter);
    let query = values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    });
    let rows = query.fetch_all(conn).await?;
    let posts = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    Ok(page(posts, filter))
}

/// One post more was asked for than fits: if it came, there is another page.
fn page(mut posts: Vec<StoredPost>, filter: &PostFilter) -> PostPage {
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let has_more = posts.len() > limit;
    posts.truncate(limit);
    let next = posts.last().filter(|_| has_more).and_then(|last| cursor(last, filter.order));
    PostPage { posts, next }
}

fn cursor(last: &StoredPost, order: PostOrder) -> Option<PostCursor> {
    let at = match order {
        PostOrder::RecentlyUpdated => Some(last.post.updated_at),
        PostOrder::RecentlyPublished => last.post.content.published_at,
    };
    at.map(|at| PostCursor { at, id: last.post.id })
}

/// From how many matches on words count as common.
const COMMON: i64 = 1_000;

/// What to search for, and whether it is in so many posts that going through them in the order of the list, until the
/// page is full, is faster than finding and sorting all of them.
struct Search {
    dialect: Dialect,
    expression: String,
    is_common: bool,
}

impl Search {
    /// `None` when there is nothing to search for, and so nothing to find.
    async fn plan(conn: &mut Connection, words: &str) -> Result<Option<Self>, StoreError> {
        let dialect = Dialect::of(conn);
        let Some(expression) = dialect.search_expression(words) else { return Ok(None) };
        let counting = sqlx::query(dialect.count_matches()).bind(expression.clone()).bind(COMMON);
        let is_common = counting.fetch_one(conn).await?.number::<i64>("matches")? >= COMMON;
        Ok(Some(Self { dialect, expression, is_common }))
    }

    /// Rare words come first and the rest is looked up; common words are checked last.
    fn sql(&self, expression: &str, id: &str) -> SearchSql {
        match self.is_common {
            true => self.dialect.check_matches(expression, id),
            false => self.dialect.join_matches(expression, id),
        }
    }
}

enum Value {
    Text(String),
    Number(i64),
}

/// A statement in the making, which finds the ids of a page. SQLite joins the tables in the order given, PostgreSQL in
/// the one that it finds best; what the caller typed only ever enters as a parameter.
struct Selection {
    tables: Vec<String>,
    conditions: Vec<String>,
    values: Vec<Value>,
    /// The columns that the list is ordered by. Tags repeat the dates of their posts, so that a list of one tag is read
    /// in order from the index of the tags.
    time: String,
    id: &'static str,
}

impl Selection {
    fn of(filter: &PostFilter, search: Option<Search>) -> Self {
        let table = if filter.tag.is_some() { "t" } else { "p" };
        let time = format!("{table}.{}", column(filter.order));
        let id = if filter.tag.is_some() { "t.post_id" } else { "p.id" };
        let mut selection = Self { tables: Vec::new(), conditions: Vec::new(), values: Vec::new(), time, id };
        match &filter.tag {
            None => selection.tables.push("posts p".to_owned()),
            Some(tag) => selection.join_tag(tag),
        }
        if let Some(search) = search {
            selection.join_search(&search);
        }
        selection.restrict(filter);
        selection
    }

    fn parameter(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn join_tag(&mut self, tag: &Slug) {
        let tag = self.parameter(Value::Text(tag.to_string()));
        self.tables.extend(["post_tags t".to_owned(), "posts p".to_owned()]);
        self.conditions.push(format!("t.tag = {tag} AND p.id = t.post_id"));
    }

    fn join_search(&mut self, search: &Search) {
        let expression = self.parameter(Value::Text(search.expression.clone()));
        let sql = search.sql(&expression, self.id);
        self.tables.splice(0..0, sql.tables);
        self.conditions.push(sql.condition);
    }

    fn restrict(&mut self, filter: &PostFilter) {
        let status = match filter.status {
            None => "p.status <> 'trashed'".to_owned(),
            Some(status) => format!("p.status = {}", self.parameter(Value::Text(status.as_str().to_owned()))),
        };
        self.conditions.push(status);
        if let Some(owner) = filter.owner {
            let owner = self.parameter(Value::Text(owner.to_string()));
            self.conditions.push(format!("p.owner_id = {owner}"));
        }
        if filter.order == PostOrder::RecentlyPublished {
            self.conditions.push(format!("{} IS NOT NULL", self.time));
        }
        if let Some(after) = filter.after {
            let at = self.parameter(Value::Number(micros(after.at)));
            let id = self.parameter(Value::Text(after.id.to_string()));
            self.conditions.push(format!("({}, {}) < ({at}, {id})", self.time, self.id));
        }
    }

    /// The ids are found first, so that the long rows are read for the page only.
    fn into_sql(mut self, filter: &PostFilter) -> (String, Vec<Value>) {
        let limit = self.parameter(Value::Number(i64::from(filter.limit) + 1));
        let Self { tables, conditions, values, time, id } = self;
        let (tables, conditions) = (tables.join(" CROSS JOIN "), conditions.join(" AND "));
        let ids = format!("SELECT {id} FROM {tables} WHERE {conditions} ORDER BY {time} DESC, {id} DESC LIMIT {limit}");
        let order = column(filter.order);
        (format!("SELECT {} FROM posts WHERE id IN ({ids}) ORDER BY {order} DESC, id DESC", columns_of!(posts)), values)
    }
}

const fn column(order: PostOrder) -> &'static str {
    match order {
        PostOrder::RecentlyUpdated => "updated_at",
        PostOrder::RecentlyPublished => "published_at",
    }
}

/// The scheduled posts whose time has come, the most overdue first, but for those that somebody else is changing right
/// now. Nobody can change them until the transaction ends.
pub(crate) async fn take_due(tx: &mut Transaction, now: Timestamp, limit: u32) -> Result<Vec<PostId>, StoreError> {
    let sql = format!(
        "SELECT id FROM posts WHERE status = 'scheduled' AND published_at <= $1 ORDER BY published_at LIMIT $2{}",
        Dialect::of(tx).row_lock(RowLock::Skip)
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(micros(now)).bind(i64::from(limit));
    query.fetch_all(&mut **tx).await?.iter().map(|row| row.parsed("id")).collect()
}

/// When the next scheduled post is due.
pub async fn next_due(conn: &mut Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MIN(published_at) AS at FROM posts WHERE status = 'scheduled'";
    sqlx::query(sql).fetch_one(conn).await?.maybe_time("at")
}
