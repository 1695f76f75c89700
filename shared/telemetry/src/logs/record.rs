//! What one line says, before its form is chosen.

use std::fmt;

use microblog_domain::Timestamp;
use serde_json::{Map, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::redact::{REDACTED, hide_secrets, is_secret};

/// The longest value of a field: a whole post in a field would hide the line.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// What begins so tells the maker of traces how to name a span: no line needs it.
const FOR_TRACES: &str = "otel.";

/// Named values of an event or a span; those of secrets are never taken in.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        if field.name().starts_with(FOR_TRACES) {
            return;
        }
        let value = if is_secret(field.name()) { Value::from(REDACTED) } else { value };
        self.0.insert(field.name().to_owned(), value);
    }

    fn put_text(&mut self, field: &Field, text: &str) {
        let end = text.floor_char_boundary(MAX_VALUE_BYTES);
        let mut shown = hide_secrets(&text[..end]).into_owned();
        if end < text.len() {
            shown.push('…');
        }
        self.put(field, Value::from(shown));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let causes = std::iter::successors(Some(value), |error| error.source()).map(ToString::to_string);
        self.put_text(field, &causes.collect::<Vec<_>>().join(": "));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field, &format!("{value:?}"));
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) timestamp: Timestamp,
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) service: &'static str,
    /// Of the event and all spans around it, `message` among them.
    pub(crate) fields: Map<String, Value>,
}
