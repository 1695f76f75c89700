//! The one place for what databases say or spell differently.
//!
//! All other SQL of this crate is meant for SQLite and PostgreSQL alike: `$1` placeholders, `RETURNING`,
//! `ON CONFLICT`, partial unique indexes and row values exist in both. What SQLite alone needs is here: how its files
//! are opened, how its errors are read, and full-text search.

use sqlx::error::{DatabaseError, ErrorKind};

use crate::error::StoreError;

/// Takes the write lock at once, so that a transaction never finds at its end that another one was first.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// For every connection. `FULL`: what was acknowledged survives a power cut. The size limit gives disk space back after
/// a large import.
pub(crate) const SET_UP_WRITER: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA journal_size_limit = 67108864;
";

/// Readers see the last commit and never wait for the writer; a statement that writes is a mistake in this program.
pub(crate) const SET_UP_READER: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA query_only = ON;
";

/// Moves the messages that are due ahead, and gives them back. Writers take turns here, so none of them are taken twice.
pub(crate) const CLAIM_OUTBOX: &str = "
    UPDATE outbox SET available_at = $3 WHERE id IN
        (SELECT id FROM outbox WHERE available_at <= $1 ORDER BY available_at, id LIMIT $2)
    RETURNING *
";

/// Finds the numbers of the posts that match the search expression in the parameter that follows.
pub(crate) const MATCHES: &str = "SELECT s.rowid AS number FROM post_search s WHERE post_search MATCH";

/// Turns the numbers of matches into ids of posts.
pub(crate) const SEARCH_KEYS: &str = "post_search_keys k";

/// Turns what a person typed into a search expression: every word must occur, and may go on (`publ` finds `publish`).
/// `None` when there is no word in it.
pub(crate) fn search_expression(typed: &str) -> Option<String> {
    let words: Vec<_> = typed
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\"*"))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The primary result codes of SQLite that mean something to whoever runs the program.
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const NOTADB: u32 = 26;
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
    match primary_code(report.as_ref()) {
        Some(code::BUSY | code::LOCKED | code::IOERR | code::CANTOPEN) => StoreError::Unavailable(error),
        Some(code::READONLY) => StoreError::ReadOnly,
        Some(code::FULL) => StoreError::DiskFull,
        Some(code::CORRUPT | code::NOTADB) => StoreError::Damaged { reason: report.message().to_owned() },
        _ => StoreError::Internal(error),
    }
}

/// Whether the file turned out to be something other than a database.
pub(crate) fn is_not_a_database(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(primary_code) == Some(code::NOTADB)
}

/// Extended result codes carry the primary one in their lowest byte.
fn primary_code(report: &dyn DatabaseError) -> Option<u32> {
    report.code()?.parse::<u32>().ok().map(|code| code & 0xff)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_typed_becomes_a_harmless_search_expression() {
        for (typed, expression) in [
            ("hello wor", Some("\"hello\"* \"wor\"*")),
            ("\"quoted\" OR title:x*", Some("\"quoted\"* \"OR\"* \"title\"* \"x\"*")),
            ("C++", Some("\"C\"*")),
            ("-- ' ;", None),
            ("", None),
        ] {
            assert_eq!(search_expression(typed).as_deref(), expression, "{typed}");
        }
    }
}
