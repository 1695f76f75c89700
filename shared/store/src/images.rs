//! Variants of uploaded pictures: which are still to be made, and which there are.
//!
//! A picture is known by the hash of its bytes, so it is worked on once, however many uploads show it. A worker claims
//! one with a lease; an attempt is counted when it begins, so that a picture which kills its worker is set aside in the
//! end. A new upload of it or a newer maker tries it again. When the variants are ready, that is a change of the site like
//! any other: counted, and brought to the readers by a build.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use microblog_domain::media::{ImageVariant, may_have_variants};
use microblog_domain::{BuildId, BuildMode, ContentHash};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use crate::builds::{self, BuildRequest};
use crate::connect::{Connection, Transaction};
use crate::decode::{Columns as _, micros, padded, placeholders, stored};
use crate::dialect::{Dialect, RowLock};
use crate::error::StoreError;
use crate::locks::{self, Lock};
use crate::media::MediaFile;
use crate::origin::Origin;
use crate::{audit, media};

/// How often work on a picture may begin. Only attempts count that ended without a word.
pub const MAX_ATTEMPTS: u32 = 5;
/// How long a build waits for more pictures.
const MORE_FOLLOW: Duration = Duration::from_secs(15);
/// The most hashes that [`variants_of`] takes: databases limit the parameters of a statement.
pub const MAX_HASHES: usize = 256;

/// Who works on pictures.
#[derive(Debug, Clone, Copy)]
pub struct ImageWorker<'w> {
    /// Its name, which its process has for itself.
    pub name: &'w str,
    /// Raised when it makes other variants than before, or of more pictures.
    pub edition: u32,
}

/// A picture that a worker has for itself until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedImage {
    /// The hash of the picture's bytes.
    pub hash: ContentHash,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    worker: String,
}

/// What was made of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeVariants {
    /// How wide and high the picture is shown, upright.
    pub dimensions: (u32, u32),
    /// Its variants, of different widths.
    pub variants: Vec<ImageVariant>,
}

/// Notes that variants of an upload are wanted, unless they were made before. One that was set aside gets as many
/// attempts as a new one.
pub(crate) async fn want(tx: &mut Transaction, file: &MediaFile, now: Timestamp) -> Result<(), StoreError> {
    if !may_have_variants(&file.content_type) {
        return Ok(());
    }
    let sql = "INSERT INTO image_work (hash, state, attempts, run_after) VALUES ($1, 'waiting', 0, $2) \
               ON CONFLICT (hash) DO UPDATE SET state = 'waiting', attempts = 0, run_after = $2, reason = NULL \
               WHERE image_work.state = 'set_aside'";
    sqlx::query(sql).bind(file.hash.to_string()).bind(micros(now)).execute(&mut **tx).await?;
    Ok(())
}

/// Notes that variants which were made are lost, so that they are made again.
pub async fn want_again(tx: &mut Transaction, originals: &[ContentHash]) -> Result<(), StoreError> {
    // In one order, whoever asks, so that nobody waits for each other.
    let originals: BTreeSet<String> = originals.iter().map(ToString::to_string).collect();
    for hash in originals {
        let sql = "UPDATE image_work SET state = 'waiting', attempts = 0, run_after = 0 \
                   WHERE hash = $1 AND state = 'done'";
        sqlx::query(sql).bind(hash).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Lets a maker of this edition try again what those before it set aside.
pub async fn reconsider(tx: &mut Transaction, edition: u32) -> Result<(), StoreError> {
    let sql = "UPDATE image_work SET state = 'waiting', attempts = 0, run_after = 0, reason = NULL \
               WHERE state = 'set_aside' AND edition < $1";
    sqlx::query(sql).bind(i64::from(edition)).execute(&mut **tx).await?;
    Ok(())
}

/// Whether there is a picture to work on.
pub async fn is_any_due(conn: &mut Connection, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT hash FROM image_work WHERE state = 'waiting' AND run_after <= $1 LIMIT 1";
    Ok(sqlx::query(sql).bind(micros(now)).fetch_optional(conn).await?.is_some())
}

/// The picture that waits the longest, but for those that somebody else is about to take.
async fn take_due(tx: &mut Transaction, now: Timestamp) -> Result<Option<AnyRow>, StoreError> {
    let sql = format!(
        "SELECT hash, attempts FROM image_work WHERE state = 'waiting' AND run_after <= $1 \
         ORDER BY run_after LIMIT 1{}",
        Dialect::of(tx).row_lock(RowLock::Skip)
    );
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(micros(now)).fetch_optional(&mut **tx).await?)
}

/// Takes a picture that nobody works on. Forgets pictures that are no longer wanted, and sets those aside that were
/// tried too often.
pub async fn claim(
    tx: &mut Transaction,
    worker: ImageWorker<'_>,
    lease_for: Duration,
    origin: &Origin,
) -> Result<Option<ClaimedImage>, StoreError> {
    while let Some(row) = take_due(tx, origin.at).await? {
        let hash: ContentHash = row.parsed("hash")?;
        let attempts: u32 = row.number("attempts")?;
        if !media::uses_bytes(tx, &hash).await? {
            forget(tx, &hash).await?;
        } else if attempts >= MAX_ATTEMPTS {
            put_aside(tx, &hash, &lost(attempts), origin).await?;
        } else {
            return take(tx, hash, attempts + 1, worker, lease_for, origin.at).await.map(Some);
        }
    }
    Ok(None)
}

fn lost(attempts: u32) -> String {
    format!(
        "none of {attempts} attempts to make smaller pictures of this one came to an end, as when it makes the program \
         end; it is shown as it is. Upload it again to try once more"
    )
}

/// Forgets what was made of a picture, and what is still to be made.
pub(crate) async fn forget(tx: &mut Transaction, hash: &ContentHash) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM image_work WHERE hash = $1").bind(hash.to_string()).execute(&mut **tx).await?;
    Ok(())
}

async fn take(
    tx: &mut Transaction,
    hash: ContentHash,
    attempt: u32,
    worker: ImageWorker<'_>,
    lease_for: Duration,
    now: Timestamp,
) -> Result<ClaimedImage, StoreError> {
    let sql = "UPDATE image_work SET attempts = $2, claimed_by = $3, run_after = $4, edition = $5 WHERE hash = $1";
    sqlx::query(sql)
        .bind(hash.to_string())
        .bind(i64::from(attempt))
        .bind(worker.name.to_owned())
        .bind(micros(now.checked_add(lease_for).unwrap_or(Timestamp::MAX)))
        .bind(i64::from(worker.edition))
        .execute(&mut **tx)
        .await?;
    Ok(ClaimedImage { hash, attempt, worker: worker.name.to_owned() })
}

/// Keeps what was made, in place of what there was before. If readers could notice, it is counted as a change and a build
/// is asked for. Does nothing if the lease was lost: whoever has the picture now makes the same.
pub async fn keep(
    tx: &mut Transaction,
    claimed: &ClaimedImage,
    made: &MadeVariants,
    origin: &Origin,
) -> Result<Option<BuildId>, StoreError> {
    locks::hold(tx, Lock::Upload(&claimed.hash)).await?;
    if !settle(tx, claimed, "done", None).await? {
        return Ok(None);
    }
    let sql = "DELETE FROM image_variants WHERE original = $1";
    let before = sqlx::query(sql).bind(claimed.hash.to_string()).execute(&mut **tx).await?.rows_affected();
    for variant in &made.variants {
        insert(tx, &claimed.hash, variant).await?;
    }
    if before == 0 && made.variants.is_empty() && !is_measured_otherwise(tx, claimed, made).await? {
        return Ok(None);
    }
    media::touch(tx, &claimed.hash, made.dimensions).await?;
    let request = BuildRequest { mode: BuildMode::Incremental, run_after: when_to_show(tx, origin.at).await? };
    Ok(Some(builds::ask(tx, &request, origin).await?.id))
}

/// At once, unless more pictures follow, those that others work on too: a release for each of a thousand pictures would
/// leave nothing else to go back to.
async fn when_to_show(tx: &mut Transaction, now: Timestamp) -> Result<Timestamp, StoreError> {
    let sql = "SELECT hash FROM image_work \
               WHERE state = 'waiting' AND (run_after <= $1 OR claimed_by IS NOT NULL) LIMIT 1";
    let next = sqlx::query(sql).bind(micros(now)).fetch_optional(&mut **tx).await?;
    Ok(if next.is_none() { now } else { now.checked_add(MORE_FOLLOW).unwrap_or(now) })
}

async fn insert(tx: &mut Transaction, original: &ContentHash, variant: &ImageVariant) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO image_variants (original, width, height, hash, size) VALUES ($1, $2, $3, $4, $5)")
        .bind(original.to_string())
        .bind(i64::from(variant.width))
        .bind(i64::from(variant.height))
        .bind(variant.hash.to_string())
        .bind(stored(variant.size))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn is_measured_otherwise(
    tx: &mut Transaction,
    claimed: &ClaimedImage,
    made: &MadeVariants,
) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM media WHERE hash = $1 AND deleted_at IS NULL AND (width <> $2 OR height <> $3) LIMIT 1";
    let row = sqlx::query(sql)
        .bind(claimed.hash.to_string())
        .bind(i64::from(made.dimensions.0))
        .bind(i64::from(made.dimensions.1))
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}

/// Never tries this picture again: it is shown as it is.
pub async fn set_aside(
    tx: &mut Transaction,
    claimed: &ClaimedImage,
    reason: &str,
    origin: &Origin,
) -> Result<(), StoreError> {
    if settle(tx, claimed, "set_aside", Some(reason)).await? {
        tell(tx, &claimed.hash, reason, origin).await?;
    }
    Ok(())
}

async fn put_aside(tx: &mut Transaction, hash: &ContentHash, reason: &str, origin: &Origin) -> Result<(), StoreError> {
    sqlx::query("UPDATE image_work SET state = 'set_aside', claimed_by = NULL, reason = $2 WHERE hash = $1")
        .bind(hash.to_string())
        .bind(reason.to_owned())
        .execute(&mut **tx)
        .await?;
    tell(tx, hash, reason, origin).await
}

async fn tell(tx: &mut Transaction, hash: &ContentHash, reason: &str, origin: &Origin) -> Result<(), StoreError> {
    audit::record(tx, origin, "media.no_variants", &hash.to_string(), &json!({"reason": reason})).await
}

/// Ends a claim. Tells whether the picture was still claimed.
async fn settle(
    tx: &mut Transaction,
    claimed: &ClaimedImage,
    state: &str,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE image_work SET state = $4, claimed_by = NULL, reason = $5 \
         WHERE hash = $1 AND state = 'waiting' AND attempts = $2 AND claimed_by = $3",
    )
    .bind(claimed.hash.to_string())
    .bind(i64::from(claimed.attempt))
    .bind(claimed.worker.clone())
    .bind(state.to_owned())
    .bind(reason.map(str::to_owned))
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a picture back through no fault of its own; the attempt does not count.
pub async fn give_back(tx: &mut Transaction, claimed: &ClaimedImage, run_after: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE image_work SET attempts = attempts - 1, claimed_by = NULL, run_after = $4 \
         WHERE hash = $1 AND state = 'waiting' AND attempts = $2 AND claimed_by = $3",
    )
    .bind(claimed.hash.to_string())
    .bind(i64::from(claimed.attempt))
    .bind(claimed.worker.clone())
    .bind(micros(run_after))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends the leases of a worker that is known to be dead. Its attempts count: a picture may have killed it.
pub async fn bury(tx: &mut Transaction, worker: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE image_work SET claimed_by = NULL, run_after = $2 WHERE claimed_by = $1 AND state = 'waiting'";
    sqlx::query(sql).bind(worker.to_owned()).bind(micros(now)).execute(&mut **tx).await?;
    Ok(())
}

/// The variants of these pictures, narrowest first. At most [`MAX_HASHES`] pictures at a time.
pub async fn variants_of(
    conn: &mut Connection,
    originals: &[ContentHash],
) -> Result<HashMap<ContentHash, Vec<ImageVariant>>, StoreError> {
    let originals = padded(originals);
    let sql = format!(
        "SELECT {} FROM image_variants WHERE original IN ({}) ORDER BY width",
        columns_of!(image_variants),
        placeholders(1, originals.len())
    );
    // Only numbers were added to the text.
    let query = originals.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, hash| query.bind(hash.to_string()));
    let mut found: HashMap<ContentHash, Vec<ImageVariant>> = HashMap::new();
    for row in query.fetch_all(conn).await? {
        let variant = ImageVariant {
            width: row.number("width")?,
            height: row.number("height")?,
            hash: row.parsed("hash")?,
            size: row.number("size")?,
        };
        found.entry(row.parsed("original")?).or_default().push(variant);
    }
    Ok(found)
}
