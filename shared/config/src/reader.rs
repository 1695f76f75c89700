//! Takes settings out of the layers by name and gathers what is wrong, so that all mistakes are told together.

use std::collections::{BTreeMap, BTreeSet};

use crate::layers::{Layers, text_of};
use crate::problem::{ConfigError, Origin, Problem};
use crate::values::Setting;

/// How unlike a known name may be to be suggested.
const MAX_TYPING_MISTAKES: usize = 3;

pub(crate) struct Reader {
    layers: Layers,
    asked: BTreeMap<&'static str, Option<Taken>>,
}

/// A value that was taken out of the layers: how it may be shown, and where it stood.
struct Taken {
    shown: Option<String>,
    origin: Origin,
}

impl Reader {
    pub(crate) fn new(layers: Layers) -> Self {
        Self { layers, asked: BTreeMap::new() }
    }

    /// The value of a key, or the default when it is not given (or wrong: then a problem is noted).
    pub(crate) fn value<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// The value of a key that may be missing.
    pub(crate) fn optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let Some(value) = self.layers.values.remove(key) else {
            self.asked.insert(key, None);
            return None;
        };
        let text = text_of(&value);
        self.asked.insert(key, Some(Taken { shown: T::shown(&text), origin: Origin::of(&value) }));
        T::read(text.trim()).map_err(|expected| self.reject(key, &expected)).ok()
    }

    /// The value of a key with a rule of its own beyond its form.
    pub(crate) fn checked<T: Setting>(
        &mut self,
        key: &'static str,
        default: T,
        expected: &str,
        is_fine: impl Fn(&T) -> bool,
    ) -> T {
        let value = self.value(key, default);
        if !is_fine(&value) {
            self.reject(key, expected);
        }
        value
    }

    /// Notes that the value given for a key can not be used.
    pub(crate) fn reject(&mut self, key: &str, expected: &str) {
        if let Some(Some(Taken { shown, origin })) = self.asked.get(key) {
            self.layers.problems.push(Problem::Invalid {
                key: key.to_owned(),
                value: shown.clone(),
                origin: origin.clone(),
                expected: expected.to_owned(),
            });
        }
    }

    /// The keys that were asked for.
    pub(crate) fn into_names(self) -> BTreeSet<&'static str> {
        self.asked.into_keys().collect()
    }

    /// Reports what was noted, and every given key that is no setting.
    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        let mut problems = self.layers.problems;
        for (key, origin) in self.layers.unknown {
            let similar = most_similar(&key, self.asked.keys().copied());
            problems.push(Problem::Unknown { key, origin, similar });
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

fn most_similar<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|name| (edit_distance(key, name), name))
        .filter(|(distance, _)| *distance <= MAX_TYPING_MISTAKES)
        .min()
        .map(|(_, name)| name.to_owned())
}

/// Levenshtein distance in bytes: how many of them must be added, removed or replaced.
fn edit_distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_counted() {
        for (one, other, distance) in [("", "abc", 3), ("listen", "listen", 0), ("lisen", "listen", 1), ("ab", "ba", 2)]
        {
            assert_eq!(edit_distance(one, other), distance, "{one} {other}");
        }
    }

    #[test]
    fn only_names_that_are_near_are_suggested() {
        let known = ["server.listen", "site.listen"];
        assert_eq!(most_similar("servr.listen", known.into_iter()).as_deref(), Some("server.listen"));
        assert_eq!(most_similar("nonsense", known.into_iter()), None);
    }
}
