//! What must hold of every language, and how the common ones look.

use proptest::prelude::*;

use super::languages::LANGUAGES;
use super::rule::{Pattern, Then};
use super::{language, write};

const SAMPLES: &str = include_str!("../../tests/fixtures/highlight/samples.md");

fn highlighted(name: &str, code: &str) -> String {
    let mut html = String::new();
    write(&mut html, code, language(name).unwrap());
    html
}

/// The code that the HTML shows.
fn shown(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        rest = &rest[open + rest[open..].find('>').unwrap() + 1..];
    }
    text.push_str(rest);
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The samples with the names of their languages.
fn samples() -> impl Iterator<Item = (&'static str, &'static str)> {
    SAMPLES.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap())
}

#[test]
fn the_common_languages_look_as_they_did() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/fixtures/highlight");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, code) in samples() {
            insta::assert_snapshot!(name, highlighted(name, code));
        }
    });
}

#[test]
fn coloured_source_is_at_most_three_times_as_long() {
    let sources =
        [("rust", include_str!("lexer.rs")), ("rust", include_str!("languages/c_family.rs")), ("markdown", SAMPLES)];
    for (name, source) in sources {
        let html = highlighted(name, source);
        assert!(html.len() <= 3 * source.len(), "{name}: {} bytes for {}", html.len(), source.len());
    }
}

#[test]
fn every_name_belongs_to_one_language_and_finds_it() {
    let mut seen = std::collections::HashSet::new();
    for name in LANGUAGES.iter().flat_map(|language| language.names) {
        assert!(seen.insert(name), "{name} is listed twice");
        assert_eq!(*name, name.to_ascii_lowercase());
        assert!(language(&name.to_ascii_uppercase()).is_some(), "{name}");
    }
    assert!(language("klingon").is_none());
    assert!(language("").is_none());
    assert!(language(&"rust".repeat(1_000)).is_none());
}

#[test]
fn every_language_is_described_soundly() {
    for language in LANGUAGES {
        let states: Vec<_> = language.states.iter().map(|groups| groups.concat()).collect();
        for rule in states.iter().flatten() {
            match rule.then {
                Then::Push(state) => assert!(usize::from(state) < states.len(), "{:?}", language.names),
                Then::Embed { language: inner, .. } => assert!(super::language(inner).is_some(), "{inner}"),
                Then::Stay | Then::Pop => {}
            }
            if let Pattern::Exact(text) | Pattern::Line(text) | Pattern::Sigil(text) = rule.pattern {
                assert!(!text.is_empty());
            }
        }
        assert!(states.iter().all(|rules| rules.len() <= 32), "{:?} has a state with over 32 rules", language.names);
    }
}

/// Pieces that begin something in some language, and now and then end it.
const PIECES: [&str; 64] = [
    "\"",
    "'",
    "`",
    "\"\"\"",
    "'''",
    "\\",
    "\\u{",
    "\\x4",
    "//",
    "/*",
    "*/",
    "#",
    "#{",
    "${",
    "$(",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<style>",
    "r#\"",
    "\"#",
    "R\"x(",
    ")x\"",
    "[==[",
    "]==]",
    "$x$",
    "<<EOF",
    "<<~'A'",
    "EOF",
    "\n",
    "\r\n",
    "\t",
    "  ",
    "0x",
    "1.5e",
    ".5",
    "é",
    "日本",
    "😀",
    "fn",
    "return",
    "/",
    "=",
    ":",
    "::",
    "@",
    "&",
    "%",
    "--",
    "- ",
    "{{",
    "%}",
    "\0",
];

proptest! {
    #[test]
    fn no_character_is_lost_or_changed(
        index in 0..LANGUAGES.len(),
        pieces in prop::collection::vec(prop_oneof![prop::sample::select(&PIECES[..]).prop_map(str::to_owned), ".{0,4}"], 0..40),
    ) {
        let code = pieces.concat();
        prop_assert_eq!(shown(&highlighted(LANGUAGES[index].names[0], &code)), code);
    }
}

#[test]
fn every_piece_of_syntax_may_be_repeated_and_left_open() {
    for language in LANGUAGES {
        for piece in PIECES {
            let code = piece.repeat(300);
            assert_eq!(shown(&highlighted(language.names[0], &code)), code, "{} {piece:?}", language.names[0]);
        }
    }
}

#[test]
fn samples_of_one_language_survive_every_other() {
    for language in LANGUAGES {
        assert_eq!(shown(&highlighted(language.names[0], SAMPLES)), SAMPLES, "{}", language.names[0]);
    }
}

#[test]
fn neighbours_of_one_class_share_a_span() {
    assert_eq!(highlighted("rust", "pub fn x"), "<span class=k>pub fn</span> x");
}

#[test]
fn members_are_not_keywords() {
    assert_eq!(highlighted("js", "a.default"), "a.default");
}
