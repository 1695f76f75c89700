//! What can go wrong between the program and its database, as callers need to tell it apart.

use std::path::PathBuf;

use microblog_domain::Version;

use crate::dialect::{has_ended, has_undone};

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such row.
    #[error("not found")]
    NotFound,
    /// The row changed since the caller read it; nothing was written.
    #[error("somebody else changed it in the meantime: it is now at version {current}")]
    Stale {
        /// The version that the row has now.
        current: Version,
    },
    /// Another row has this value already, and it must be unique.
    #[error("this {field} is already taken")]
    Taken {
        /// The field whose value is taken.
        field: &'static str,
    },
    /// What was asked for does not fit the state that the row is in.
    #[error("{0}")]
    Refused(Refusal),
    /// The worker's lease ran out and somebody else may have the build: stop, and change nothing.
    #[error("the lease of build {build} is lost; another worker may have it")]
    LeaseLost {
        /// The build.
        build: microblog_domain::BuildId,
    },
    /// A text holds the character NUL, which PostgreSQL keeps nowhere.
    #[error("the character NUL can not be stored; leave it out")]
    Unstorable,
    /// The database can not be reached or is too busy; trying again may help.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Something went wrong while a change was being kept: it may be there or not.
    #[error("the database did not come to say whether the change was kept: {0}")]
    Unsettled(#[source] sqlx::Error),
    /// The disk that holds the database is full.
    #[error("the disk that holds the database is full: free some space and try again")]
    DiskFull,
    /// The database or its folder can not be written.
    #[error(
        "the database can not be written: check the owner and permissions of its file and folder, or, on a server, that \
         database.url names the primary and not a standby"
    )]
    ReadOnly,
    /// The file can not be opened or made.
    #[error("the database {} can not be opened: {reason}", path.display())]
    CanNotOpen {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Nobody answers at the address of the server.
    #[error("the database server {server} can not be reached: {reason}; check that it runs, and database.url")]
    Unreachable {
        /// The address, without the password.
        server: String,
        /// What the system says.
        reason: String,
    },
    /// The server and this program found no way to encrypt the connection, or do not trust each other.
    #[error(
        "no encrypted connection to the database server {server}: {reason}; check sslmode, sslrootcert and sslcert in \
         database.url"
    )]
    NoTls {
        /// The address, without the password.
        server: String,
        /// What went wrong.
        reason: String,
    },
    /// The server does not let this user in.
    #[error(
        "the database server refuses the log-in: {reason}; check user and password in database.url, and the server's \
         pg_hba.conf"
    )]
    LogInRefused {
        /// What the server says.
        reason: String,
    },
    /// The server has no database of this name.
    #[error("{reason}; make it with CREATE DATABASE, or name another one in database.url")]
    NoSuchDatabase {
        /// What the server says.
        reason: String,
    },
    /// The user may log in, but not do what the program needs.
    #[error("the database server does not allow it: {reason}; make the user of database.url the owner of the database")]
    NotAllowed {
        /// What the server says.
        reason: String,
    },
    /// The server is older than what this program is tested with.
    #[error("the database server is PostgreSQL {found}; Microblog needs version {needed} or newer")]
    ServerTooOld {
        /// Its version.
        found: String,
        /// The oldest version that will do.
        needed: i64,
    },
    /// The database keeps texts in an encoding that does not know all letters.
    #[error("the database has the encoding {found}; make a new one with ENCODING 'UTF8' and name it in database.url")]
    WrongEncoding {
        /// Its encoding.
        found: String,
    },
    /// The file is something else, or is damaged from its first bytes on.
    #[error("{} is not a SQLite database: move it away, or set database.url to another file", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// Parts of the database are not as they should be.
    #[error("the database is damaged ({reason}): stop Microblog, keep a copy of it and restore a backup")]
    Damaged {
        /// What the database says.
        reason: String,
    },
    /// A newer program has been here.
    #[error(
        "the database has schema {found}, this program knows schemas up to {known}: \
         run the newer version of Microblog, or restore a backup made by this one"
    )]
    SchemaTooNew {
        /// The schema in the database.
        found: i64,
        /// The newest schema of this program.
        known: i64,
    },
    /// Another process has been changing the schema for as long as one waits.
    #[error(
        "another process changes the schema of the database, which takes minutes if there is much in it; trying again \
         helps once that is done, or once the server has cut off a process that is frozen"
    )]
    SchemaBusy,
    /// A step was made that no released program has under this number.
    #[error(
        "the database has a schema step {version} ({name}) that is none of this program's: it was made by a version that \
         was never released; export the posts with that version (`microblog export`), and import them into an empty database \
         (`microblog import`); a backup of this one holds the same step"
    )]
    SchemaUnknown {
        /// Its number.
        version: i64,
        /// What it calls itself.
        name: String,
    },
    /// A step of the schema could not be made; everything is as it was before.
    #[error("schema step {version} ({name}) failed: {source}")]
    Migration {
        /// Its number.
        version: i64,
        /// Its name.
        name: &'static str,
        /// What the database said.
        source: Box<StoreError>,
    },
    /// A stored value makes no sense: the database was changed by hand.
    #[error("the database holds a value in column {column} that can not be read: {reason}")]
    Corrupt {
        /// The column.
        column: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// Anything else: a mistake in this program.
    #[error("the database refused a statement: {0}")]
    Internal(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the same may go well later without anything being done to this process: the server comes back, somebody
    /// frees disk space, or mends a password there.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let may_be_mended = matches!(
            self,
            Self::ReadOnly
                | Self::NoTls { .. }
                | Self::LogInRefused { .. }
                | Self::NoSuchDatabase { .. }
                | Self::NotAllowed { .. }
        );
        may_be_mended || self.passes_by_itself()
    }

    /// Whether it may even be so without anybody doing anything.
    #[must_use]
    pub fn passes_by_itself(&self) -> bool {
        match self {
            Self::Unavailable(_)
            | Self::Unsettled(_)
            | Self::Unreachable { .. }
            | Self::DiskFull
            | Self::SchemaBusy => true,
            Self::Migration { source, .. } => source.passes_by_itself(),
            _ => false,
        }
    }

    /// Whether nothing of the transaction was kept, for a reason that has passed already: it may be [done
    /// again](crate::repeat()) at once.
    #[must_use]
    pub fn is_undone(&self) -> bool {
        matches!(self, Self::Unavailable(error) if has_undone(error) || has_ended(error))
    }

    /// What everybody may know who asks how the service is: no names of hosts, users, databases and files. The message
    /// itself is for the log.
    #[must_use]
    pub fn shown(&self) -> String {
        let shown = match self {
            Self::Unavailable(_) | Self::Unsettled(_) => "it does not answer, or is too busy",
            Self::Unreachable { .. } => "it can not be reached; check that it runs, and the host in database.url",
            Self::NoTls { .. } => "the connection can not be encrypted; the log says why",
            Self::LogInRefused { .. } => "it refuses the log-in; check user and password in database.url",
            Self::NoSuchDatabase { .. } => "there is none of this name; check database.url, or make it",
            Self::NotAllowed { .. } => "it does not allow what is needed; the log says what",
            Self::DiskFull => "its disk is full",
            Self::ReadOnly => "it can not be written; check that database.url names the primary and not a standby",
            Self::CanNotOpen { .. } => "it can not be opened; the log says why",
            Self::NotADatabase { .. } => "it can not be used, since its file is something else; the log says which",
            Self::Damaged { .. } => "it can not be used, since it is damaged; the log says how",
            // Numbers of versions tell nothing about the installation but its age.
            Self::ServerTooOld { .. }
            | Self::SchemaTooNew { .. }
            | Self::SchemaUnknown { .. }
            | Self::SchemaBusy
            | Self::WrongEncoding { .. } => return self.to_string(),
            _ => "it can not be used; the log says why",
        };
        shown.to_owned()
    }
}

/// Why a change does not fit the state of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only `trash` and `restore` apply to a post in the trash.
    #[error("the post is in the trash; restore it first")]
    PostIsTrashed,
    /// It is not in the trash.
    #[error("the post is not in the trash")]
    PostIsNotTrashed,
    /// A scheduled post needs a time.
    #[error("a scheduled post needs a published_at")]
    NoPublicationTime,
    /// It came to its end before.
    #[error("the build is already finished")]
    BuildIsFinished,
    /// The site would be left without anybody who may administer it.
    #[error("this is the only owner who can log in; make somebody else an owner first")]
    LastOwner,
    /// Setting up happens once.
    #[error("the set-up link is wrong or was already used")]
    SetupIsOver,
    /// What was checked is no longer so.
    #[error("the password was changed, or the account locked, in the meantime; log in again")]
    CredentialsChanged,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            sqlx::Error::Database(_) => crate::dialect::classify(error),
            sqlx::Error::ColumnDecode { index, source } => Self::Corrupt { column: index, reason: source.to_string() },
            _ => Self::Internal(error),
        }
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
