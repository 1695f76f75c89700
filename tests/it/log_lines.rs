//! The log of every program under test, line by line: whoever reads logs by a program relies on the form of each line, and
//! no line may hold a secret. An installation has its own examined at its end.

use serde_json::Value;

/// The fields that every line has.
const FIELDS: [&str; 5] = ["timestamp", "level", "target", "message", "service"];
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
const SERVICES: [&str; 3] = ["api", "builder", "microblog"];

/// What is wrong with the lines of a log, given the secrets that the program was told. A program that was killed may have
/// left half of its last line.
pub(crate) fn complaints(log: &str, secrets: &[String]) -> Vec<String> {
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let lines = whole.lines().filter(|line| !is_for_people(line));
    lines.filter_map(|line| Some(format!("{}: {line}", complaint(line, secrets)?))).collect()
}

/// `microblog up` says where the site is.
fn is_for_people(line: &str) -> bool {
    line.is_empty() || line.starts_with("  ")
}

fn complaint(line: &str, secrets: &[String]) -> Option<String> {
    if let Some(secret) = secrets.iter().find(|secret| line.contains(*secret)) {
        return Some(format!("it has the secret {secret}"));
    }
    let record = match serde_json::from_str(line) {
        Ok(Value::Object(record)) => record,
        Ok(other) => return Some(format!("it is no object but {other}")),
        Err(error) => return Some(error.to_string()),
    };
    let text = |field: &str| record.get(field).and_then(Value::as_str).unwrap_or_default();
    if let Some(field) = FIELDS.iter().find(|field| text(field).is_empty()) {
        return Some(format!("it has no {field}"));
    }
    let is_time = text("timestamp").ends_with('Z') && text("timestamp").parse::<jiff::Timestamp>().is_ok();
    let known = is_time && LEVELS.contains(&text("level")) && SERVICES.contains(&text("service"));
    (!known).then(|| "its time, level or service is none".to_owned())
}

#[test]
fn lines_that_are_no_json_lack_a_field_or_tell_a_secret_are_found() {
    let good = r#"{"timestamp":"2026-11-21T02:46:19.38Z","level":"info","target":"a","message":"b","service":"api"}"#;
    let secrets = ["hunter2".to_owned()];
    let count = |log: String| complaints(&log, &secrets).len();
    assert_eq!(count(format!("{good}\n\n  Your site: here\n{good}\n{{\"half")), 0);
    for bad in [
        "thread 'main' panicked at".to_owned(),
        "[]".to_owned(),
        good.replace("\"b\"", "\"hunter2\""),
        good.replace("\"target\":\"a\",", ""),
        good.replace("info", "information"),
        good.replace("38Z", "38+01:00"),
        good.replace("\"api\"", "\"web\""),
    ] {
        assert_eq!(count(format!("{good}\n{bad}\n")), 1, "{bad}");
    }
}
