//! Addresses of databases: `sqlite://data/microblog.db`, `postgres://user:password@host/microblog`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use url::Url;

/// What would end the path of an address, or be read as an escape.
const NOT_IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ').add(b'"').add(b'<').add(b'>');

/// The parameters that the address of a PostgreSQL server may carry; the driver reads them.
const PARAMETERS: [&str; 13] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Why a text is not the address of a database. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It begins with something else.
    #[error("it must begin with sqlite:// or postgres://")]
    Scheme,
    /// It goes on after the path.
    #[error("it takes no parameters; in a path, write ? as %3F and # as %23")]
    Parameters,
    /// The path, once decoded, is not text that a file can be called by.
    #[error("the path must be UTF-8 without NUL")]
    Path,
    /// The path is empty or a folder's.
    #[error("the name of the file is missing")]
    NoFileName,
    /// It asks for a database that no file holds.
    #[error("a database in memory would be lost at the end of the program")]
    InMemory,
    /// It is not written as addresses are.
    #[error(
        "write it like postgres://user:password@host:5432/microblog, with @ : / ? # % in the password as %40 %3A %2F %3F %23 %25"
    )]
    Malformed,
    /// It does not say which database of the server.
    #[error("the name of the database is missing: write it like postgres://user:password@host:5432/microblog")]
    NoDatabaseName,
    /// The driver does not know one of its parameters.
    #[error("it has a parameter that is none of {}", PARAMETERS.join(", "))]
    UnknownParameter,
    /// The value of `sslmode` is none that there is.
    #[error("sslmode must be disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode,
}

/// Where the database is. Whether something can be opened there is found out by who opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// In a SQLite file on this machine.
    Sqlite(PathBuf),
    /// On a PostgreSQL server.
    Postgres(PostgresUrl),
}

/// The address of a database on a PostgreSQL server. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(given: &str) -> Result<Self, DatabaseUrlError> {
        match given.split_once(':') {
            Some(("sqlite", rest)) => sqlite_path(rest).map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => given.parse().map(Self::Postgres),
            _ => Err(DatabaseUrlError::Scheme),
        }
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, DatabaseUrlError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains(['?', '#']) {
        return Err(DatabaseUrlError::Parameters);
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| DatabaseUrlError::Path)?;
    match &*path {
        path if path.contains('\0') => Err(DatabaseUrlError::Path),
        path if path.is_empty() || path.ends_with('/') => Err(DatabaseUrlError::NoFileName),
        path if path.starts_with(":memory:") => Err(DatabaseUrlError::InMemory),
        path => Ok(path.into()),
    }
}

impl FromStr for PostgresUrl {
    type Err = DatabaseUrlError;

    fn from_str(given: &str) -> Result<Self, DatabaseUrlError> {
        let url = Url::parse(given).map_err(|_| DatabaseUrlError::Malformed)?;
        if url.cannot_be_a_base() || url.fragment().is_some() || url.path().trim_matches('/').contains('/') {
            return Err(DatabaseUrlError::Malformed);
        }
        for (name, value) in url.query_pairs() {
            check_parameter(&name, &value)?;
        }
        let has_name =
            url.path().len() > 1 || url.query_pairs().any(|(name, value)| name == "dbname" && !value.is_empty());
        if has_name { Ok(Self(url)) } else { Err(DatabaseUrlError::NoDatabaseName) }
    }
}

fn check_parameter(name: &str, value: &str) -> Result<(), DatabaseUrlError> {
    let is_known = PARAMETERS.contains(&name) || name.starts_with("options[");
    match (name, value) {
        ("sslmode", "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full") => Ok(()),
        ("sslmode", _) => Err(DatabaseUrlError::SslMode),
        _ if is_known => Ok(()),
        _ => Err(DatabaseUrlError::UnknownParameter),
    }
}

impl PostgresUrl {
    /// The whole address with the password, for the driver alone.
    #[must_use]
    pub fn reveal(&self) -> &Url {
        &self.0
    }

    /// The same server and user with another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(name);
        Self(url)
    }
}

/// Server and database; neither the password nor the parameters, one of which may be the password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        // Refused only where there is no host, and then there is no password.
        let _ = shown.set_password(None);
        let parameters = self.0.query_pairs().filter(|(name, _)| matches!(&**name, "host" | "port" | "dbname"));
        shown.query_pairs_mut().extend_pairs(parameters);
        f.write_str(shown.as_str().trim_end_matches('?'))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => {
                write!(f, "sqlite://{}", percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_PATH))
            }
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_of_files_survive_being_an_address() {
        for name in ["data/microblog.db", "/srv/50% off/what?.db", "a#b \"c\".db", "données.db", "%41.db"] {
            let url = DatabaseUrl::Sqlite(name.into());
            assert_eq!(url.to_string().parse(), Ok(url), "{name}");
        }
    }

    #[test]
    fn an_address_can_be_written_in_more_than_one_way() {
        for text in ["sqlite:///srv/a b.db", "sqlite:/srv/a b.db", "sqlite:///srv/a%20b.db"] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::Sqlite("/srv/a b.db".into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("mysql://u:secret@host/db", DatabaseUrlError::Scheme),
            ("data/microblog.db", DatabaseUrlError::Scheme),
            ("sqlite://", DatabaseUrlError::NoFileName),
            ("sqlite://data/", DatabaseUrlError::NoFileName),
            ("sqlite::memory:", DatabaseUrlError::InMemory),
            ("sqlite://a.db?mode=ro", DatabaseUrlError::Parameters),
            ("sqlite://a%00.db", DatabaseUrlError::Path),
            ("sqlite://%FF.db", DatabaseUrlError::Path),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn the_address_of_a_server_is_shown_without_its_password() {
        for text in [
            "postgres://ada:hunter2@db.example.org:5433/blog?sslmode=require",
            "postgresql://ada@db.example.org:5433/blog?password=hunter2",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            let DatabaseUrl::Postgres(postgres) = &url else { panic!("{url:?}") };
            assert!(postgres.reveal().as_str().contains("hunter2"));
            for shown in [format!("{url}"), format!("{url:?}")] {
                assert!(shown.contains("ada@db.example.org:5433/blog") && !shown.contains("hunter2"), "{shown}");
            }
        }
        let socket: DatabaseUrl = "postgres:///blog?host=/run/postgresql".parse().unwrap();
        assert_eq!(socket.to_string(), "postgres:///blog?host=%2Frun%2Fpostgresql");
    }

    #[test]
    fn what_is_wrong_with_the_address_of_a_server_is_said_without_repeating_it() {
        for (text, reason) in [
            ("postgres://ada:hunter2@db", DatabaseUrlError::NoDatabaseName),
            ("postgres://ada:hunter2@db/", DatabaseUrlError::NoDatabaseName),
            ("postgres://ada:hunt/er2@db/blog", DatabaseUrlError::Malformed),
            ("postgres://ada:hunter2@db:many/blog", DatabaseUrlError::Malformed),
            ("postgres://db/blog#1", DatabaseUrlError::Malformed),
            ("postgres:blog", DatabaseUrlError::Malformed),
            ("postgres://db/blog?sslmode=always", DatabaseUrlError::SslMode),
            ("postgres://db/blog?passwd=hunter2", DatabaseUrlError::UnknownParameter),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>(), Err(reason), "{text}");
            assert!(!reason.to_string().contains("hunter2"));
        }
    }
}
