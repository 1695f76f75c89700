//! Uploaded files: what is known about them. The bytes lie in the data folder, named by their hash.

use jiff::Timestamp;
use microblog_domain::{BuildId, BuildMode, ChangeSeq, ContentHash, MediaId, UserId};
use serde_json::json;
use sqlx::any::AnyRow;

use crate::builds::{self, BuildRequest};
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, stored};
use crate::error::StoreError;
use crate::locks::{self, Lock};
use crate::origin::Origin;
use crate::{audit, counters, images};

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// What is known about the file.
    pub file: MediaFile,
    /// Who uploaded it.
    pub uploaded_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// The number of its newest change.
    pub change: ChangeSeq,
}

/// What is known about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// The name in its address.
    pub name: String,
    /// What it is, like `image/png`.
    pub content_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// How many pixels it is wide and high, if it is an image.
    pub dimensions: Option<(u32, u32)>,
}

/// Adds an uploaded file. The same bytes under the same name are the same file: they are not added twice, but a picture
/// of which no variants could be made is tried again.
pub async fn add(tx: &mut Transaction, file: &MediaFile, origin: &Origin) -> Result<Media, StoreError> {
    locks::hold(tx, Lock::Upload(&file.hash)).await?;
    if let Some(there) = find(tx, &file.hash, &file.name).await? {
        images::want(tx, file, origin.at).await?;
        return Ok(there);
    }
    let is_back = was_deleted(tx, file).await?;
    let twin = with_bytes(tx, &file.hash).await?;
    if twin.is_none() {
        // How it is really shown was only known of the uploads that are gone.
        images::forget(tx, &file.hash).await?;
    }
    images::want(tx, file, origin.at).await?;
    let dimensions = twin.map_or(file.dimensions, |twin| twin.file.dimensions);
    let media = insert(tx, &MediaFile { dimensions, ..file.clone() }, origin).await?;
    audit::record(tx, origin, "media.add", &media.id.to_string(), &json!({"name": file.name})).await?;
    if is_back {
        // Posts may have shown it all the time. The address of a file that is new is in no post yet.
        builds::ask(tx, &BuildRequest::now(BuildMode::Incremental, origin), origin).await?;
    }
    Ok(media)
}

async fn was_deleted(conn: &mut Connection, file: &MediaFile) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM media WHERE hash = $1 AND name = $2 AND deleted_at IS NOT NULL LIMIT 1";
    let row = sqlx::query(sql).bind(file.hash.to_string()).bind(file.name.clone()).fetch_optional(conn).await?;
    Ok(row.is_some())
}

async fn insert(tx: &mut Transaction, file: &MediaFile, origin: &Origin) -> Result<Media, StoreError> {
    let change = counters::next_change(tx).await?;
    let row = sqlx::query(concat!(
        "INSERT INTO media (id, hash, name, content_type, size, width, height, uploaded_by, created_at, change_seq) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ",
        columns_of!(media)
    ))
    .bind(MediaId::generate(origin.at).to_string())
    .bind(file.hash.to_string())
    .bind(file.name.clone())
    .bind(file.content_type.clone())
    .bind(stored(file.size))
    .bind(file.dimensions.map(|(width, _)| i64::from(width)))
    .bind(file.dimensions.map(|(_, height)| i64::from(height)))
    .bind(origin.user.map(|user| user.to_string()))
    .bind(micros(origin.at))
    .bind(change)
    .fetch_one(&mut **tx)
    .await?;
    from_row(&row)
}

/// Deletes a file from the site with the next build. Its row stays, so that builds learn of it.
pub async fn delete(tx: &mut Transaction, id: MediaId, origin: &Origin) -> Result<BuildId, StoreError> {
    let hash = get(tx, id).await?.file.hash;
    locks::hold(tx, Lock::Upload(&hash)).await?;
    let change = counters::next_change(tx).await?;
    let done = sqlx::query("UPDATE media SET deleted_at = $2, change_seq = $3 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.to_string())
        .bind(micros(origin.at))
        .bind(change)
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    audit::record(tx, origin, "media.delete", &id.to_string(), &json!({})).await?;
    Ok(builds::ask(tx, &BuildRequest::now(BuildMode::Incremental, origin), origin).await?.id)
}

/// Reads one that is not deleted.
pub async fn get(conn: &mut Connection, id: MediaId) -> Result<Media, StoreError> {
    let row = sqlx::query(concat!("SELECT ", columns_of!(media), " FROM media WHERE id = $1 AND deleted_at IS NULL"))
        .bind(id.to_string())
        .fetch_one(conn)
        .await?;
    from_row(&row)
}

/// Finds the file at an address.
pub async fn find(conn: &mut Connection, hash: &ContentHash, name: &str) -> Result<Option<Media>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns_of!(media),
        " FROM media WHERE hash = $1 AND name = $2 AND deleted_at IS NULL"
    ))
    .bind(hash.to_string())
    .bind(name.to_owned())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(from_row).transpose()
}

/// Finds the file at a public address, which holds only the first digits of the hash.
pub async fn find_public(conn: &mut Connection, digits: &str, name: &str) -> Result<Option<Media>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns_of!(media),
        " FROM media WHERE hash >= $1 AND hash < $2 AND name = $3 AND deleted_at IS NULL LIMIT 1"
    );
    let row = sqlx::query(sql)
        .bind(digits.to_owned())
        .bind(format!("{digits}g"))
        .bind(name.to_owned())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// Whether any file that is not deleted has these bytes.
pub async fn uses_bytes(conn: &mut Connection, hash: &ContentHash) -> Result<bool, StoreError> {
    Ok(with_bytes(conn, hash).await?.is_some())
}

async fn with_bytes(conn: &mut Connection, hash: &ContentHash) -> Result<Option<Media>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns_of!(media),
        " FROM media WHERE hash = $1 AND deleted_at IS NULL LIMIT 1"
    ))
    .bind(hash.to_string())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(from_row).transpose()
}

/// The files, newest first, `limit` at a time, from before `before`.
pub async fn list(conn: &mut Connection, before: Option<MediaId>, limit: u32) -> Result<Vec<Media>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(media),
        " FROM media WHERE deleted_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2"
    ))
    .bind(before.map_or_else(|| "g".to_owned(), |id| id.to_string()))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

/// Takes over how wide and high a picture is really shown, and lets builds look at every upload of it again. The caller
/// holds [`Lock::Upload`].
pub(crate) async fn touch(
    tx: &mut Transaction,
    hash: &ContentHash,
    (width, height): (u32, u32),
) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT id FROM media WHERE hash = $1 AND deleted_at IS NULL")
        .bind(hash.to_string())
        .fetch_all(&mut **tx)
        .await?;
    for row in rows {
        let change = counters::next_change(tx).await?;
        sqlx::query("UPDATE media SET width = $2, height = $3, change_seq = $4 WHERE id = $1")
            .bind(row.text("id")?)
            .bind(i64::from(width))
            .bind(i64::from(height))
            .bind(change)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The files that were added, deleted or got variants after change `seq`, in the order of their newest change; deleted
/// ones too.
pub async fn changed_since(conn: &mut Connection, seq: ChangeSeq, limit: u32) -> Result<Vec<Media>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns_of!(media),
        " FROM media WHERE change_seq > $1 ORDER BY change_seq LIMIT $2"
    ))
    .bind(stored(seq.0))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<Media, StoreError> {
    Ok(Media {
        id: row.parsed("id")?,
        file: MediaFile {
            hash: row.parsed("hash")?,
            name: row.text("name")?,
            content_type: row.text("content_type")?,
            size: row.number("size")?,
            dimensions: row.maybe_number("width")?.zip(row.maybe_number("height")?),
        },
        uploaded_by: row.maybe_parsed("uploaded_by")?,
        created_at: row.time("created_at")?,
        deleted_at: row.maybe_time("deleted_at")?,
        change: row.number("change_seq").map(ChangeSeq)?,
    })
}
