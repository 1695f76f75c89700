//! TOML front matter, as Hugo and Zola write it.

use serde_json::{Map, Value};
use toml::Value as Toml;

use super::{MAX_DEPTH, SyntaxError, too_deep};

/// The fields; dates become text as TOML writes it.
pub(super) fn read(header: &str) -> Result<Map<String, Value>, SyntaxError> {
    let table: toml::Table = toml::from_str(header).map_err(|error| SyntaxError {
        line: error.span().map(|span| 1 + header[..span.start].matches('\n').count()),
        message: error.message().replace('\n', ", "),
    })?;
    from_table(table, 1)
}

fn from_table(table: toml::Table, depth: usize) -> Result<Map<String, Value>, SyntaxError> {
    table.into_iter().map(|(key, value)| Ok((key, from_value(value, depth)?))).collect()
}

fn from_value(value: Toml, depth: usize) -> Result<Value, SyntaxError> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(match value {
        Toml::String(text) => Value::String(text),
        Toml::Integer(number) => number.into(),
        Toml::Float(number) => number.into(),
        Toml::Boolean(flag) => flag.into(),
        Toml::Datetime(date) => Value::String(date.to_string()),
        Toml::Array(items) => items.into_iter().map(|item| from_value(item, depth + 1)).collect::<Result<_, _>>()?,
        Toml::Table(table) => Value::Object(from_table(table, depth + 1)?),
    })
}
