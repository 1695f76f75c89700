//! The guides lead where they say: every link to a file or a heading of the repository, and every test that a runbook names.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn guides() -> Vec<PathBuf> {
    let tops = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| Path::new(ROOT).join(name));
    let docs = WalkDir::new(Path::new(ROOT).join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
    tops.into_iter().chain(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"))).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut dead = Vec::new();
    for guide in guides() {
        // What is code is no link.
        let text: String = fs::read_to_string(&guide).unwrap().split('`').step_by(2).collect();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { guide.clone() } else { guide.with_file_name(path) };
            let leads = file.exists() && anchor.is_none_or(|anchor| anchors(&file).iter().any(|one| one == anchor));
            if !leads {
                dead.push(format!("{}: {target}", guide.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// The headings of a guide, as they stand in addresses.
fn anchors(guide: &Path) -> Vec<String> {
    let text = fs::read_to_string(guide).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_trouble_was_seen_by_a_test_that_exists_or_by_hand() {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/runbooks/troubleshooting.md")).unwrap();
    let troubles: Vec<&str> = text.split("\n### ").skip(1).collect();
    assert!(troubles.len() >= 10, "{}", troubles.len());
    for trouble in troubles {
        let proof = trouble.lines().find(|line| line.starts_with("- **Test.**") || line.starts_with("- **By hand.**"));
        let proof = proof.unwrap_or_else(|| panic!("who has seen this? {trouble}"));
        let mut file = String::new();
        for name in proof.split("By hand").next().unwrap_or_default().split('`').skip(1).step_by(2) {
            if Path::new(name).extension().is_some() {
                file = fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            } else {
                assert!(file.contains(&format!("fn {name}(")), "there is no test {name}: {proof}");
            }
        }
    }
}
