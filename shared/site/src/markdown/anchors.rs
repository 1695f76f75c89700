//! Ids of headings: readable, from the heading's words, and unique in their text.

use std::collections::{HashMap, HashSet};

/// The longest id made from a heading's words, in characters.
const MAX_ID_CHARS: usize = 80;

/// Hands out ids, each once.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    taken: HashSet<String>,
    /// How far the numbers behind an id that was asked for again have gone.
    numbered: HashMap<String, u32>,
}

impl Anchors {
    /// Knows the ids that raw HTML of the text brings along, wherever it stands: those can not give way.
    pub(super) fn reserve_raw_ids(&mut self, markdown: &str) {
        for at in memchr::memmem::find_iter(markdown.as_bytes(), b" id=") {
            let value = &markdown[at + 4..];
            let quote = value.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
            let id = match quote {
                Some(quote) => value[1..].split([char::from(quote), '\n']).next(),
                None => value.split([' ', '\t', '\n', '>', '/']).next(),
            };
            self.taken.extend(id.filter(|id| !id.is_empty()).map(str::to_owned));
        }
    }

    /// The id of a heading: the one that the author asked for, or one from its words, numbered if it is taken.
    pub(super) fn id_for(&mut self, asked: Option<&str>, words: &str) -> String {
        let wanted = match asked {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => id_from_words(words),
        };
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let number = self.numbered.entry(wanted.clone()).or_insert(0);
        loop {
            *number += 1;
            let candidate = format!("{wanted}-{number}");
            if self.taken.insert(candidate.clone()) {
                return candidate;
            }
        }
    }
}

/// Lower-case letters and digits of any script and underscores, everything else as single hyphens between them.
fn id_from_words(words: &str) -> String {
    let mut id = String::with_capacity(words.len().min(4 * MAX_ID_CHARS));
    let mut gap = false;
    for c in words.chars().take(MAX_ID_CHARS) {
        if c.is_alphanumeric() || c == '_' {
            if gap && !id.is_empty() {
                id.push('-');
            }
            gap = false;
            match c.is_ascii() {
                true => id.push(c.to_ascii_lowercase()),
                false => id.extend(c.to_lowercase()),
            }
        } else {
            // An apostrophe is part of its word.
            gap |= !matches!(c, '\'' | '’' | '‘');
        }
    }
    if id.is_empty() { "section".to_owned() } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_the_words() {
        assert_eq!(id_from_words("What’s new in C++ & Rust 1.95?"), "whats-new-in-c-rust-1-95");
        assert_eq!(id_from_words("Größe 中文 snake_case"), "größe-中文-snake_case");
        assert_eq!(id_from_words("🎉 !"), "section");
    }

    #[test]
    fn no_id_is_given_twice() {
        let mut anchors = Anchors::default();
        let ids: Vec<_> = ["a", "a 1", "a", "a"].iter().map(|words| anchors.id_for(None, words)).collect();
        assert_eq!(ids, ["a", "a-1", "a-2", "a-3"]);
        assert_eq!(anchors.id_for(Some("a"), "other"), "a-4");
    }

    #[test]
    fn ids_of_raw_html_are_left_to_it() {
        let mut anchors = Anchors::default();
        anchors.reserve_raw_ids("# Intro\n\n<a id=\"intro\"></a> <b id='x'> <i id=y>");
        assert_eq!(anchors.id_for(None, "Intro"), "intro-1");
        assert_eq!(anchors.id_for(None, "X"), "x-1");
        assert_eq!(anchors.id_for(None, "Y"), "y-1");
    }
}
