//! Text that looks like a secret, wherever it stands.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{REDACTED, is_secret};

/// The shapes of secrets: the password of an address, what follows `Bearer` and `Basic`, API tokens of Microblog, JSON
/// web tokens, private keys in PEM; and the name of a value, before `=` or as JSON and Rust write it, where the name
/// judges. The value is no part of that shape: it may hold a secret although its name tells of none, and is looked
/// through like everything else then. No repetition has a limit: each would be written out in memory as often.
const SHAPES: &str = r#"(?x)
    (?<before> \b [A-Za-z][A-Za-z0-9+.\-]* :// [^\s/@:"]* : ) [^\s/"]+ (?<after> @ )
  | (?<scheme> \b (?:[Bb]earer|BEARER|[Bb]asic|BASIC) \s+ ) (?<credentials> [A-Za-z0-9._~+/=\-]{6,} )
  | \b mb_[A-Za-z0-9_\-]{20,}
  | \b eyJ[A-Za-z0-9_\-]{6,} \. [A-Za-z0-9_\-]{6,} \. [A-Za-z0-9_\-]*
  | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY----- [A-Za-z0-9+/=\\\s]*
  | (?<name> [A-Za-z][A-Za-z0-9_.\-]* ) (?<sign> \\?"\s*:\s*\\?"? | :\s*\\?" | =\\?"? )
"#;

/// Where the value of a secret name ends. What stands behind a scheme belongs to it.
const VALUE: &str = r#"(?x) ^ (?: (?:[Bb]earer|BEARER|[Bb]asic|BASIC) \s+ )? [^\s"\\&,;)\]}]+ "#;

/// Without patterns, which a test would notice, no text is shown at all.
static PATTERNS: LazyLock<Option<(Regex, Regex)>> =
    LazyLock::new(|| Some((Regex::new(SHAPES).ok()?, Regex::new(VALUE).ok()?)));

/// The text with everything hidden that looks like a secret; what stands around it stays.
#[must_use]
pub fn hide_secrets(text: &str) -> Cow<'_, str> {
    if !may_hold_secret(text) {
        return Cow::Borrowed(text);
    }
    let Some((shapes, value)) = &*PATTERNS else { return Cow::Borrowed(REDACTED) };
    let (mut shown, mut seen) = (String::new(), 0);
    while let Some(found) = shapes.captures_at(text, seen) {
        shown.push_str(&text[seen..found.get_match().start()]);
        let (harmless, end) = harmless(&found, text, value);
        shown.push_str(&harmless);
        seen = end;
    }
    if seen == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[seen..]);
    Cow::Owned(shown)
}

/// Whether anything stands there that every shape has a part of. Most texts of most lines have not, and looking for these
/// parts takes a tenth of the time.
fn may_hold_secret(text: &str) -> bool {
    const PARTS: [&str; 7] = ["mb_", "eyJ", "-----", "earer", "EARER", "asic", "ASIC"];
    memchr::memchr3(b'=', b':', b'"', text.as_bytes()).is_some() || PARTS.iter().any(|part| text.contains(part))
}

/// What is written in the place of a match, and up to where: what it tells nothing of is looked through after it.
fn harmless(found: &Captures<'_>, text: &str, value: &Regex) -> (String, usize) {
    let (whole, end) = (found.get_match().as_str(), found.get_match().end());
    let part = |name| found.name(name).map(|part| part.as_str());
    if let (Some(before), Some(after)) = (part("before"), part("after")) {
        return (format!("{before}{REDACTED}{after}"), end);
    }
    if let (Some(scheme), Some(credentials)) = (part("scheme"), part("credentials")) {
        let is_prose = is_word(credentials);
        return if is_prose {
            (scheme.to_owned(), end - credentials.len())
        } else {
            (format!("{scheme}{REDACTED}"), end)
        };
    }
    match part("name").map(|name| value.find(&text[end..]).filter(|_| is_secret(name))) {
        Some(Some(value)) => (format!("{whole}{REDACTED}"), end + value.end()),
        Some(None) => (whole.to_owned(), end),
        None => (REDACTED.to_owned(), end),
    }
}

/// As in "basic authentication": credentials have digits, signs or capitals within.
fn is_word(text: &str) -> bool {
    text.trim_end_matches(['.', '-']).bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_hidden_and_what_stands_around_it_is_not() {
        let token = "mb_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4";
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
        for (text, shown) in [
            ("amqp://blog:hunter2@mq:5672/v refused".to_owned(), "amqp://blog:[redacted]@mq:5672/v refused"),
            ("postgres://:hunter2@db".to_owned(), "postgres://:[redacted]@db"),
            ("sent Authorization: Bearer s3cr3t-value".to_owned(), "sent Authorization: Bearer [redacted]"),
            ("basic YWRhOmh1bnRlcjI=".to_owned(), "basic [redacted]"),
            (format!("the token {token} ended"), "the token [redacted] ended"),
            (format!("id_token is {jwt}!"), "id_token is [redacted]!"),
            ("GET /setup?token=abc&page=2".to_owned(), "GET /setup?token=[redacted]&page=2"),
            (
                r#"body {"password": "hunter2", "name": "ada"}"#.to_owned(),
                r#"body {"password": "[redacted]", "name": "ada"}"#,
            ),
            (r#"Debug("{\"api_key\":\"hunter2\"}")"#.to_owned(), r#"Debug("{\"api_key\":\"[redacted]\"}")"#),
            (
                "connecting url=amqp://blog:hunter2@mq failed".to_owned(),
                "connecting url=amqp://blog:[redacted]@mq failed",
            ),
            (r#"{"url":"amqp://blog:p@ss@mq","x":1}"#.to_owned(), r#"{"url":"amqp://blog:[redacted]@mq","x":1}"#),
            (r#"{"Authorization": "Bearer s3cr3t"}"#.to_owned(), r#"{"Authorization": "[redacted]"}"#),
            (r#"header="Bearer s3cr3t-value" sent"#.to_owned(), r#"header="Bearer [redacted]" sent"#),
            ("basic settings=3 api_key=abc".to_owned(), "basic [redacted] api_key=[redacted]"),
            ("a bearer amqp://blog:hunter2@mq".to_owned(), "a bearer amqp://blog:[redacted]@mq"),
            (r#"LogIn { password: "hunter2" }"#.to_owned(), r#"LogIn { password: "[redacted]" }"#),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----".to_owned(),
                "[redacted]-----END RSA PRIVATE KEY-----",
            ),
        ] {
            assert_eq!(hide_secrets(&text), shown);
        }
    }

    #[test]
    fn ordinary_text_is_left_as_it_is() {
        for text in [
            "the basic authentication of a bearer of news",
            "http://127.0.0.1:8000/a/b listens, see https://example.org/@ada",
            "author=ada took=3 key=value, mail ada@example.org at 12:30",
            "tokens were made: 3",
            "",
        ] {
            assert!(matches!(hide_secrets(text), Cow::Borrowed(shown) if shown == text) || hide_secrets(text) == text);
        }
    }
}
