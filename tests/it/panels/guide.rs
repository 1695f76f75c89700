//! What `docs/runbooks/monitoring.md` says of each metric, compared with what services show.

use std::collections::BTreeMap;

const GUIDE: &str = include_str!("../../../docs/runbooks/monitoring.md");

/// Prometheus makes it.
const NOT_OURS: &str = "up";
/// The library that shows it calls it a gauge, though it only grows.
const CALLED_A_GAUGE: &str = "process_cpu_seconds_total";

/// What is wrong with the guide, given the types of all metrics by their names.
pub(crate) fn unlike(shown: &BTreeMap<String, String>) -> Vec<String> {
    let sections = sections();
    let unknown = sections.keys().filter(|name| **name != NOT_OURS && !shown.contains_key(**name));
    let gone = unknown.map(|name| format!("the guide has {name}, which no service shows"));
    let wrong = shown.iter().filter_map(|(name, kind)| {
        let complaint = match sections.get(name.as_str()) {
            None => Some("has no section"),
            Some(text) => complaint(text, if name == CALLED_A_GAUGE { "counter" } else { kind }),
        };
        complaint.map(|complaint| format!("in the guide, {name} {complaint}"))
    });
    gone.chain(wrong).collect()
}

/// What the section of a metric of this type lacks.
fn complaint(text: &str, kind: &str) -> Option<&'static str> {
    if !text.trim_start().to_lowercase().starts_with(kind) {
        return Some("is of another type");
    }
    let is_complete = text.contains("Normal:") && text.contains("```promql");
    (!is_complete).then_some("lacks what is normal, or a query")
}

/// The text below each heading that is a name.
fn sections() -> BTreeMap<&'static str, &'static str> {
    let parts =
        GUIDE.split("\n#").skip(1).filter_map(|part| part.trim_start_matches('#').trim_start().strip_prefix('`'));
    parts.filter_map(|part| part.split_once("`\n")).collect()
}
