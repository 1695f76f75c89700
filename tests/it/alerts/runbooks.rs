//! Where the links of alerts lead to.

use std::fs;
use std::path::Path;

use microblog_testkit::Alert;

/// What every link begins with, and the folder that it stands for.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../");

/// The link leads to a heading of a file in this repository, and the section says what it should.
pub(crate) fn assert_it_resolves(alert: &Alert) {
    let url = &alert.annotations["runbook_url"];
    let (address, anchor) = url.split_once('#').unwrap_or_else(|| panic!("{url} leads to no section"));
    let (_, file) = address.split_once("/blob/main/").unwrap_or_else(|| panic!("{url} is no address of a file"));
    let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|error| panic!("{url}: {error}"));
    let section = text.split("\n## ").find(|section| heading_of(section) == anchor);
    let section = section.unwrap_or_else(|| panic!("{file} has no heading for #{anchor}"));
    for part in ["Meaning", "Impact", "iagnosis", "itigation"] {
        assert!(section.contains(part), "{url} does not speak of {part}");
    }
}

/// As it stands in an address.
fn heading_of(section: &str) -> String {
    let heading = section.lines().next().unwrap_or_default().to_lowercase();
    heading.chars().filter_map(|c| if c == ' ' { Some('-') } else { c.is_alphanumeric().then_some(c) }).collect()
}
