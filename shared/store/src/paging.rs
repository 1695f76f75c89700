//! Where a page of a list ended that is ordered by time.

use jiff::Timestamp;
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use crate::decode::micros;

/// Where a page of a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeCursor<Id> {
    /// The time that the list is ordered by, of its last entry.
    pub at: Timestamp,
    /// The last entry.
    pub id: Id,
}

type Statement<'q> = Query<'q, Any, AnyArguments>;

impl<Id: ToString> TimeCursor<Id> {
    /// Binds time and id of the place where a page begins that is read newest first; without one, of the newest end.
    pub(crate) fn bind<'q>(cursor: Option<&Self>, statement: Statement<'q>) -> Statement<'q> {
        match cursor {
            Some(cursor) => statement.bind(micros(cursor.at)).bind(cursor.id.to_string()),
            None => statement.bind(i64::MAX).bind(String::new()),
        }
    }
}
