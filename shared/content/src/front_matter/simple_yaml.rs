//! The YAML that nearly all front matter is made of: one field a line, with a plain or quoted text, a flag, a number or
//! a flat list.
//!
//! It exists because the complete parser takes some 15 µs for a front matter, which is a second of work for 70,000
//! posts. It answers `None` at the first sign of anything else, and what it does answer is what the complete parser
//! would have said: a property test holds it to that.

use std::iter::Peekable;
use std::str::Lines;

use serde_json::{Map, Value};

use super::yaml::is_text_field;

/// The fields, if every line is simple.
pub(super) fn read(header: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let mut lines = header.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, rest) = line.split_once(':')?;
        if !is_simple_name(name) || fields.contains_key(name) {
            return None;
        }
        let value = match rest.strip_prefix(' ').map(trim).filter(|rest| !rest.is_empty()) {
            Some(text) if is_text_field(name) => Value::String(text_of(text)?.0.to_owned()),
            Some(text) => value(text)?,
            None if trim(rest).is_empty() => block_list(&mut lines, is_text_field(name))?,
            None => return None,
        };
        fields.insert(name.to_owned(), value);
    }
    Some(fields)
}

/// Other white space is not simple.
fn trim(text: &str) -> &str {
    text.trim_matches(' ')
}

fn is_simple_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && is_certainly_text(name)
}

fn value(text: &str) -> Option<Value> {
    match text.strip_prefix('[') {
        Some(rest) => flow_list(rest.strip_suffix(']')?),
        None => scalar(text),
    }
}

fn scalar(text: &str) -> Option<Value> {
    match text {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        _ => {}
    }
    if is_small_number(text) {
        return text.parse::<u64>().ok().map(Value::from);
    }
    let (text, is_quoted) = text_of(text)?;
    (is_quoted || is_certainly_text(text)).then(|| Value::String(text.to_owned()))
}

fn is_small_number(text: &str) -> bool {
    let has_no_sign_or_zero = text == "0" || text.starts_with(|c: char| matches!(c, '1'..='9'));
    has_no_sign_or_zero && text.len() < 16 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a plain text begins like a word, and is none of the words that mean something else.
fn is_certainly_text(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && !["true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The text of a plain or quoted scalar, and whether it is quoted.
fn text_of(text: &str) -> Option<(&str, bool)> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let inner = rest.strip_suffix(quote)?;
            let is_literal = inner.chars().all(|c| c != quote && c != '\\' && is_simple_char(c));
            return is_literal.then_some((inner, true));
        }
    }
    let is_plain = text.starts_with(char::is_alphanumeric)
        && !text.ends_with(':')
        && !text.contains(": ")
        && text.chars().all(|c| c != '#' && is_simple_char(c));
    (is_plain && !is_null(text)).then_some((text, false))
}

fn is_null(text: &str) -> bool {
    text.eq_ignore_ascii_case("null")
}

/// What neither ends a line nor is forbidden in YAML, as far as the usual writing goes.
fn is_simple_char(c: char) -> bool {
    matches!(c, ' '..='~' | '‐'..='…' | '\u{1f300}'..='\u{1faff}') || c.is_alphanumeric()
}

fn flow_list(inner: &str) -> Option<Value> {
    if trim(inner).is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    let has_structure = |item: &str| item.contains(['[', ']', '{', '}', ':']);
    inner
        .split(',')
        .map(|item| if has_structure(item) { None } else { scalar(trim(item)) })
        .collect::<Option<Vec<_>>>()
        .map(Value::Array)
}

/// The `- item` lines behind a field without a value; null if there is none.
fn block_list(lines: &mut Peekable<Lines<'_>>, is_text: bool) -> Option<Value> {
    let indented = |line: &&str| line.starts_with([' ', '\t', '-']);
    let Some(first) = lines.peek().filter(|line| indented(line)) else {
        return Some(Value::Null);
    };
    let indent = first.len() - first.trim_start_matches(' ').len();
    let mut items = Vec::new();
    while let Some(line) = lines.next_if(indented) {
        let item = line.get(indent..)?.strip_prefix("- ")?;
        let is_at_indent = line[..indent].bytes().all(|b| b == b' ');
        items.push(if is_at_indent { scalar(trim(item))? } else { return None });
    }
    (!is_text).then_some(Value::Array(items))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::yaml::read_completely;
    use super::*;

    #[test]
    fn usual_front_matter_is_simple() {
        let header = "title: \"Hello: world\"\ndate: 2024-01-31T10:00:00Z\nslug: 1.10\ntags: [rust, 'web log']\n\
                      draft: false\nweight: 12\nauthors:\n  - Jane Doe\n  - O'Hara\nimage:\nlang: no\ncategories:\n- a\n";
        let expected = json!({
            "title": "Hello: world", "date": "2024-01-31T10:00:00Z", "slug": "1.10", "tags": ["rust", "web log"],
            "draft": false, "weight": 12, "authors": ["Jane Doe", "O'Hara"], "image": null, "lang": "no",
            "categories": ["a"],
        });
        assert_eq!(read(header).map(Value::Object), Some(expected));
    }

    /// Pieces that make a YAML parser think.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[a-z0-9]{1,5}",
            1 => "[ -~]{0,6}",
            1 => r#"[\[\]{},:#&*!|>'"%@`?~. -]{1,3}"#,
            1 => "[éß日‘—🎉\u{85}\u{2028}\t\u{feff}\r]",
            1 => prop::sample::select(vec![
                "true", "True", "no", "null", "Null", "~", ".inf", "0x1f", "012", "1.10", "-1", "1_000", "1e3", "+5",
                ": ", " #", "- ", "---", "2024-01-31", "10:00:00", "http://x/", "=", "<<", "[a, b]", "{a: 1}", "'", "\"",
            ]).prop_map(str::to_owned),
        ]
    }

    fn header() -> impl Strategy<Value = String> {
        let name = prop_oneof![
            4 => prop::sample::select(vec!["title", "date", "tags", "draft", "x", "y-1"]).prop_map(str::to_owned),
            1 => piece(),
        ];
        let text = || prop::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
        let list = prop::collection::vec(piece(), 0..4).prop_map(|pieces| format!("[{}]", pieces.join(", ")));
        let block = prop::collection::vec((0_usize..4, piece()), 0..4).prop_map(|items| {
            items.into_iter().map(|(indent, item)| format!("\n{}- {item}", " ".repeat(indent / 2))).collect::<String>()
        });
        let quoted = text().prop_map(|text| format!("\"{text}\""));
        let field =
            (name, prop_oneof![text(), list, block, quoted]).prop_map(|(name, value)| format!("{name}: {value}\n"));
        prop::collection::vec(field, 0..4).prop_map(|fields| fields.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_it_reads_the_complete_parser_reads_alike(header in header()) {
            if let Some(fields) = read(&header) {
                let complete = read_completely(&header).map_err(|error| error.message);
                prop_assert_eq!(complete, Ok(fields));
            }
        }
    }
}
