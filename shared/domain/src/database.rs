//! Addresses of databases: `sqlite://data/microblog.db`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// What would end the path of an address, or be read as an escape.
const NOT_IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ').add(b'"').add(b'<').add(b'>');

/// Why a text is not the address of a database. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It begins with something else than `sqlite:`.
    #[error("it must begin with sqlite://")]
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
}

/// Where the database is. Whether something can be opened there is found out by who opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// In a SQLite file on this machine.
    Sqlite(PathBuf),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(given: &str) -> Result<Self, DatabaseUrlError> {
        let path = given.strip_prefix("sqlite:").ok_or(DatabaseUrlError::Scheme)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.contains(['?', '#']) {
            return Err(DatabaseUrlError::Parameters);
        }
        let path = percent_decode_str(path).decode_utf8().map_err(|_| DatabaseUrlError::Path)?;
        match &*path {
            path if path.contains('\0') => Err(DatabaseUrlError::Path),
            path if path.is_empty() || path.ends_with('/') => Err(DatabaseUrlError::NoFileName),
            path if path.starts_with(":memory:") => Err(DatabaseUrlError::InMemory),
            path => Ok(Self::Sqlite(path.into())),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Sqlite(path) = self;
        write!(f, "sqlite://{}", percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_PATH))
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
}
