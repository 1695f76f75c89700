//! YAML front matter, as Jekyll, Hugo and Microblog itself write it.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::{Error, Options};

use super::{MAX_DEPTH, MAX_FRONT_MATTER_BYTES, SyntaxError, simple_yaml};

/// Fields that are text whatever they look like: the title `1.10` is not the number 1.1.
const TEXT_FIELDS: [&str; 12] = [
    "title",
    "slug",
    "description",
    "summary",
    "date",
    "publishDate",
    "updated",
    "lastmod",
    "last_modified_at",
    "modified",
    "permalink",
    "path",
];

/// Whether a field is text whatever it looks like.
pub(super) fn is_text_field(name: &str) -> bool {
    TEXT_FIELDS.contains(&name)
}

/// The fields. Most front matter is simple enough for [`simple_yaml`]; the rest takes the complete parser.
pub(super) fn read(header: &str) -> Result<Map<String, Value>, SyntaxError> {
    match simple_yaml::read(header) {
        Some(fields) => Ok(fields),
        None => read_completely(header),
    }
}

/// The fields, as the complete parser reads them.
pub(super) fn read_completely(header: &str) -> Result<Map<String, Value>, SyntaxError> {
    read_as::<Fields>(header).map(|fields| fields.0)
}

/// YAML as a type of the caller's.
pub(crate) fn read_as<T: DeserializeOwned>(text: &str) -> Result<T, SyntaxError> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| syntax_error(&error))
}

/// Only `true` and `false` are flags (`no` is Norway), and a few lines can not unfold into gigabytes.
fn options() -> Options {
    serde_saphyr::options! {
        strict_booleans: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: 20_000,
            max_events: 60_000,
            max_total_scalar_bytes: 4 * MAX_FRONT_MATTER_BYTES,
            simple_key_max_lookahead: MAX_FRONT_MATTER_BYTES,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 20_000, max_replay_stack_depth: 16 },
    }
}

/// Turns the parser's words into words for authors.
fn syntax_error(error: &Error) -> SyntaxError {
    let error = error.without_snippet();
    let location = error.location();
    let line = location.and_then(|location| usize::try_from(location.line()).ok());
    SyntaxError { line: line.or(Some(1)), message: explain(error) }
}

/// The reason without its place, which is told apart.
fn explain(error: &Error) -> String {
    let text = error.render_with_options(serde_saphyr::render_options! {
        formatter: &serde_saphyr::UserMessageFormatter,
        snippets: serde_saphyr::SnippetMode::Off,
    });
    let text = text.lines().next().unwrap_or_default();
    let reason = text.rsplit_once(" at line ").map_or(text, |(reason, _)| reason);
    match reason.strip_prefix("duplicate mapping key: ") {
        Some(rest) => format!("the key {:?} stands here twice", rest.strip_suffix(" not allowed here").unwrap_or(rest)),
        None => reason.to_owned(),
    }
}

/// A map of fields; nothing at all is an empty one.
struct Fields(Map<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor).map(Self)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fields such as `title: My post`")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = if is_text_field(&name) {
                map.next_value::<Option<String>>()?.map_or(Value::Null, Value::String)
            } else {
                map.next_value()?
            };
            fields.insert(name, value);
        }
        Ok(fields)
    }
}
