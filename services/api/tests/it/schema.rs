//! Holds JSON against the schemas of the OpenAPI document: as much of JSON Schema as they use.

use serde_json::Value;

/// Everything that is wrong with `value`, each with the way to it.
pub(crate) fn violations(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let target = document.pointer(target.trim_start_matches('#')).expect("a reference that leads somewhere");
        return check(document, target, value, path, found);
    }
    if let Some(name) = schema["type"].as_str().filter(|name| !is_of(name, value)) {
        found.push(format!("{path} is not of the type {name}: {value}"));
        return;
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        found.push(format!("{path} is none of {words:?}: {value}"));
    }
    let is_wrong_form = match schema["format"].as_str() {
        Some("date-time") => value.as_str().is_none_or(|text| text.parse::<jiff::Timestamp>().is_err()),
        Some("uuid") => value.as_str().is_none_or(|text| text.len() != 36),
        _ => false,
    };
    if is_wrong_form {
        found.push(format!("{path} has the wrong form: {value}"));
    }
    check_fields(document, schema, value, path, found);
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            check(document, &schema["items"], item, &format!("{path}[{index}]"), found);
        }
    }
}

fn check_fields(document: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(fields) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            found.push(format!("{path}.{name} is missing"));
        }
    }
    for (name, value) in fields {
        let path = format!("{path}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(known), _) => check(document, known, value, &path, found),
            (None, Value::Bool(false)) => found.push(format!("{path} is not described")),
            (None, Value::Null) => {}
            (None, others) => check(document, others, value, &path, found),
        }
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("the schemas use the type {other:?}, which is not checked here"),
    }
}
