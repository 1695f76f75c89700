//! Has the `config` crate read the sources and lay them over each other: afterwards each key has one value, which knows
//! the place it came from.
//!
//! Only settings that exist are laid over each other: a wrong name in one source must neither hide a value of another,
//! nor be hidden by it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::{Config, ConfigError, Environment, File, Map, Source, Value, ValueKind};

use crate::files::{format_of, read_text};
use crate::problem::{Origin, Problem};
use crate::sources::Sources;

/// What the keys end with whose variables name a file instead of holding the value. A setting called `file` has a dot
/// before its name.
const FILE_SUFFIX: &str = "_file";

/// All given values by key; where two sources give one, the later source has won.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) values: BTreeMap<String, Value>,
    /// The keys that are no settings, with their places.
    pub(crate) unknown: BTreeSet<(String, Origin)>,
    pub(crate) problems: Vec<Problem>,
}

impl Layers {
    /// Reads all sources. `names` are the settings that there are.
    pub(crate) fn read(sources: &Sources, names: &BTreeSet<&'static str>) -> Self {
        let mut layers = Self::default();
        let given = [layers.file(sources), layers.environment(sources), command_line(sources)];
        let mut merged = Config::builder();
        for layer in given {
            merged = merged.add_source(layers.only_known(layer, names));
        }
        match merged.build().and_then(|merged| merged.collect()) {
            Ok(merged) => layers.values = leaves(merged).0,
            Err(error) => layers.unreadable(Origin::all_sources(), error.to_string()),
        }
        layers
    }

    fn file(&mut self, sources: &Sources) -> Layer {
        let Some(path) = &sources.file else { return Layer::default() };
        let origin = Origin::file(path);
        match parse_file(path) {
            Ok(layer) => layer.at(&origin),
            Err(reason) => {
                self.unreadable(origin, reason);
                Layer::default()
            }
        }
    }

    fn environment(&mut self, sources: &Sources) -> Layer {
        let mut layer = Layer::default();
        let mut files = Vec::new();
        for (name, key, text) in self.variables(sources) {
            match key.strip_suffix(FILE_SUFFIX) {
                Some(key) => files.push((name, key.to_owned(), text)),
                None => layer.set(key, &text, &Origin::environment(&name)),
            }
        }
        for (name, key, path) in files {
            self.secret_file(&name, key, Path::new(&path), &mut layer);
        }
        layer
    }

    /// Our variables with the keys that they stand for and their text, in the order of their names. Each is read alone,
    /// because a value does not tell which variable it came from. An empty one counts as not set: container tools pass
    /// unset ones on as empty.
    fn variables(&mut self, sources: &Sources) -> Vec<(String, String, String)> {
        let ours = Environment::with_prefix("MICROBLOG").prefix_separator("__").separator("__").ignore_empty(true);
        let mut variables = Vec::new();
        for (name, text) in BTreeMap::from_iter(sources.environment.iter().cloned()) {
            match ours.clone().source(Some(Map::from([(name.clone(), text)]))).collect() {
                Ok(read) => {
                    let read = read.into_iter().map(|(key, value)| (name.clone(), key, text_of(&value)));
                    variables.extend(read);
                }
                Err(error) => self.unreadable(Origin::environment(&name), error.to_string()),
            }
        }
        variables
    }

    fn secret_file(&mut self, variable: &str, key: String, path: &Path, layer: &mut Layer) {
        let origin = Origin::secret_file(path, variable);
        if let Some(other) = layer.0.get(&key) {
            let reason = format!("{key} is given {} too; keep one of the two", Origin::of(other));
            return self.unreadable(origin, reason);
        }
        match read_text(path) {
            Ok(text) => layer.set(key, text.trim_end_matches(['\r', '\n']), &origin),
            Err(reason) => self.unreadable(origin, reason),
        }
    }

    fn only_known(&mut self, layer: Layer, names: &BTreeSet<&'static str>) -> Layer {
        let (known, unknown): (_, BTreeMap<_, _>) = layer.0.into_iter().partition(|(key, _)| names.contains(&**key));
        self.unknown.extend(unknown.into_iter().map(|(key, value)| (key, Origin::of(&value))));
        Layer(known)
    }

    fn unreadable(&mut self, origin: Origin, reason: String) {
        self.problems.push(Problem::Unreadable { origin, reason });
    }
}

/// What one source gives, by key.
#[derive(Debug, Clone, Default)]
struct Layer(BTreeMap<String, Value>);

impl Layer {
    fn set(&mut self, key: String, text: &str, origin: &Origin) {
        self.0.insert(key, origin.value(text));
    }

    fn at(self, origin: &Origin) -> Self {
        Self(self.0.into_iter().map(|(key, value)| (key, origin.value(value.kind))).collect())
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone().into_iter().collect())
    }
}

fn command_line(sources: &Sources) -> Layer {
    let origin = Origin::command_line();
    let given = sources.command_line.iter();
    Layer(given.map(|(key, text)| (key.clone(), origin.value(text.as_str()))).collect())
}

fn parse_file(path: &Path) -> Result<Layer, String> {
    let text = read_text(path)?;
    let sections = File::from_str(&text, format_of(path)).collect().map_err(|error| match error {
        // Not the parser's own error: the text could be parsed, but is a list or a single value.
        ConfigError::FileParse { cause, .. } if cause.is::<Box<ConfigError>>() => {
            "it must hold sections with keys, e.g. a section 'server' with the key 'listen'".to_owned()
        }
        error => error.to_string().trim_end().to_owned(),
    })?;
    Ok(leaves(sections))
}

/// The values in the sections, by their whole keys; a key without a value is not given.
fn leaves(sections: Map<String, Value>) -> Layer {
    let mut open = BTreeMap::from_iter(sections);
    let mut found = BTreeMap::new();
    while let Some((key, value)) = open.pop_first() {
        match value.kind {
            ValueKind::Table(section) => {
                open.extend(section.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            ValueKind::Nil => {}
            _ => drop(found.insert(key, value)),
        }
    }
    Layer(found)
}

/// The value as text. Every setting is text until its reader parses it, whichever source it came from: one set of
/// forms, one set of messages. A list is the same as its items with commas between them.
pub(crate) fn text_of(value: &Value) -> String {
    match &value.kind {
        ValueKind::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        // With its point, as it was written: 3.0 is no whole number.
        ValueKind::Float(number) => format!("{number:?}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)], command_line: &[(&str, &str)]) -> Layers {
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let sources = Sources { file: None, environment: pairs(environment), command_line: pairs(command_line) };
        Layers::read(&sources, &BTreeSet::from(["log.file", "server.listen"]))
    }

    fn unknown(layers: &Layers) -> Vec<&str> {
        layers.unknown.iter().map(|(key, _)| &**key).collect()
    }

    #[test]
    fn only_a_key_with_a_stem_is_read_from_a_file() {
        let layers = read(&[("MICROBLOG__LOG__FILE", "x.log"), ("MICROBLOG__SERVER__LISTEN_FILE", "/nowhere")], &[]);
        assert_eq!(text_of(&layers.values["log.file"]), "x.log");
        let [Problem::Unreadable { origin, .. }] = &layers.problems[..] else { panic!("{:?}", layers.problems) };
        assert_eq!(origin.to_string(), "in /nowhere, named by MICROBLOG__SERVER__LISTEN_FILE");
    }

    #[test]
    fn foreign_variables_are_passed_over() {
        let foreign = [("MICROBLOG_TEST_POSTGRES_URL", "x"), ("PATH", "x"), ("ÄÄÄÄÄÄ", "x"), ("MICROBLOG_", "x")];
        let layers = read(&foreign, &[]);
        assert!(layers.values.is_empty() && layers.unknown.is_empty(), "{layers:?}");
    }

    #[test]
    fn a_wrong_name_in_one_source_neither_hides_a_value_of_another_nor_is_hidden() {
        let layers = read(&[("MICROBLOG__SERVER", "x")], &[("server.listen", ":1"), ("server.listen.port", "2")]);
        assert_eq!(unknown(&layers), ["server", "server.listen.port"]);
        assert_eq!(text_of(&layers.values["server.listen"]), ":1");
    }

    #[test]
    fn names_that_are_none_at_all_are_unknown_like_others() {
        let odd = ["", ".", "server.listen[99999999999999]", "server..listen", "é", "a b", "x[-1]"];
        let layers = read(&[("MICROBLOG__", "x"), ("MICROBLOG____", "x")], &odd.map(|key| (key, "x")));
        let found: BTreeSet<_> = unknown(&layers).into_iter().collect();
        assert_eq!(found, BTreeSet::from(odd));
    }
}
