//! What is asked of Prometheus, and where.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use microblog_testkit::TestPrometheus;

use crate::program::run;

const RUNBOOK: &str = include_str!("../../../docs/runbooks/alerts.md");

/// Words before labels in brackets.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// A query, and where it stands.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) place: String,
    pub(crate) expression: String,
}

/// Every panel, variable and annotation, as Grafana asks for all installations; and every example of the guide.
pub(crate) fn of_dashboards_and_guide() -> Vec<Asked> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/check-dashboards.py");
    let list: Vec<(String, String)> = serde_json::from_str(&run(Command::new(script).arg("--queries"))).unwrap();
    assert!(list.len() > 100, "{list:?}");
    list.into_iter().map(|(place, expression)| Asked { place, expression }).collect()
}

/// Every rule that Prometheus evaluates.
pub(crate) fn of_rules(prometheus: &TestPrometheus) -> Vec<Asked> {
    let answer = prometheus.get("/api/v1/rules");
    let groups = answer["data"]["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rules
        .map(|rule| Asked { place: format!("rule {}", text(&rule["name"])), expression: text(&rule["query"]) })
        .collect()
}

/// What the runbook of the alerts names in passing, with or without a query around it.
pub(crate) fn of_runbook() -> Vec<Asked> {
    let codes = RUNBOOK.split('`').skip(1).step_by(2).filter(|code| code.contains("microblog_"));
    let asked = codes.map(|code| Asked { place: "alerts.md".to_owned(), expression: code.to_owned() });
    asked.filter(|asked| metrics_in(&asked.expression).iter().all(|name| name.contains("microblog_"))).collect()
}

/// The names of the metrics in an expression.
pub(crate) fn metrics_in(expression: &str) -> BTreeSet<String> {
    let pairs = [('"', '"'), ('{', '}'), ('[', ']')].into_iter();
    let bare = pairs.fold(expression.to_owned(), |text, pair| without(&text, pair));
    let (mut names, mut rest) = (BTreeSet::new(), bare.as_str());
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
        let is_outside = |letter: char| !(letter.is_ascii_alphanumeric() || "_:".contains(letter));
        let (word, after) = rest[start..].split_at(rest[start..].find(is_outside).unwrap_or(rest.len() - start));
        rest = after;
        match (GROUPINGS.contains(&word), after.trim_start().starts_with('(')) {
            (true, true) => rest = after.split_once(')').map_or("", |(_, rest)| rest),
            (_, true) => {}
            (_, false) if is_name(word) => _ = names.insert(word.to_owned()),
            (_, false) => {}
        }
    }
    names
}

/// All names of metrics are of several words, but for these. Words of the language are not.
fn is_name(word: &str) -> bool {
    let is_compound = word.contains(['_', ':']) && !GROUPINGS.contains(&word);
    is_compound || ["up", "ALERTS"].contains(&word)
}

/// Leaves out what stands between the two, and them.
fn without(text: &str, (open, close): (char, char)) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(open) {
        kept.push_str(before);
        rest = inside.split_once(close).map_or("", |(_, after)| after);
    }
    kept + rest
}

#[test]
fn names_of_metrics_are_told_from_functions_labels_and_values() {
    let expression = "max by (dependency_name, job) (rate(a_total{b_c=\"d_e[\",f=~\"g|h_i\"}[5m])) > 1.5e9\n\
                      unless on (namespace) group_left (k_l) n:m_n:rate5m offset 2m or vector(0) and ALERTS == bool up";
    let names = ["ALERTS", "a_total", "n:m_n:rate5m", "up"].map(str::to_owned);
    assert_eq!(metrics_in(expression), BTreeSet::from(names));
}
