//! What time it is, where several machines must agree on it.

use jiff::{SignedDuration, Timestamp};
use sqlx::query;

use crate::connect::Connection;
use crate::decode::Columns as _;
use crate::dialect::Dialect;
use crate::error::StoreError;

/// Clocks that are set wrong by hand are wrong by hours.
const FARTHEST_APART: SignedDuration = SignedDuration::from_hours(48);

/// The earlier one of one's own time and a database server's: what must not happen before its time waits until both say
/// that it has come. A file is used by one machine, whose clock is all there is.
pub(crate) async fn agreed(conn: &mut Connection, own: Timestamp) -> Result<Timestamp, StoreError> {
    let Some(sql) = Dialect::of(conn).what_time_is_it() else { return Ok(own) };
    Ok(query(sql).fetch_one(conn).await?.time("now")?.min(own))
}

/// The same, for whoever wants to know no more than whether this moment has come.
pub(crate) async fn agreed_about(
    conn: &mut Connection,
    moment: Option<Timestamp>,
    own: Timestamp,
) -> Result<Timestamp, StoreError> {
    let is_doubtful = |moment: Timestamp| moment <= own && own.duration_since(moment) < FARTHEST_APART;
    if moment.is_some_and(is_doubtful) { agreed(conn, own).await } else { Ok(own) }
}
