//! JSON front matter: an object at the head of the file.

use serde_json::{Map, Value};

use super::{SyntaxError, too_deep};

/// Whether a first line begins an object, rather than a template tag such as `{{` or `{%`.
pub(super) fn is_opening(line: &str) -> bool {
    line.strip_prefix('{').is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.is_empty() || rest.starts_with(['"', '}'])
    })
}

/// The fields, and how many bytes of the text they take.
pub(super) fn read(text: &str) -> Result<(Map<String, Value>, usize), SyntaxError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    match values.next() {
        Some(Ok(fields)) if fields.values().all(|value| depth_is_fine(value, 1)) => Ok((fields, values.byte_offset())),
        Some(Ok(_)) => Err(too_deep()),
        Some(Err(error)) => Err(SyntaxError { line: Some(error.line()), message: without_place(&error.to_string()) }),
        None => Err(SyntaxError { line: Some(1), message: "the object is missing".to_owned() }),
    }
}

fn depth_is_fine(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth < super::MAX_DEPTH && items.iter().all(|item| depth_is_fine(item, depth + 1)),
        Value::Object(fields) => depth < super::MAX_DEPTH && fields.values().all(|item| depth_is_fine(item, depth + 1)),
        _ => true,
    }
}

/// The parser counts lines from the head of the object; the caller counts those of the file.
fn without_place(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |(reason, _)| reason).to_owned()
}
