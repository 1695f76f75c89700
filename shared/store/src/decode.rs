//! Between rows and the types of the domain: one reader and one writer for each kind of column.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::StoreError;

/// Reads the columns of a row as what they mean.
pub(crate) trait Columns {
    /// A text that must be there.
    fn text(&self, column: &str) -> Result<String, StoreError>;
    /// A text that may be missing.
    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError>;
    /// A number that must be there.
    fn number<N: TryFrom<i64>>(&self, column: &str) -> Result<N, StoreError>;
    /// A number that may be missing.
    fn maybe_number<N: TryFrom<i64>>(&self, column: &str) -> Result<Option<N>, StoreError>;

    /// A number that is 0 or 1.
    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.number::<i64>(column)? != 0)
    }

    /// A time.
    fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        timestamp(self.number(column)?, column)
    }

    /// A time that may be missing.
    fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        self.maybe_number(column)?.map(|micros| timestamp(micros, column)).transpose()
    }

    /// A value that is written as text: an id, a slug, a word.
    fn parsed<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T, StoreError> {
        parse(&self.text(column)?, column)
    }

    /// The same, if it is there.
    fn maybe_parsed<T: FromStr<Err: Display>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.maybe_text(column)?.map(|text| parse(&text, column)).transpose()
    }

    /// A value that is written as JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| corrupt(column, &error))
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn number<N: TryFrom<i64>>(&self, column: &str) -> Result<N, StoreError> {
        fitting(self.try_get(column)?, column)
    }

    fn maybe_number<N: TryFrom<i64>>(&self, column: &str) -> Result<Option<N>, StoreError> {
        let number: Option<i64> = self.try_get(column)?;
        number.map(|number| fitting(number, column)).transpose()
    }
}

fn fitting<N: TryFrom<i64>>(number: i64, column: &str) -> Result<N, StoreError> {
    N::try_from(number).map_err(|_| corrupt(column, &format_args!("{number} is out of range")))
}

fn timestamp(micros: i64, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| corrupt(column, &error))
}

fn parse<T: FromStr<Err: Display>>(text: &str, column: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error| corrupt(column, &error))
}

fn corrupt(column: &str, reason: &dyn Display) -> StoreError {
    StoreError::Corrupt { column: column.to_owned(), reason: reason.to_string() }
}

/// A time as it is stored: microseconds since 1970. Of the last second of the calendar only the beginning can be read.
pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond().min(Timestamp::MAX.as_second() * 1_000_000)
}

/// `$3, $4, $5`: the places of so many parameters, from this number on. Only numbers enter the statement.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let numbered: Vec<String> = (first..first + count).map(|number| format!("${number}")).collect();
    numbered.join(", ")
}

/// The values of a list, the last one repeated until their number is a power of two: statements with many different
/// numbers of parameters would drive all others out of what connections keep prepared.
pub(crate) fn padded<T>(values: &[T]) -> Vec<&T> {
    let length = values.len().next_power_of_two();
    values.iter().chain(values.last().into_iter().cycle()).take(length).collect()
}

/// A count as it is stored. Nothing that is counted here comes near the limit.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A value as JSON text.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(sqlx::Error::Encode(error.into())))
}
