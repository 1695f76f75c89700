//! The OpenAPI document.

use serde_json::{Map, Value, json};

use crate::auth::csrf;
use crate::auth::guard::Guard;
use crate::error::ErrorCode;
use crate::routes::api;
use crate::table::{Gives, Route, Takes};

const SCHEMAS: &str = include_str!("schemas.json");

/// Describes every route.
pub(super) fn document() -> serde_json::Result<Value> {
    let mut schemas: Map<String, Value> = serde_json::from_str(SCHEMAS)?;
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    schemas["Problem"]["properties"]["code"]["enum"] = json!(codes);
    let mut paths = Map::new();
    for route in api() {
        let methods = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_lowercase()] = operation(&route);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Microblog",
            "version": crate::VERSION,
            "description": "Publish a site: posts, uploads, builds, releases.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": security_schemes()},
    }))
}

fn security_schemes() -> Value {
    json!({
        "token": {"type": "http", "scheme": "bearer", "description": "An API token"},
        "webhook": {"type": "http", "scheme": "bearer", "description": "The setting alerts.webhook_secret"},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "microblog_session",
            "description": format!("A log-in; changes need its CSRF token in the header {} too", csrf::HEADER),
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.handler,
        "summary": route.says,
        "tags": [tag(route.path)],
        "parameters": parameters(route),
        "responses": responses(route),
    });
    match route.guard {
        Guard::Public => {}
        Guard::Needs(role, scope) => {
            operation["security"] = json!([{"token": []}, {"session": []}]);
            operation["description"] = json!(format!("Needs the role {role}; a token needs the scope {scope}."));
        }
        Guard::Alertmanager => operation["security"] = json!([{"webhook": []}]),
    }
    match route.takes {
        Takes::Nothing => {}
        Takes::Json(schema) => {
            operation["requestBody"] = json!({"content": {"application/json": {"schema": reference(schema)}}});
        }
        Takes::Upload => {
            let form = json!({"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}});
            operation["requestBody"] = json!({"required": true, "content": {"multipart/form-data": {"schema": form}}});
        }
    }
    operation
}

/// The resource that a path is about.
pub(super) fn tag(path: &str) -> &str {
    match path.strip_prefix("/api/v1/") {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None => "service",
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path
        .map(|name| name.trim_start_matches('*'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let in_query = route.query.iter().map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}));
    in_path.chain(in_query).collect()
}

fn responses(route: &Route) -> Value {
    let problem = json!({
        "description": "What went wrong",
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    });
    let (status, described) = match route.gives {
        Gives::Anything => (200, json!({"description": "As asked"})),
        Gives::Nothing => (204, json!({"description": "Done"})),
        Gives::One(status, schema) => (status.as_u16(), with_body(&reference(schema))),
        Gives::Page(schema) => (200, with_body(&page_of(schema))),
    };
    let mut responses = json!({status.to_string(): described, "default": problem});
    if route.path.starts_with("/health") {
        responses["503"] = with_body(&reference("Health"));
    }
    responses
}

fn with_body(schema: &Value) -> Value {
    json!({"description": "As asked", "content": {"application/json": {"schema": schema}}})
}

fn page_of(schema: &str) -> Value {
    json!({
        "type": "object",
        "required": ["items"],
        "additionalProperties": false,
        "properties": {
            "items": {"type": "array", "items": reference(schema)},
            "next_cursor": {"type": "string", "description": "For the next page; missing on the last"},
        },
    })
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
                Value::String(target) if name == "$ref" => drop(found.insert(target.clone())),
                value => references(value, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_a_schema_and_every_schema_is_used() {
        let document = document().unwrap();
        let mut used = BTreeSet::new();
        references(&document, &mut used);
        let prefix = "#/components/schemas/";
        let used: BTreeSet<_> = used.iter().map(|target| target.strip_prefix(prefix).unwrap()).collect();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert_eq!(used, schemas.keys().map(String::as_str).collect());
    }

    #[test]
    fn operations_have_names_of_their_own_and_say_what_they_do() {
        let names: BTreeSet<_> = api().iter().map(|route| route.handler).collect();
        assert_eq!(names.len(), api().len());
        assert!(api().iter().all(|route| !route.says.is_empty() && !route.handler.contains('<')));
    }
}
