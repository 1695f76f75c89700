//! Takes an object apart field by field, noting every mistake instead of stopping at the first.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{ApiError, FieldError};

/// Something that is made of named fields.
pub(crate) trait FromFields: Sized {
    /// Takes the fields; `None` if one is missing or wrong, which `fields` then knows.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// The fields of an object that were not taken yet, and what was wrong with those that were.
#[derive(Debug)]
pub(crate) struct Fields {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<FieldError>,
}

impl Fields {
    /// Reads a whole object, or tells everything that is wrong with it.
    pub(crate) fn read<T: FromFields>(object: Map<String, Value>) -> Result<T, ApiError> {
        let mut fields = Self { left: object, known: Vec::new(), problems: Vec::new() };
        let value = T::from_fields(&mut fields);
        fields.reject_unknown();
        match value {
            Some(value) if fields.problems.is_empty() => Ok(value),
            _ => Err(ApiError::invalid(fields.problems)),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A field that may be left out; `null` counts as left out.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let value = self.take(name)?;
        match serde_path_to_error::deserialize(value) {
            Ok(value) => Some(value),
            Err(error) => {
                let path = error.path().to_string();
                let field = if path == "." { name.to_owned() } else { join(name, &path) };
                self.reject(&field, error.inner().to_string());
                None
            }
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.known.push(name);
            self.left.shift_remove(name);
            self.reject(name, "is missing");
            return None;
        }
        self.optional(name)
    }

    /// A parameter of a query: always text, whatever it means.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self, name: &'static str) -> Option<T> {
        let text = self.optional::<String>(name)?;
        text.parse().map_err(|error: T::Err| self.reject(name, error.to_string())).ok()
    }

    /// A field that clients may send back as they got it, and that has no effect.
    pub(crate) fn ignored(&mut self, name: &'static str) {
        self.take(name);
    }

    /// Other programs decide what else they send.
    pub(crate) fn ignore_others(&mut self) {
        self.left.clear();
    }

    /// Notes a mistake.
    pub(crate) fn reject(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Notes a mistake unless `is_fine`.
    pub(crate) fn check(&mut self, is_fine: bool, field: &str, message: &str) {
        if !is_fine {
            self.reject(field, message);
        }
    }

    fn reject_unknown(&mut self) {
        let known = self.known.join(", ");
        let message =
            if known.is_empty() { "is not known here".to_owned() } else { format!("is not known; known are {known}") };
        for (name, _) in std::mem::take(&mut self.left) {
            self.reject(&name, message.clone());
        }
    }
}

/// `menu` and `[0].url` are `menu[0].url`; `extra` and `a` are `extra.a`.
fn join(name: &str, path: &str) -> String {
    if path.starts_with('[') { format!("{name}{path}") } else { format!("{name}.{path}") }
}

#[cfg(test)]
mod tests {
    use microblog_domain::{MenuItem, Slug};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        slug: Slug,
        menu: Vec<MenuItem>,
        limit: Option<u8>,
    }

    impl FromFields for Sample {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            let slug = fields.required("slug");
            let menu = fields.optional("menu");
            let limit = fields.parsed("limit");
            Some(Self { slug: slug?, menu: menu.unwrap_or_default(), limit })
        }
    }

    fn read(object: Value) -> Result<Sample, Vec<(String, String)>> {
        let Value::Object(object) = object else { panic!("not an object") };
        Fields::read(object)
            .map_err(|error| error.fields().iter().map(|error| (error.field.clone(), error.message.clone())).collect())
    }

    #[test]
    fn what_is_left_out_or_null_gets_its_default() {
        let sample = read(json!({"slug": "hello", "menu": null, "limit": "7"})).unwrap();
        assert_eq!((sample.menu.len(), sample.limit), (0, Some(7)));
    }

    #[test]
    fn every_mistake_is_told_with_the_way_to_it() {
        let problems = read(json!({"menu": [{"title": "a", "url": 5}], "limit": "300", "extra": 1, "x": 2}));
        let fields: Vec<_> = problems.unwrap_err().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["slug", "menu[0].url", "limit", "extra", "x"]);
    }

    #[test]
    fn the_domain_says_what_is_wrong_with_a_value() {
        let problems = read(json!({"slug": "../x"})).unwrap_err();
        assert!(problems[0].1.contains("'/' is not allowed"), "{problems:?}");
    }
}
