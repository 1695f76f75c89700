//! Lays the sources over each other: afterwards each key has one text and the place it came from.
//!
//! Every setting is text until its reader parses it, whichever source it came from: one set of forms, one set of
//! messages. A list in the file is the same as its items with commas between them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::problem::{Origin, Problem};
use crate::sources::Sources;

/// What the names of our variables begin with.
const PREFIX: &str = "MICROBLOG__";
/// What the names of variables end with that name a file instead of holding the value.
const FILE_SUFFIX: &str = "_FILE";
/// Settings and secrets are small; a file beyond this is not one.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// All given values by key; where two sources give one, the later source has won.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) values: BTreeMap<String, Given>,
    pub(crate) problems: Vec<Problem>,
}

impl Layers {
    pub(crate) fn read(sources: &Sources) -> Self {
        let mut layers = Self::default();
        if let Some(path) = &sources.file {
            layers.add_file(path);
        }
        layers.add_environment(&sources.environment);
        for (key, text) in &sources.command_line {
            layers.set(key.clone(), text.clone(), Origin::CommandLine);
        }
        layers
    }

    fn set(&mut self, key: String, text: String, origin: Origin) {
        self.values.insert(key, Given { text, origin });
    }

    fn add_file(&mut self, path: &Path) {
        let origin = Origin::File(path.to_owned());
        match read_text(path).and_then(|text| parse(path, &text)) {
            Ok(tree) => self.add_tree("", tree, &origin),
            Err(reason) => self.problems.push(Problem::Unreadable { origin, reason }),
        }
    }

    fn add_tree(&mut self, key: &str, value: Value, origin: &Origin) {
        let text = match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                    self.add_tree(&key, value, origin);
                }
                return;
            }
            Value::Null => return,
            Value::Array(items) => items.into_iter().map(scalar_text).collect::<Vec<_>>().join(","),
            scalar => scalar_text(scalar),
        };
        self.set(key.to_owned(), text, origin.clone());
    }

    /// An empty variable counts as not set: container tools pass unset ones on as empty.
    fn add_environment(&mut self, environment: &[(String, String)]) {
        let mut ours: Vec<_> = environment.iter().filter(|(name, text)| is_ours(name) && !text.is_empty()).collect();
        ours.sort();
        for (name, text) in ours {
            let key = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
            match named_by_file(name) {
                Some(key) => self.add_secret_file(name, key, Path::new(text)),
                None => self.set(key, text.clone(), Origin::Environment(name.clone())),
            }
        }
    }

    fn add_secret_file(&mut self, variable: &str, key: String, path: &Path) {
        let origin = Origin::SecretFile { variable: variable.to_owned(), path: path.to_owned() };
        if let Some(Given { origin: Origin::Environment(other), .. }) = self.values.get(&key) {
            let reason = format!("{other} is set too; keep one of the two");
            self.problems.push(Problem::Unreadable { origin, reason });
            return;
        }
        match read_text(path) {
            Ok(text) => self.set(key, text.trim_end_matches(['\r', '\n']).to_owned(), origin),
            Err(reason) => self.problems.push(Problem::Unreadable { origin, reason }),
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// The key that `MICROBLOG__SECTION__KEY_FILE` stands for. `MICROBLOG__SECTION__FILE` is a setting called `file`.
fn named_by_file(name: &str) -> Option<String> {
    let upper = name[PREFIX.len()..].to_ascii_uppercase();
    let stem = upper.strip_suffix(FILE_SUFFIX).filter(|stem| !stem.ends_with('_'))?;
    Some(stem.to_ascii_lowercase().replace("__", "."))
}

fn read_text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("it has {size} bytes; at most {MAX_FILE_BYTES} are read"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))
}

fn parse(path: &Path, text: &str) -> Result<Value, String> {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    let is_yaml = extension.is_some_and(|extension| extension == "yaml" || extension == "yml");
    let tree: Value = if is_yaml {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?
    } else {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?
    };
    match tree {
        Value::Object(_) | Value::Null => Ok(tree),
        _ => Err("it must hold sections with keys, e.g. a section 'server' with the key 'listen'".to_owned()),
    }
}

fn scalar_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_with_a_stem_is_read_from_a_file() {
        assert_eq!(named_by_file("MICROBLOG__DATABASE__URL_FILE").as_deref(), Some("database.url"));
        assert_eq!(named_by_file("MICROBLOG__LOG__FILE"), None);
        assert_eq!(named_by_file("MICROBLOG__DATABASE__URL"), None);
    }

    #[test]
    fn foreign_variables_are_passed_over() {
        assert!(is_ours("MICROBLOG__SERVER__LISTEN"));
        assert!(!is_ours("MICROBLOG_TEST_POSTGRES_URL"));
        assert!(!is_ours("PATH"));
        assert!(!is_ours("ÄÄÄÄÄÄ"));
    }
}
