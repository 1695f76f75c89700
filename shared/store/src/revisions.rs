//! Revisions: every text that was ever saved.

use jiff::Timestamp;
use microblog_domain::{PostContent, PostId, RevisionNumber, UserId};
use sqlx::any::AnyRow;

use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, to_json};
use crate::error::StoreError;
use crate::origin::Origin;
use crate::posts;

/// A saved text.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Whose text.
    pub post: PostId,
    /// Counts the texts of the post.
    pub number: RevisionNumber,
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Who saved it.
    pub saved_by: Option<UserId>,
    /// Whether it never became the post's text: a file that changed while the database did, kept so that nothing is lost.
    pub is_conflict: bool,
    /// The text and all that goes with it.
    pub content: PostContent,
}

/// The saved texts of a post, newest first, `limit` at a time, from before `before`.
pub async fn list(
    conn: &mut Connection,
    post: PostId,
    before: Option<RevisionNumber>,
    limit: u32,
) -> Result<Vec<Revision>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(revisions),
        " FROM revisions WHERE post_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3"
    ))
    .bind(post.to_string())
    .bind(before.map_or(i64::MAX, |number| i64::from(number.0)))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// Reads one saved text.
pub async fn get(conn: &mut Connection, post: PostId, number: RevisionNumber) -> Result<Revision, StoreError> {
    let row =
        sqlx::query(concat!("SELECT ", columns_of!(revisions), " FROM revisions WHERE post_id = $1 AND number = $2"))
            .bind(post.to_string())
            .bind(i64::from(number.0))
            .fetch_one(conn)
            .await?;
    from_row(&row)
}

/// Keeps a text of a file that lost against the database.
pub async fn keep_conflict(
    tx: &mut Transaction,
    post: PostId,
    content: &PostContent,
    origin: &Origin,
) -> Result<RevisionNumber, StoreError> {
    posts::take(tx, post).await?;
    insert(tx, post, content, true, origin).await
}

/// Keeps a text of a post that nobody else can change meanwhile, or numbers would be given twice.
pub(crate) async fn insert(
    tx: &mut Transaction,
    post: PostId,
    content: &PostContent,
    is_conflict: bool,
    origin: &Origin,
) -> Result<RevisionNumber, StoreError> {
    let row = sqlx::query(
        "INSERT INTO revisions (post_id, number, saved_at, saved_by, is_conflict, content) \
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5 FROM revisions WHERE post_id = $1 RETURNING number",
    )
    .bind(post.to_string())
    .bind(micros(origin.at))
    .bind(origin.user.map(|user| user.to_string()))
    .bind(i64::from(is_conflict))
    .bind(to_json(content)?)
    .fetch_one(&mut **tx)
    .await?;
    row.number("number").map(RevisionNumber)
}

fn from_row(row: &AnyRow) -> Result<Revision, StoreError> {
    Ok(Revision {
        post: row.parsed("post_id")?,
        number: row.number("number").map(RevisionNumber)?,
        saved_at: row.time("saved_at")?,
        saved_by: row.maybe_parsed("saved_by")?,
        is_conflict: row.flag("is_conflict")?,
        content: row.json("content")?,
    })
}
