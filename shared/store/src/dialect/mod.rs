//! The one place for what databases say or spell differently.
//!
//! All other SQL of this crate is meant for SQLite and PostgreSQL alike: `$1` placeholders, `RETURNING`,
//! `ON CONFLICT`, partial unique indexes and row values exist in both. What differs is here, side by side in [`sqlite`]
//! and [`postgres`]: how connections are set up and transactions begun, how rows are locked, full-text search, and how
//! errors are read.
//!
//! SQLite has one writer at a time, so its locks are spelt as nothing. On PostgreSQL transactions write side by side and
//! see what others have committed (`READ COMMITTED`); whoever decides by what they read must lock it.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::borrow::Cow;

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

use crate::connect::Connection;
use crate::error::StoreError;

/// Which database is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// How rows are locked that were found by a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowLock {
    /// Waits for whoever has them.
    Wait,
    /// Leaves out those that somebody has.
    Skip,
}

/// How a search narrows a list: further tables, and a condition.
pub(crate) struct SearchSql {
    pub(crate) tables: Vec<String>,
    pub(crate) condition: String,
}

impl Dialect {
    /// The one that is spoken on this connection.
    pub(crate) fn of(connection: &Connection) -> Self {
        if connection.backend_name() == "PostgreSQL" { Self::Postgres } else { Self::Sqlite }
    }

    /// Begins a transaction that writes.
    pub(crate) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN_WRITE,
            Self::Postgres => postgres::BEGIN_WRITE,
        }
    }

    /// Begins a transaction that writes what may be forgotten.
    pub(crate) const fn begin_forgettable(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN_WRITE,
            Self::Postgres => postgres::BEGIN_FORGETTABLE,
        }
    }

    /// Begins a transaction that reads one unchanging state.
    pub(crate) const fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN_SNAPSHOT,
            Self::Postgres => postgres::BEGIN_SNAPSHOT,
        }
    }

    /// Asks a server for its time, in microseconds.
    pub(crate) const fn what_time_is_it(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::WHAT_TIME_IS_IT),
        }
    }

    /// Asks how the database is.
    pub(crate) const fn how_are_you(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::HOW_ARE_YOU,
            Self::Postgres => postgres::HOW_ARE_YOU,
        }
    }

    /// Waits, but not for ever, until no other process changes the schema; and keeps others waiting to the end of the
    /// transaction.
    pub(crate) const fn lock_schema(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::LOCK_SCHEMA,
            Self::Postgres => postgres::LOCK_SCHEMA,
        }
    }

    /// Statements of the schema, which are written for both, as this database must read them.
    pub(crate) fn schema(self, sql: &'static str) -> Cow<'static, str> {
        match self {
            Self::Sqlite => Cow::Borrowed(sql),
            Self::Postgres => postgres::with_order_of_bytes(sql),
        }
    }

    /// Stands at the end of a `SELECT` of rows that are about to be changed.
    pub(crate) const fn row_lock(self, lock: RowLock) -> &'static str {
        match (self, lock) {
            (Self::Sqlite, _) => "",
            (Self::Postgres, RowLock::Wait) => postgres::LOCK_ROWS,
            (Self::Postgres, RowLock::Skip) => postgres::LOCK_FREE_ROWS,
        }
    }

    /// Locks a name, which is bound to `$1`, to the end of the transaction.
    pub(crate) const fn lock_name(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::LOCK_NAME),
        }
    }

    /// What is searched for when a person typed this; `None` when there is no word in it.
    pub(crate) fn search_expression(self, typed: &str) -> Option<String> {
        match self {
            Self::Sqlite => sqlite::search_expression(typed),
            Self::Postgres => postgres::search_expression(typed),
        }
    }

    /// Counts what matches the expression `$1`, up to `$2`.
    pub(crate) const fn count_matches(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::COUNT_MATCHES,
            Self::Postgres => postgres::COUNT_MATCHES,
        }
    }

    /// Finds all matches first, and then their posts, whose id is in column `id`.
    pub(crate) fn join_matches(self, expression: &str, id: &str) -> SearchSql {
        match self {
            Self::Sqlite => sqlite::join_matches(expression, id),
            Self::Postgres => postgres::join_matches(expression, id),
        }
    }

    /// Goes through the posts in the order of the list, and asks of each whether it matches.
    pub(crate) fn check_matches(self, expression: &str, id: &str) -> SearchSql {
        match self {
            Self::Sqlite => sqlite::check_matches(expression, id),
            Self::Postgres => postgres::check_matches(expression, id),
        }
    }
}

/// Reads an error that the database itself reported.
pub(crate) fn classify(error: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(report) = &error else {
        return StoreError::Internal(error);
    };
    if report.kind() == ErrorKind::UniqueViolation
        && let Some(field) = field_of_constraint(report.as_ref())
    {
        return StoreError::Taken { field };
    }
    match report.try_downcast_ref::<PgDatabaseError>() {
        Some(_) => postgres::classify(error),
        None => sqlite::classify(error),
    }
}

/// Whether somebody else had what was waited for, for longer than one waits.
pub(crate) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    postgres_report(error).is_some_and(|report| report.code() == postgres::LOCK_TIMEOUT)
}

/// Whether the database says that it has undone the transaction, for no fault of what it was asked: two waited for each
/// other.
pub(crate) fn has_undone(error: &sqlx::Error) -> bool {
    postgres_report(error).is_some_and(postgres::has_undone)
}

/// Whether the connection has ended, and with it what was not committed.
pub(crate) fn has_ended(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        sqlx::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        error => postgres_report(error).is_some_and(postgres::has_ended),
    }
}

fn postgres_report(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// SQLite names the column in its message (`users.name_key`); the constraints are named alike (`users_name_key`).
fn field_of_constraint(report: &dyn DatabaseError) -> Option<&'static str> {
    let named = |column: &str, constraint: &str| {
        report.message().contains(column) || report.constraint().is_some_and(|name| name == constraint)
    };
    if named("users.name_key", "users_name_key") {
        Some("name")
    } else if named("idempotency_keys.user_id", "idempotency_keys_pkey") {
        Some("idempotency key")
    } else {
        None
    }
}
