//! What SQLite needs and says: how its files are opened, how its errors are read, and full-text search.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::error::DatabaseError;

use super::SearchSql;
use crate::error::StoreError;

/// Takes the write lock at once, so that a transaction never finds at its end that another one was first.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Every transaction reads the state that it found at its first statement.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN";

pub(super) const HOW_ARE_YOU: &str = "SELECT COALESCE(MAX(version), 0) AS schema, 0 AS is_standby FROM schema_steps";

/// A transaction that writes has the lock of the whole file already.
pub(crate) const LOCK_SCHEMA: &str = "";

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

/// The file as the driver reads it. With everything escaped, the path has no parts that a parser of addresses could
/// take for a host, lower-case or shorten, nor for the name of a database in memory.
pub(crate) fn driver_address(path: &Path) -> Result<String, StoreError> {
    let failed = || StoreError::CanNotOpen { path: path.to_owned(), reason: "its path is not UTF-8".to_owned() };
    let path = path.to_str().ok_or_else(failed)?;
    Ok(format!("sqlite:{}", utf8_percent_encode(path, NON_ALPHANUMERIC)))
}

pub(super) const COUNT_MATCHES: &str = "SELECT COUNT(*) AS matches FROM \
     (SELECT s.rowid FROM post_search s WHERE post_search MATCH $1 LIMIT $2) m";

/// The index knows posts by number; a table of keys leads from these to ids.
pub(super) fn join_matches(expression: &str, id: &str) -> SearchSql {
    let matches = format!("(SELECT s.rowid AS number FROM post_search s WHERE post_search MATCH {expression}) m");
    SearchSql {
        tables: vec![matches, "post_search_keys k".to_owned()],
        condition: format!("k.number = m.number AND k.post_id = {id}"),
    }
}

/// Not a join: that would go through all matches for each post.
pub(super) fn check_matches(expression: &str, id: &str) -> SearchSql {
    let condition = format!(
        "(SELECT k.number FROM post_search_keys k WHERE k.post_id = {id}) \
         IN (SELECT s.rowid FROM post_search s WHERE post_search MATCH {expression})"
    );
    SearchSql { tables: Vec::new(), condition }
}

/// Turns what a person typed into a search expression: every word must occur, and may go on (`publ` finds `publish`).
/// `None` when there is no word in it.
pub(super) fn search_expression(typed: &str) -> Option<String> {
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

/// Reads an error of SQLite.
pub(super) fn classify(error: sqlx::Error) -> StoreError {
    match error.as_database_error().and_then(primary_code) {
        Some(code::BUSY | code::LOCKED | code::IOERR | code::CANTOPEN) => StoreError::Unavailable(error),
        Some(code::READONLY) => StoreError::ReadOnly,
        Some(code::FULL) => StoreError::DiskFull,
        Some(code::CORRUPT | code::NOTADB) => StoreError::Damaged { reason: said(&error) },
        _ => StoreError::Internal(error),
    }
}

fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |report| report.message().to_owned())
}

/// Whether the file turned out to be something other than a database.
pub(crate) fn is_not_a_database(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(primary_code) == Some(code::NOTADB)
}

/// Extended result codes carry the primary one in their lowest byte.
fn primary_code(report: &dyn DatabaseError) -> Option<u32> {
    report.code()?.parse::<u32>().ok().map(|code| code & 0xff)
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
