//! The name of the installation, by which it knows what is its own outside of the database.

use jiff::Timestamp;
use microblog_domain::InstallationId;

use crate::connect::Transaction;
use crate::decode::Columns as _;
use crate::error::StoreError;

/// The id of the installation; made when it is asked for first, and the same ever after.
pub async fn id(tx: &mut Transaction, now: Timestamp) -> Result<InstallationId, StoreError> {
    let row = sqlx::query(
        "UPDATE site_state SET installation = COALESCE(installation, $1) WHERE id = 1 RETURNING installation",
    )
    .bind(InstallationId::generate(now).to_string())
    .fetch_one(&mut **tx)
    .await?;
    row.parsed("installation")
}
