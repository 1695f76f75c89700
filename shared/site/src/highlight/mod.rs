//! Code in, coloured HTML out: spans with classes, for the theme to style.
//!
//! Owns which languages are known and how their tokens look. One lexer serves all of them; a language is data, in
//! `languages`. It colours by shape, not by meaning: it knows no types and resolves no names, and for that it takes a
//! single pass at well over a hundred megabytes a second. Whatever it reads, it never loses or changes a character:
//! without its tags, the HTML is the code.
//!
//! Start reading at `rule`, the words in which languages are described, then `lexer`.
//!
//! # Classes
//!
//! The short names that Pygments, Rouge and Chroma use, so that their style sheets fit:
//!
//! | class | for | class | for |
//! |---|---|---|---|
//! | `c` | comment | `nv` | variable |
//! | `k` | keyword | `ss` | symbol, label, lifetime |
//! | `kc` | constant: `true`, `nil` | `nt` | tag, section |
//! | `kt` | type | `na` | attribute, key |
//! | `nb` | built-in function or value | `nd` | decorator, annotation |
//! | `nf` | function, macro | `cp` | preprocessor |
//! | `s` | string | `gh` | heading |
//! | `se` | escape in a string | `gp` | prompt |
//! | `si` | interpolation in a string | `gi` | inserted line |
//! | `sr` | regular expression | `gd` | deleted line |
//! | `m` | number | `gu` | position in a diff |
//!
//! `classes.md` beside this file has rules for light and dark pages with enough contrast.

mod class;
mod grammar;
mod languages;
mod lexer;
mod rule;
mod scan;
mod spans;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

pub(crate) use grammar::Grammar;
use languages::LANGUAGES;

/// The longest name of a language worth looking up.
const MAX_NAME: usize = 32;

/// The language of this name, in any case; `None` for one that is not known.
pub(crate) fn language(name: &str) -> Option<&'static Grammar> {
    static BY_NAME: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
        let names = LANGUAGES.iter().enumerate().flat_map(|(index, l)| l.names.iter().map(move |name| (*name, index)));
        names.collect()
    });
    static GRAMMARS: [OnceLock<Grammar>; LANGUAGES.len()] = [const { OnceLock::new() }; LANGUAGES.len()];

    if name.len() > MAX_NAME {
        return None;
    }
    let index = match BY_NAME.get(name) {
        Some(index) => *index,
        None => *BY_NAME.get(name.to_ascii_lowercase().as_str())?,
    };
    Some(GRAMMARS.get(index)?.get_or_init(|| Grammar::new(LANGUAGES[index])))
}

/// Writes code as HTML, escaped and with its tokens in spans.
pub(crate) fn write(out: &mut String, code: &str, grammar: &Grammar) {
    let mut spans = spans::Spans::new(out, code);
    lexer::run(&mut spans, code.as_bytes(), 0, grammar, 0);
    spans.finish();
}
