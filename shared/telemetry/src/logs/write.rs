//! The two forms of a line.

use std::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;
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
    let mut line = serde_json::to_string(&JsonLine(record)).unwrap_or_default();
    line.push('\n');
    line
}

/// Written straight to text: a line is made for every request.
struct JsonLine<'a>(&'a Record);

/// What every line has; no field takes its place.
const PARTS: [&str; 5] = ["timestamp", "level", "target", MESSAGE, "service"];

impl Serialize for JsonLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(record) = self;
        let message = record.fields.get(MESSAGE);
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("timestamp", &record.timestamp)?;
        line.serialize_entry("level", level_name(record.level))?;
        line.serialize_entry("target", record.target)?;
        match message {
            Some(message) => line.serialize_entry(MESSAGE, message)?,
            None => line.serialize_entry(MESSAGE, "")?,
        }
        line.serialize_entry("service", record.service)?;
        for (name, value) in record.fields.iter().filter(|(name, _)| !PARTS.contains(name)) {
            line.serialize_entry(name, value)?;
        }
        line.end()
    }
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
