//! Reading single fields of a front matter: each is taken out with its type, and what is left over is extra.

use microblog_domain::{PathError, UrlPath};
use serde_json::{Map, Value};

use crate::front_matter::FrontMatter;
use crate::problem::{Fault, Reason};

/// The fields that are not read yet.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    front_matter: &'a FrontMatter<'a>,
    rest: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(front_matter: &'a mut FrontMatter<'_>) -> Self {
        let rest = std::mem::take(&mut front_matter.fields);
        Self { front_matter, rest }
    }

    /// Whether the field is there, even without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    /// Looks at a field without taking it.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.rest.get(name)
    }

    /// Takes a field out, whatever it holds.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.rest.shift_remove(name)
    }

    /// Leaves a field, or what remains of it, to whoever comes next.
    pub(crate) fn put_back(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.rest.insert(name.to_owned(), value);
        }
    }

    /// Everything that nobody took.
    pub(crate) fn into_rest(self) -> Map<String, Value> {
        self.rest
    }

    /// What is wrong with a field, with its line.
    pub(crate) fn fault(&self, field: &str, message: impl Into<String>) -> Fault {
        let reason = Reason::Field { field: field.to_owned(), message: message.into() };
        Fault { line: self.front_matter.line_of(field), reason }
    }

    /// The first of several spellings that holds text, with the spelling. Blank text counts as none.
    pub(crate) fn text(&mut self, names: &[&'static str]) -> Result<Option<(&'static str, String)>, Fault> {
        for &name in names {
            let Some(value) = self.take(name) else { continue };
            let text = match value {
                Value::Null => continue,
                Value::Array(_) | Value::Object(_) => return Err(self.fault(name, expected("text", &value))),
                value => plain_text(&value),
            };
            if !text.trim().is_empty() {
                return Ok(Some((name, text)));
            }
        }
        Ok(None)
    }

    /// A field that is on or off.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match as_flag(&value) {
            Some(flag) => Ok(Some(flag)),
            None if value.is_null() => Ok(None),
            None => Err(self.fault(name, expected("true or false", &value))),
        }
    }

    /// A list of texts, which may be a single one.
    pub(crate) fn list(&mut self, name: &'static str) -> Result<Vec<String>, Fault> {
        self.take(name).map_or(Ok(Vec::new()), |value| texts(&value).map_err(|message| self.fault(name, message)))
    }

    /// Addresses within the site; a missing first slash is added, as Zola leaves it out.
    pub(crate) fn addresses(&mut self, name: &'static str) -> Result<Vec<UrlPath>, Fault> {
        self.list(name)?.iter().map(|text| self.address(name, text)).collect()
    }

    /// One address within the site.
    pub(crate) fn address(&self, name: &str, text: &str) -> Result<UrlPath, Fault> {
        let absolute = format!("/{}", text.strip_prefix('/').unwrap_or(text));
        absolute.parse().map_err(|error: PathError| self.fault(name, error.to_string()))
    }
}

/// The flag that a value stands for; YAML 1.1 knew `yes` and `on`, too.
pub(crate) fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The texts of a list, or of a single value; of a map its `name`, as themes write authors.
pub(crate) fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(text_of_item).collect(),
        value => text_of_item(value).map(|text| vec![text]),
    }
}

fn text_of_item(value: &Value) -> Result<String, String> {
    match value {
        Value::Object(fields) => match fields.get("name") {
            Some(Value::String(name)) => Ok(name.clone()),
            _ => Err("expected text, or a map with a name".to_owned()),
        },
        Value::Null | Value::Array(_) => Err(expected("text", value)),
        value => Ok(plain_text(value)),
    }
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn expected(what: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) => return format!("expected {what}, found {text:?}"),
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    format!("expected {what}, found {found}")
}
