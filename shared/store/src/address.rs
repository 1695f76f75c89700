//! Addresses of databases: `sqlite://data/microblog.db`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::error::StoreError;

/// What would end the path of an address, or be read as an escape.
const NOT_IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ').add(b'"').add(b'<').add(b'>');

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    path: PathBuf,
    url: String,
}

impl DatabaseUrl {
    /// The address of a SQLite file.
    pub fn sqlite(path: &Path) -> Result<Self, StoreError> {
        let wrong = |reason| StoreError::Address { given: path.display().to_string(), reason };
        let text = path.to_str().ok_or_else(|| wrong("the path is not UTF-8"))?;
        if text.is_empty() || text.ends_with('/') {
            return Err(wrong("the name of the file is missing"));
        }
        let url = format!("sqlite://{}", utf8_percent_encode(text, NOT_IN_PATH));
        Ok(Self { path: path.to_owned(), url })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The address as the driver reads it. With its slashes escaped, the path has no parts that a parser of URLs could
    /// take for a host, lower-case or shorten.
    pub(crate) fn for_driver(&self) -> String {
        let path = self.url.trim_start_matches("sqlite://");
        format!("sqlite:{}", path.replace('/', "%2F"))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(given: &str) -> Result<Self, StoreError> {
        let wrong = |reason| StoreError::Address { given: without_password(given), reason };
        let path = given
            .strip_prefix("sqlite://")
            .or_else(|| given.strip_prefix("sqlite:"))
            .ok_or_else(|| wrong("it must begin with sqlite://"))?;
        if path.contains(['?', '#']) {
            return Err(wrong("it takes no parameters"));
        }
        let path = percent_decode_str(path).decode_utf8().map_err(|_| wrong("the path is not UTF-8"))?;
        if path.starts_with(":memory:") {
            return Err(wrong("a database in memory would be lost at the end of the program"));
        }
        Self::sqlite(Path::new(path.as_ref())).map_err(|_| wrong("the name of the file is missing"))
    }
}

/// An address of another kind may hold a password between `://` and `@`, and this one goes into logs.
fn without_password(given: &str) -> String {
    match (given.find("://"), given.rfind('@')) {
        (Some(scheme), Some(host)) if scheme < host => format!("{}://***{}", &given[..scheme], &given[host..]),
        _ => given.to_owned(),
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_of_files_survive_being_an_address() {
        for name in ["data/microblog.db", "/srv/50% off/what?.db", "a#b \"c\".db", "données.db"] {
            let url = DatabaseUrl::sqlite(Path::new(name)).unwrap();
            assert_eq!(url.as_str().parse::<DatabaseUrl>().unwrap().path(), Path::new(name), "{name}");
        }
    }

    #[test]
    fn wrong_addresses_are_named_with_the_reason_and_without_the_password() {
        for (given, message) in [
            (
                "mysql://u:secret@host/db",
                "\"mysql://***@host/db\" is not the address of a database: it must begin with",
            ),
            ("sqlite://", "the name of the file is missing"),
            ("sqlite://data/", "the name of the file is missing"),
            ("sqlite::memory:", "would be lost"),
            ("sqlite://a.db?mode=ro", "it takes no parameters"),
        ] {
            let error = given.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
