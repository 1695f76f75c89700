//! What one line says, before its form is chosen.

use std::borrow::Cow;
use std::fmt;

use microblog_domain::Timestamp;
use serde_json::Value;
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::redact::{REDACTED, hide_secrets, is_secret};

/// The longest value of a field: a whole post in a field would hide the line.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// What begins so tells the maker of traces how to name a span: no line needs it.
const FOR_TRACES: &str = "otel.";

/// Named values of an event or a span, in the order in which they came; those of secrets are never taken in. There are few
/// of them, so a list is faster than a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Takes in what a span further in says; it knows better.
    pub(crate) fn extend(&mut self, inner: &Self) {
        for (name, value) in inner.iter() {
            self.set(name, value.clone());
        }
    }

    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, before)) => *before = value,
            None => self.0.push((name, value)),
        }
    }

    fn put(&mut self, field: &Field, value: Value) {
        if !field.name().starts_with(FOR_TRACES) {
            self.set(field.name(), if is_secret(field.name()) { Value::from(REDACTED) } else { value });
        }
    }

    fn put_text(&mut self, field: &Field, text: Cow<'_, str>) {
        let end = text.floor_char_boundary(MAX_VALUE_BYTES);
        let shown = match hide_secrets(&text[..end]) {
            Cow::Borrowed(_) if end == text.len() => text.into_owned(),
            shown if end == text.len() => shown.into_owned(),
            shown => shown.into_owned() + "…",
        };
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
        self.put_text(field, Cow::Borrowed(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let causes = std::iter::successors(Some(value), |error| error.source()).map(ToString::to_string);
        self.put_text(field, Cow::Owned(causes.collect::<Vec<_>>().join(": ")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field, Cow::Owned(format!("{value:?}")));
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) timestamp: Timestamp,
    pub(crate) level: Level,
    pub(crate) target: &'static str,
    pub(crate) service: &'static str,
    /// Of the event and all spans around it, `message` among them.
    pub(crate) fields: Fields,
}
