//! What builds read: everything that is on the site, or only what changed since.

use microblog_domain::{ChangeSeq, Post, PostId, PostStatus};
use sqlx::AssertSqlSafe;

use super::post_from_row;
use crate::connect::Connection;
use crate::decode::{Columns as _, padded, placeholders, stored};
use crate::error::StoreError;

/// The most ids that [`published_among`] takes: databases limit the parameters of a statement.
pub const MAX_IDS: usize = 256;

/// A post that changed so that readers could notice.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedPost {
    /// Which one.
    pub id: PostId,
    /// The number of its newest such change.
    pub seq: ChangeSeq,
    /// How it is now; nothing if it is no longer on the site.
    pub published: Option<Post>,
}

/// Reads the published posts in the order of their ids, `limit` at a time, from behind `after`.
pub async fn published_page(conn: &mut Connection, after: Option<PostId>, limit: u32) -> Result<Vec<Post>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(posts),
        " FROM posts WHERE status = 'published' AND id > $1 ORDER BY id LIMIT $2"
    ))
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(post_from_row).collect()
}

/// Reads the posts that changed after `seq`, in the order of their newest change, `limit` at a time.
pub async fn changed_since(conn: &mut Connection, seq: ChangeSeq, limit: u32) -> Result<Vec<ChangedPost>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(posts),
        " FROM posts WHERE change_seq > $1 ORDER BY change_seq LIMIT $2"
    ))
    .bind(stored(seq.0))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let post = post_from_row(row)?;
            let seq = row.number("change_seq").map(ChangeSeq)?;
            Ok(ChangedPost {
                id: post.id,
                seq,
                published: Some(post).filter(|post| post.status == PostStatus::Published),
            })
        })
        .collect()
}

/// Reads the published posts, the newest change first, `limit` at a time, from before `before`.
pub async fn published_before(
    conn: &mut Connection,
    before: Option<ChangeSeq>,
    limit: u32,
) -> Result<Vec<(ChangeSeq, Post)>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns_of!(posts),
        " FROM posts WHERE status = 'published' AND change_seq < $1 ORDER BY change_seq DESC LIMIT $2"
    );
    let before = before.map_or(i64::MAX, |seq| stored(seq.0));
    let rows = sqlx::query(sql).bind(before).bind(i64::from(limit)).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.number("change_seq").map(ChangeSeq)?, post_from_row(row)?))).collect()
}

/// Reads the published posts among these, in no order. At most [`MAX_IDS`] at a time.
pub async fn published_among(conn: &mut Connection, ids: &[PostId]) -> Result<Vec<Post>, StoreError> {
    let ids = padded(ids);
    let sql = format!(
        "SELECT {} FROM posts WHERE status = 'published' AND id IN ({})",
        columns_of!(posts),
        placeholders(1, ids.len())
    );
    let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| query.bind(id.to_string()));
    query.fetch_all(conn).await?.iter().map(post_from_row).collect()
}
