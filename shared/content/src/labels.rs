//! Tags, in all the ways that front matter spells them: `tags`, `tag`, categories, Zola's taxonomies.
//!
//! Microblog has tags only. Categories are folded into them, and stay in the extra fields so that an export gives them
//! back.

use std::collections::HashSet;

use microblog_domain::Tag;
use serde_json::Value;

use crate::fields::{Fields, texts};
use crate::problem::Fault;

/// Takes the tags; categories count as tags, and stay among the other fields.
pub(crate) fn take(fields: &mut Fields<'_>) -> Result<Vec<Tag>, Fault> {
    let mut names = Vec::new();
    for (field, value) in values(fields) {
        let found = names_in(field, &value).map_err(|message| fields.fault(field, message))?;
        names.extend(found.into_iter().map(|name| (field, name)));
    }
    let mut seen = HashSet::new();
    let mut tags = Vec::with_capacity(names.len());
    for (field, name) in names {
        let tag = Tag::new(&name).map_err(|error| fields.fault(field, error.to_string()))?;
        if seen.insert(tag.slug().clone()) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// Whether folding these categories would change the tags: then they must not stand where a reader would fold them.
pub(crate) fn adds_to(tags: &[Tag], field: &str, value: &Value) -> bool {
    let Ok(names) = names_in(field, value) else { return true };
    !names.iter().all(|name| Tag::new(name).is_ok_and(|category| tags.iter().any(|tag| tag.slug() == category.slug())))
}

fn values(fields: &mut Fields<'_>) -> Vec<(&'static str, Value)> {
    let mut values: Vec<_> = ["tags", "tag"].into_iter().filter_map(|name| Some((name, fields.take(name)?))).collect();
    let mut taxonomies = match fields.take("taxonomies") {
        Some(Value::Object(taxonomies)) => taxonomies,
        other => {
            fields.put_back("taxonomies", other);
            serde_json::Map::new()
        }
    };
    values.extend(taxonomies.shift_remove("tags").map(|value| ("tags", value)));
    if let Some(categories) = taxonomies.shift_remove("categories") {
        fields.put_back("categories", Some(categories));
    }
    if !taxonomies.is_empty() {
        fields.put_back("taxonomies", Some(Value::Object(taxonomies)));
    }
    values.extend(["categories", "category"].into_iter().filter_map(|name| Some((name, fields.get(name)?.clone()))));
    values
}

/// Jekyll and Hugo split a text at its spaces, people put commas; the singular `category` is one name.
fn names_in(field: &str, value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) if field == "category" => Ok(vec![text.clone()]),
        Value::String(text) if text.contains(',') => Ok(text.split(',').map(|name| name.trim().to_owned()).collect()),
        Value::String(text) => Ok(text.split_whitespace().map(str::to_owned).collect()),
        value => texts(value),
    }
}
