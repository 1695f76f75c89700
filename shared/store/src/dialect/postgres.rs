//! What PostgreSQL needs and says: how its connections are set up, how it locks, how its errors are read, and full-text
//! search.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use super::SearchSql;
use crate::error::StoreError;

/// The oldest major version that this program runs on.
pub(crate) const OLDEST_VERSION: i64 = 14;

/// Said aloud, so that a server with other defaults changes nothing. What several transactions decide by is locked.
pub(super) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Its commit does not wait until it is on the disk, which follows within a second.
pub(super) const BEGIN_FORGETTABLE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = off";

pub(super) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(super) const WHAT_TIME_IS_IT: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS now";

pub(super) const HOW_ARE_YOU: &str = "SELECT COALESCE(MAX(version), 0) AS schema, \
     CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END::BIGINT AS is_standby FROM schema_steps";

/// The number is the program's own: "microblg" as bytes. A process that was frozen in the middle of its work is cut off
/// after as long as one that saves something.
pub(super) const LOCK_SCHEMA: &str = "SET LOCAL lock_timeout = '5s'; \
     SET LOCAL idle_in_transaction_session_timeout = '5s'; \
     SELECT pg_advisory_xact_lock(x'6d6963726f626c67'::bigint)";

/// What is said to those who waited for a lock for too long.
pub(super) const LOCK_TIMEOUT: &str = "55P03";

/// Keeps others from changing or deleting the rows, but not from referring to them: their ids do not change.
pub(super) const LOCK_ROWS: &str = " FOR NO KEY UPDATE";

pub(super) const LOCK_FREE_ROWS: &str = " FOR NO KEY UPDATE SKIP LOCKED";

/// Two names with one hash only wait for each other.
pub(super) const LOCK_NAME: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";

/// How a connection behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    /// No statement may take longer.
    pub(crate) statement_timeout: Duration,
    /// Whether it may only read.
    pub(crate) is_reader: bool,
}

/// A transaction that writes is never idle but for a moment; one whose process was frozen keeps everybody else from saving.
const LONGEST_IDLE_WRITER: Duration = Duration::from_secs(5);
/// A build reads from one snapshot while it renders.
const LONGEST_IDLE_READER: Duration = Duration::from_secs(60);
/// Longer than any transaction of ours, and than a frozen one is left alone; who waits longer is told so.
const LONGEST_WAIT_FOR_LOCK: Duration = Duration::from_secs(10);

/// What was acknowledged survives a power cut, whatever the server, the role or the database has as its default.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'";

impl Session {
    /// What each connection is told first.
    pub(crate) fn set_up(self) -> String {
        format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
             SET default_transaction_read_only = {}; SET TIME ZONE 'UTC'; {DURABLE}",
            self.statement_timeout.as_millis(),
            LONGEST_WAIT_FOR_LOCK.as_millis(),
            if self.is_reader { LONGEST_IDLE_READER } else { LONGEST_IDLE_WRITER }.as_millis(),
            if self.is_reader { "on" } else { "off" },
        )
    }
}

/// What is asked before anything else.
pub(crate) const WHO_ARE_YOU: &str = "SELECT current_setting('server_version_num')::bigint / 10000 AS major, \
     current_setting('server_version') AS version, current_setting('server_encoding') AS encoding";

/// Texts are compared by their bytes, as Rust and SQLite compare them: pages of a list depend on it, and ids and hashes
/// need no other order.
pub(super) fn with_order_of_bytes(sql: &'static str) -> Cow<'static, str> {
    Cow::Owned(sql.replace(" TEXT", " TEXT COLLATE \"C\""))
}

pub(super) const COUNT_MATCHES: &str = "SELECT COUNT(*) AS matches FROM \
     (SELECT 1 FROM post_search s WHERE s.words @@ post_search_query($1) LIMIT $2) m";

/// The words are folded and split by the same function as the posts are, in the database.
pub(super) fn search_expression(typed: &str) -> Option<String> {
    let typed: String = typed.chars().filter(|letter| *letter != '\0').collect();
    typed.contains(char::is_alphanumeric).then_some(typed)
}

pub(super) fn join_matches(expression: &str, id: &str) -> SearchSql {
    SearchSql {
        tables: vec!["post_search s".to_owned()],
        condition: format!("s.words @@ post_search_query({expression}) AND s.post_id = {id}"),
    }
}

/// A subquery that yields a value is asked for each post and never turned into a join.
pub(super) fn check_matches(expression: &str, id: &str) -> SearchSql {
    let condition =
        format!("(SELECT s.words @@ post_search_query({expression}) FROM post_search s WHERE s.post_id = {id})");
    SearchSql { tables: Vec::new(), condition }
}

/// Reads an error of PostgreSQL by its SQLSTATE.
pub(super) fn classify(error: sqlx::Error) -> StoreError {
    let report = error.as_database_error().and_then(|report| report.try_downcast_ref::<PgDatabaseError>());
    let Some(report) = report else { return StoreError::Internal(error) };
    let reason = || report.message().to_owned();
    match report.code() {
        "53100" => StoreError::DiskFull,
        // A newer program changed what is read here: a mistake of that one, since steps only add.
        "0A000" if report.routine() == Some("RevalidateCachedQuery") => StoreError::Internal(error),
        // The latter is what a standby says to whoever begins to write; nothing else of ours is ever unsupported.
        "25006" | "0A000" => StoreError::ReadOnly,
        "28000" | "28P01" => StoreError::LogInRefused { reason: reason() },
        "3D000" => StoreError::NoSuchDatabase { reason: reason() },
        "42501" => StoreError::NotAllowed { reason: reason() },
        "22021" | "22P05" => StoreError::Unstorable,
        "XX001" | "XX002" => StoreError::Damaged { reason: reason() },
        code if may_pass(code) => StoreError::Unavailable(error),
        _ => StoreError::Internal(error),
    }
}

/// Whether doing the same again may help: the connection was lost, the server stops or starts, something took too long,
/// two transactions waited for each other, there is no room for now.
fn may_pass(code: &str) -> bool {
    let class = ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class));
    class || matches!(code, LOCK_TIMEOUT | "25P03")
}

/// Serialization failures and deadlocks.
const UNDONE: [&str; 2] = ["40001", "40P01"];

/// See [`super::has_undone`].
pub(super) fn has_undone(report: &PgDatabaseError) -> bool {
    UNDONE.contains(&report.code())
}

/// Whether the connection has ended: the server stops or has crashed, an administrator or a time limit ended it.
pub(super) fn has_ended(report: &PgDatabaseError) -> bool {
    report.code().starts_with("08") || matches!(report.code(), "57P01" | "57P02" | "57P05" | "25P03")
}
