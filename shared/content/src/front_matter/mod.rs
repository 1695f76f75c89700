//! Front matter: finding it at the head of a file, and reading it as fields whatever language it is written in.
//!
//! Owns the three languages (YAML, TOML, JSON) and their limits; what the fields mean is [`crate::post`]'s business.
//! All three end as one map of JSON values, so that meaning is written once.

mod json;
mod simple_yaml;
mod toml;
mod yaml;

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

pub(crate) use self::yaml::read_as as read_yaml_as;
use crate::problem::{Fault, Reason};

/// The longest front matter, in bytes: a thousand times a long one, and little work for the parsers.
pub const MAX_FRONT_MATTER_BYTES: usize = 256 * 1024;

/// How deep lists and maps may be nested, in every language.
const MAX_DEPTH: usize = 64;

/// The language of a front matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Between two lines `---`.
    Yaml,
    /// Between two lines `+++`.
    Toml,
    /// A JSON object.
    Json,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Json => "JSON",
        })
    }
}

/// The fields of a file, and where its text begins.
#[derive(Debug)]
pub(crate) struct FrontMatter<'a> {
    /// The fields, by name. Dates are strings.
    pub(crate) fields: Map<String, Value>,
    /// The front matter as written, for finding the line of a field.
    header: &'a str,
    /// The line on which `header` begins.
    first_line: usize,
    /// Where the text of the post begins in the file.
    pub(crate) body_start: usize,
    /// Whether the file's lines end in CR LF.
    pub(crate) has_crlf: bool,
}

impl<'a> FrontMatter<'a> {
    /// Reads the front matter of a file; a file without any has no fields.
    pub(crate) fn read(text: &'a str) -> Result<Self, Fault> {
        let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let opening = text[start..].lines().next().unwrap_or_default();
        match opening.trim_end() {
            "---" => Self::fenced(text, start, &["---", "..."], Format::Yaml),
            "+++" => Self::fenced(text, start, &["+++"], Format::Toml),
            line if json::is_opening(line) => Self::json(text, start),
            _ => Ok(Self { fields: Map::new(), header: "", first_line: 1, body_start: start, has_crlf: false }),
        }
    }

    fn fenced(text: &'a str, start: usize, closes: &'static [&'static str], format: Format) -> Result<Self, Fault> {
        let mut lines = text[start..].split_inclusive('\n');
        let opening = lines.next().unwrap_or_default();
        let header_start = start + opening.len();
        let mut header_end = header_start;
        for line in lines {
            if closes.contains(&line.trim_end()) {
                let header = &text[header_start..header_end];
                check_length(header)?;
                let fields = match format {
                    Format::Toml => toml::read(header),
                    Format::Yaml | Format::Json => yaml::read(header),
                };
                return Ok(Self {
                    fields: fields.map_err(|error| error.into_fault(format, 2))?,
                    header,
                    first_line: 2,
                    body_start: skip_blank_line(text, header_end + line.len()),
                    has_crlf: opening.ends_with("\r\n"),
                });
            }
            header_end += line.len();
        }
        Err(Fault { line: Some(1), reason: Reason::Unclosed { close: closes[0] } })
    }

    fn json(text: &'a str, start: usize) -> Result<Self, Fault> {
        let (fields, length) = json::read(&text[start..]).map_err(|error| error.into_fault(Format::Json, 1))?;
        let header = &text[start..start + length];
        check_length(header)?;
        let rest = &text[start + length..];
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        if !rest[..line_end].trim().is_empty() {
            let message = "there is text behind the closing brace; begin the post on a line of its own".to_owned();
            return Err(SyntaxError { line: Some(header.lines().count()), message }.into_fault(Format::Json, 1));
        }
        Ok(Self {
            fields,
            header,
            first_line: 1,
            body_start: skip_blank_line(text, start + length + line_end),
            has_crlf: rest[..line_end].ends_with("\r\n"),
        })
    }

    /// The line on which a field stands, if it can be told.
    pub(crate) fn line_of(&self, field: &str) -> Option<usize> {
        let is_field = |line: &str| {
            let name = line.trim_start().trim_start_matches(['"', '\'']);
            name.strip_prefix(field)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with([':', '=']))
        };
        self.header.lines().position(is_field).map(|index| index + self.first_line)
    }
}

/// Reads a whole file, such as the settings of another program, in the language that its name tells.
pub(crate) fn read_document(name: &Path, text: &str) -> Result<Map<String, Value>, SyntaxError> {
    match name.extension().and_then(|ending| ending.to_str()) {
        Some("toml") => toml::read(text),
        Some("json") => json::read(text).map(|(fields, _)| fields),
        _ => yaml::read_completely(text),
    }
}

fn check_length(header: &str) -> Result<(), Fault> {
    if header.len() <= MAX_FRONT_MATTER_BYTES {
        return Ok(());
    }
    Err(Reason::FrontMatterTooLong { bytes: header.len() }.into())
}

/// One blank line between front matter and text is custom, and no part of the text.
fn skip_blank_line(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let blank = ["\n", "\r\n"].into_iter().find(|blank| rest.starts_with(blank));
    at + blank.map_or(0, str::len)
}

/// What a parser says, and on which line of the front matter, from 1.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) line: Option<usize>,
    pub(crate) message: String,
}

impl SyntaxError {
    fn into_fault(self, format: Format, first_line: usize) -> Fault {
        let line = self.line.map(|line| line + first_line - 1);
        Fault { line, reason: Reason::Syntax { format, message: self.message } }
    }
}

fn too_deep() -> SyntaxError {
    SyntaxError { line: None, message: format!("lists and maps are nested more than {MAX_DEPTH} deep") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields_and_body(text: &str) -> (Value, &str) {
        let read = FrontMatter::read(text).unwrap();
        (Value::Object(read.fields), &text[read.body_start..])
    }

    fn fault(text: &str) -> (Option<usize>, String) {
        let fault = FrontMatter::read(text).unwrap_err();
        (fault.line, fault.reason.to_string())
    }

    #[test]
    fn the_three_languages_say_the_same() {
        let expected = json!({"title": "Hi: there", "tags": ["a", "b"], "weight": 3});
        for text in [
            "---\ntitle: 'Hi: there'\ntags:\n  - a\n  - b\nweight: 3\n---\nText\n",
            "+++\ntitle = \"Hi: there\"\ntags = [\"a\", \"b\"]\nweight = 3\n+++\nText\n",
            "{\n  \"title\": \"Hi: there\",\n  \"tags\": [\"a\", \"b\"],\n  \"weight\": 3\n}\nText\n",
            "{\"title\": \"Hi: there\", \"tags\": [\"a\", \"b\"], \"weight\": 3}\n\nText\n",
            "\u{feff}---\r\ntitle: \"Hi: there\"\r\ntags: [a, b]\r\nweight: 3\r\n---  \r\n\r\nText\n",
            "---\ntitle: 'Hi: there'\ntags: [a, b]\nweight: 3\n...\nText\n",
        ] {
            assert_eq!(fields_and_body(text), (expected.clone(), "Text\n"), "{text}");
        }
    }

    #[test]
    fn a_file_without_front_matter_is_all_text() {
        for text in ["Just text", "", "- - -\ntext", "{{< shortcode >}}\n", "{% include x %}", "----\n", "--- text ---"]
        {
            assert_eq!(fields_and_body(text), (json!({}), text), "{text}");
        }
        assert_eq!(fields_and_body("---\n---\nText"), (json!({}), "Text"));
        assert_eq!(fields_and_body("---\n# only a comment\n---"), (json!({}), ""));
    }

    #[test]
    fn dates_of_toml_become_text() {
        let text = "+++\ndate = 2024-01-31\nat = [2024-01-31T10:00:00Z]\n[extra]\nlocal = 2024-01-31T10:00:00\n+++\n";
        let expected = json!({
            "date": "2024-01-31", "at": ["2024-01-31T10:00:00Z"], "extra": {"local": "2024-01-31T10:00:00"}
        });
        assert_eq!(fields_and_body(text).0, expected);
    }

    #[test]
    fn errors_name_the_line_of_the_file() {
        for (text, line, reason) in [
            ("---\ntitle: x\n", 1, "the front matter has no end: put a line with \"---\" behind its last field"),
            ("+++\ntitle = 1\n---\n", 1, "the front matter has no end: put a line with \"+++\" behind its last field"),
            ("---\ntitle: x\ntags: [a\ndate: 1\n---\n", 4, "the front matter is not valid YAML: "),
            (
                "---\ntitle: x\ntitle: y\n---\n",
                3,
                "the front matter is not valid YAML: the key \"title\" stands here twice",
            ),
            (
                "---\njust text\n---\n",
                2,
                "the front matter is not valid YAML: invalid type: string \"just text\", expected fields such as `title: My post`",
            ),
            ("+++\ntitle = x\n+++\n", 2, "the front matter is not valid TOML: "),
            ("{\n\"title\": x}\n", 2, "the front matter is not valid JSON: "),
            ("{\"title\": \"x\"", 1, "the front matter is not valid JSON: "),
            ("{\n\"title\": \"x\"\n} text", 3, "the front matter is not valid JSON: there is text behind"),
        ] {
            let (found_line, found) = fault(text);
            assert_eq!(found_line, Some(line), "{text}: {found}");
            assert!(found.starts_with(reason), "{text}: {found}");
            assert!(!found.contains('\n'), "{found}");
        }
    }

    #[test]
    fn hostile_front_matter_is_refused_quickly() {
        let nested = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
        let mut bomb = String::from("---\na0: &a0 [x, x]\n");
        for level in 1..30 {
            bomb += &format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}, *a{0}]\n", level - 1);
        }
        bomb += "---\n";
        for text in [
            format!("---\na: {}\n---\n", nested("[", "]")),
            format!("---\na: {}\n---\n", nested("{a: ", "}")),
            format!("---\n{}x\n---\n", "- ".repeat(10_000)),
            format!("+++\na = {}\n+++\n", nested("[", "]")),
            format!("+++\n{}b = 1\n+++\n", "a.".repeat(10_000)),
            format!("{{\"a\": {}}}\n", nested("[", "]")),
            format!("---\ntitle: {}\n---\n", "x".repeat(MAX_FRONT_MATTER_BYTES)),
            bomb,
        ] {
            assert!(FrontMatter::read(&text).is_err(), "{}", &text[..40]);
        }
    }

    #[test]
    fn the_line_of_a_field_is_found_in_each_language() {
        for text in ["---\na: 1\n\"date\" : x\n---\n", "+++\na = 1\ndate = \"x\"\n+++\n", "\n"] {
            let expected = if text == "\n" { None } else { Some(3) };
            assert_eq!(FrontMatter::read(text).unwrap().line_of("date"), expected, "{text}");
        }
    }
}
