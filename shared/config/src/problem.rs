//! What is wrong with a setting, told so that it can be mended: which one, where it stands, what is expected.

use std::fmt;
use std::path::Path;

use config::{Value, ValueKind};

/// Where a value stands, in words: the form in which a [`Value`] carries it through the merging.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// In the settings file.
    pub(crate) fn file(path: &Path) -> Self {
        Self(format!("in {}", path.display()))
    }

    /// In a variable of the environment.
    pub(crate) fn environment(variable: &str) -> Self {
        Self(format!("in the environment, {variable}"))
    }

    /// In a file that a variable of the environment names.
    pub(crate) fn secret_file(path: &Path, variable: &str) -> Self {
        Self(format!("in {}, named by {variable}", path.display()))
    }

    /// On the command line.
    pub(crate) fn command_line() -> Self {
        Self("on the command line".to_owned())
    }

    /// In all sources together.
    pub(crate) fn all_sources() -> Self {
        Self("of all sources together".to_owned())
    }

    /// Where the value stands.
    pub(crate) fn of(value: &Value) -> Self {
        Self(value.origin().unwrap_or_default().to_owned())
    }

    /// A value that stands here.
    pub(crate) fn value(&self, kind: impl Into<ValueKind>) -> Value {
        Value::new(Some(&self.0), kind)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The value is not of the right form, or out of its range.
    Invalid {
        /// The setting, e.g. `server.listen`.
        key: String,
        /// The value as given; `None` for secrets.
        value: Option<String>,
        /// Where it stands.
        origin: Origin,
        /// What would be right.
        expected: String,
    },
    /// There is no such setting.
    Unknown {
        /// The name as given.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The existing name that is most like it.
        similar: Option<String>,
    },
    /// A source as a whole can not be read.
    Unreadable {
        /// Which one.
        origin: Origin,
        /// Why, and what to do.
        reason: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { key, value: Some(value), origin, expected } => {
                write!(f, "{key} = {value:?} ({origin}): expected {expected}")
            }
            Self::Invalid { key, value: None, origin, expected } => {
                write!(f, "{key} ({origin}; the value is secret): expected {expected}")
            }
            Self::Unknown { key, origin, similar: Some(similar) } => {
                write!(f, "{key} ({origin}): there is no such setting; did you mean {similar}?")
            }
            Self::Unknown { key, origin, similar: None } => {
                write!(f, "{key} ({origin}): there is no such setting; remove it")
            }
            Self::Unreadable { origin, reason } => write!(f, "the settings {origin} can not be read: {reason}"),
        }
    }
}

/// Every mistake in the settings, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The mistakes; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let subject = if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") };
        write!(f, "{subject} in the settings:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
