//! Posts as they are stored, one by one. Lists are in [`list`], what builds read is in [`changes`].
//!
//! Callers change posts through [`crate::publishing`], which also keeps the revision and asks for the build; the
//! writing functions here are for it alone.

pub mod changes;
pub mod list;

use jiff::Timestamp;
use microblog_domain::{Post, PostContent, PostId, PostStatus, Slug, Tag, UserId, Version};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, stored, to_json};
use crate::dialect::{Dialect, RowLock};
use crate::error::StoreError;
use crate::locks::{self, Lock};

/// A post with what the system keeps about it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPost {
    /// The post.
    pub post: Post,
    /// Whose post it is; nobody's if it was imported.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why it was set aside, if it was.
    pub set_aside_reason: Option<String>,
}

/// Reads a post, whatever its status.
pub async fn get(conn: &mut Connection, id: PostId) -> Result<StoredPost, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(posts), " FROM posts WHERE id = $1"))
        .bind(id.to_string())
        .fetch_one(conn)
        .await?;
    from_row(&row)
}

/// Reads a post that nobody else can change until the transaction ends.
pub(crate) async fn take(tx: &mut Transaction, id: PostId) -> Result<StoredPost, StoreError> {
    let sql =
        format!("SELECT {} FROM posts WHERE id = $1{}", columns_of!(posts), Dialect::of(tx).row_lock(RowLock::Wait));
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).fetch_one(&mut **tx).await?;
    from_row(&row)
}

/// Keeps others from giving posts addresses until the transaction ends. To be called before any post is changed, by
/// whoever looks whether an address or a slug is free and then takes it.
pub async fn hold_addresses(tx: &mut Transaction) -> Result<(), StoreError> {
    locks::hold(tx, Lock::Addresses).await
}

/// All posts with this slug that are not in the trash. Whether their addresses differ depends on dates and settings.
pub async fn with_slug(conn: &mut Connection, slug: &Slug) -> Result<Vec<StoredPost>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(posts),
        " FROM posts WHERE slug = $1 AND status <> 'trashed' ORDER BY id"
    ))
    .bind(slug.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// The slug itself if no post has it, else the first of `slug-2`, `slug-3`, … that is free.
pub async fn free_slug(conn: &mut Connection, wanted: &Slug) -> Result<Slug, StoreError> {
    let mut number = 1;
    let mut candidate = wanted.clone();
    while is_in_use(conn, &candidate).await? {
        number += 1;
        candidate = wanted.numbered(number);
    }
    Ok(candidate)
}

async fn is_in_use(conn: &mut Connection, slug: &Slug) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT id FROM posts WHERE slug = $1 AND status <> 'trashed' LIMIT 1")
        .bind(slug.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// How many posts there are of each status; statuses without posts count 0.
pub async fn count_by_status(conn: &mut Connection) -> Result<Vec<(PostStatus, u64)>, StoreError> {
    let rows = sqlx::query("SELECT status, COUNT(*) AS posts FROM posts GROUP BY status").fetch_all(conn).await?;
    let mut counts: Vec<_> = PostStatus::ALL.iter().map(|status| (*status, 0)).collect();
    for row in &rows {
        let found: PostStatus = row.parsed("status")?;
        if let Some(entry) = counts.iter_mut().find(|(status, _)| *status == found) {
            entry.1 = row.number("posts")?;
        }
    }
    Ok(counts)
}

/// Writes a new row.
pub(crate) async fn insert(tx: &mut Transaction, post: &StoredPost, change: Option<i64>) -> Result<(), StoreError> {
    let sql = "INSERT INTO posts (kind, title, slug, markdown, status, published_at, updated_at, tags, description, \
               image, authors, aliases, permalink, extra, version, set_aside_reason, change_seq, id, created_at, owner_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    bind_changing_columns(sqlx::query(sql), post, change)?
        .bind(post.post.id.to_string())
        .bind(micros(post.created_at))
        .bind(post.owner.map(|user| user.to_string()))
        .execute(&mut **tx)
        .await?;
    insert_tags(tx, &post.post).await
}

/// Writes a row anew if it still has the version `before`.
pub(crate) async fn update(
    tx: &mut Transaction,
    post: &StoredPost,
    before: Version,
    change: Option<i64>,
) -> Result<(), StoreError> {
    let sql = "UPDATE posts SET kind = $1, title = $2, slug = $3, markdown = $4, status = $5, published_at = $6, \
               updated_at = $7, tags = $8, description = $9, image = $10, authors = $11, aliases = $12, permalink = $13, \
               extra = $14, version = $15, set_aside_reason = $16, change_seq = COALESCE($17, change_seq) \
               WHERE id = $18 AND version = $19";
    let id = post.post.id.to_string();
    let done = bind_changing_columns(sqlx::query(sql), post, change)?
        .bind(id.clone())
        .bind(stored(before.0))
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Stale { current: get(tx, post.post.id).await?.post.version });
    }
    sqlx::query("DELETE FROM post_tags WHERE post_id = $1").bind(id).execute(&mut **tx).await?;
    insert_tags(tx, &post.post).await
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// Binds $1 to $17 of both statements above.
fn bind_changing_columns<'q>(
    query: Query<'q>,
    stored_post: &StoredPost,
    change: Option<i64>,
) -> Result<Query<'q>, StoreError> {
    let Post { content, status, updated_at, version, .. } = &stored_post.post;
    Ok(query
        .bind(content.kind.as_str())
        .bind(content.title.clone())
        .bind(content.slug.to_string())
        .bind(content.markdown.clone())
        .bind(status.as_str())
        .bind(content.published_at.map(micros))
        .bind(micros(*updated_at))
        .bind(to_json(&content.tags)?)
        .bind(content.description.clone())
        .bind(content.image.clone())
        .bind(to_json(&content.authors)?)
        .bind(to_json(&content.aliases)?)
        .bind(content.permalink.as_ref().map(ToString::to_string))
        .bind(to_json(&content.extra)?)
        .bind(stored(version.0))
        .bind(stored_post.set_aside_reason.clone())
        .bind(change))
}

async fn insert_tags(tx: &mut Transaction, post: &Post) -> Result<(), StoreError> {
    for slug in post.content.tags.iter().map(Tag::slug) {
        sqlx::query(
            "INSERT INTO post_tags (tag, post_id, updated_at, published_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tag, post_id) DO NOTHING",
        )
        .bind(slug.to_string())
        .bind(post.id.to_string())
        .bind(micros(post.updated_at))
        .bind(post.content.published_at.map(micros))
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(crate) fn from_row(row: &AnyRow) -> Result<StoredPost, StoreError> {
    Ok(StoredPost {
        post: post_from_row(row)?,
        owner: row.maybe_parsed("owner_id")?,
        created_at: row.time("created_at")?,
        set_aside_reason: row.maybe_text("set_aside_reason")?,
    })
}

fn post_from_row(row: &AnyRow) -> Result<Post, StoreError> {
    Ok(Post {
        id: row.parsed("id")?,
        content: PostContent {
            kind: row.parsed("kind")?,
            title: row.maybe_text("title")?,
            slug: row.parsed("slug")?,
            markdown: row.text("markdown")?,
            published_at: row.maybe_time("published_at")?,
            tags: row.json("tags")?,
            description: row.maybe_text("description")?,
            image: row.maybe_text("image")?,
            authors: row.json("authors")?,
            aliases: row.json("aliases")?,
            permalink: row.maybe_parsed("permalink")?,
            extra: row.json("extra")?,
        },
        status: row.parsed("status")?,
        updated_at: row.time("updated_at")?,
        version: row.number("version").map(Version)?,
    })
}
