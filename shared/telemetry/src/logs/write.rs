//! The two forms of a line.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tracing::Level;

use super::record::Record;

/// What `tracing` calls the text of an event.
const MESSAGE: &str = "message";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object.
    Json,
    /// Time of day, level, message and fields, in colour.
    Text,
}

impl Form {
    /// The whole line, with its end.
    pub(crate) fn line(self, record: &Record) -> String {
        match self {
            Self::Json => json_line(record),
            Self::Text => text_line(record),
        }
    }
}

fn json_line(record: &Record) -> String {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), Value::from(record.timestamp.to_string()));
    line.insert("level".to_owned(), Value::from(level_name(record.level)));
    line.insert("target".to_owned(), Value::from(record.target.as_str()));
    line.insert(MESSAGE.to_owned(), record.fields.get(MESSAGE).cloned().unwrap_or_else(|| Value::from("")));
    line.insert("service".to_owned(), Value::from(record.service));
    for (name, value) in &record.fields {
        line.entry(name).or_insert_with(|| value.clone());
    }
    format!("{}\n", Value::Object(line))
}

fn text_line(record: &Record) -> String {
    let message = record.fields.get(MESSAGE).map(plain).unwrap_or_default();
    let mut line =
        format!("\u{1b}[2m{}\u{1b}[0m {} {message}", record.timestamp.strftime("%H:%M:%S%.3f"), coloured(record.level));
    for (name, value) in record.fields.iter().filter(|(name, _)| *name != MESSAGE) {
        let _ = write!(line, " \u{1b}[2m{name}=\u{1b}[0m{}", plain(value));
    }
    line.push('\n');
    line
}

/// A value on one line, with what could steer a terminal made harmless.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let harmless = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(harmless).collect()
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn coloured(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31merror\u{1b}[0m",
        Level::WARN => "\u{1b}[33m warn\u{1b}[0m",
        Level::INFO => "\u{1b}[32m info\u{1b}[0m",
        Level::DEBUG => "\u{1b}[34mdebug\u{1b}[0m",
        Level::TRACE => "\u{1b}[35mtrace\u{1b}[0m",
    }
}
