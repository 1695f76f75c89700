//! The project's files, with what has to be different on a test machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How fast time passes for the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As in production.
    Real,
    /// Every duration is divided by this. By 60, a minute of the rules takes a second.
    Divided(u32),
}

impl Pace {
    /// What a duration of the rules is divided by.
    #[must_use]
    pub fn factor(self) -> u32 {
        match self {
            Self::Real => 1,
            Self::Divided(factor) => factor,
        }
    }
}

/// Something that stands in the files, and what stands there on this machine.
pub(super) type Replacement<'a> = (&'a str, String);

/// Copies the files of `prometheus/` into this folder.
pub(super) fn copy(to: &Path, pace: Pace) {
    let from = project();
    let mut copy = match pace {
        Pace::Real => Command::new("cp"),
        Pace::Divided(_) => Command::new(from.join("scripts/shorten-prometheus.sh")),
    };
    match pace {
        Pace::Real => copy.arg("-r").arg(from.join("prometheus/.")).arg(to),
        Pace::Divided(factor) => copy.arg(to).arg(factor.to_string()),
    };
    let output = copy.output().expect("a program to run");
    assert!(output.status.success(), "{copy:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Puts what is right on this machine in its place, wherever it stands in the file. It has to stand there.
pub(super) fn replace(file: &Path, replacements: &[Replacement<'_>]) {
    let mut text = fs::read_to_string(file).expect("a file that was just made");
    for (old, new) in replacements {
        assert!(text.contains(old), "{} does not have {old}, which tests replace", file.display());
        text = text.replace(old, new);
    }
    fs::write(file, text).expect("a file of ours");
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 4] = ["prometheus.yml", "alertmanager.yml", "rules/recording.yml", "rules/alerts.yml"];
    const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    /// What is never made shorter: waits, intervals of rules and scrapes, windows.
    const LEAST: [u64; 4] = [1, 1_000, 2_000, 7_000];
    /// How much longer `for` is.
    const SCRAPE: u64 = 2_000;

    fn milliseconds(word: &str) -> Option<u64> {
        let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let number: u64 = word[..word.len() - unit.len()].parse().ok()?;
        UNITS.iter().find(|(name, _)| *name == unit).map(|(_, length)| number * length)
    }

    /// The durations of a line, and what is left of it without them.
    fn durations(line: &str) -> (Vec<u64>, String) {
        let words = line.split_inclusive(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let (mut durations, mut rest) = (Vec::new(), String::new());
        for word in words {
            let name = word.trim_end_matches(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            match milliseconds(name) {
                Some(duration) => durations.push(duration),
                None => rest.push_str(name),
            }
            rest.push_str(&word[name.len()..]);
        }
        (durations, rest)
    }

    fn is_shortened(long: u64, short: u64, factor: u64) -> bool {
        [long / factor, long / factor + SCRAPE].contains(&short)
            || (LEAST.contains(&short) && long / factor < short)
            || (long, short) == (0, 0)
    }

    #[test]
    fn shortening_divides_durations_and_changes_nothing_else() {
        for factor in [10, 60] {
            let folder = tempfile::tempdir().unwrap();
            copy(folder.path(), Pace::Divided(factor));
            for file in FILES {
                let real = fs::read_to_string(project().join("prometheus").join(file)).unwrap();
                let shortened = fs::read_to_string(folder.path().join(file)).unwrap();
                assert_eq!(real.lines().count(), shortened.lines().count(), "{file}");
                for (real, shortened) in real.lines().zip(shortened.lines()) {
                    // How far one predicts is a number of seconds.
                    let predicted = shortened.replace(&format!("3600 / {factor})"), "3600)");
                    let ((long, rest), (short, rest_of_short)) = (durations(real), durations(&predicted));
                    assert_eq!(rest, rest_of_short, "{file}");
                    let are_shortened = long.len() == short.len()
                        && long.iter().zip(&short).all(|(long, short)| is_shortened(*long, *short, factor.into()));
                    assert!(real == shortened || are_shortened, "{file}: {real} became {shortened}");
                    let is_text = ["#", "summary:", "description:", "runbook_url:"];
                    let is_text = is_text.iter().any(|start| real.trim_start().starts_with(start));
                    assert!(!is_text || real == shortened, "{file}: {real} became {shortened}");
                }
            }
        }
    }

    #[test]
    fn all_that_the_rules_wait_for_is_shortened() {
        let folder = tempfile::tempdir().unwrap();
        copy(folder.path(), Pace::Divided(60));
        for file in FILES {
            let text = fs::read_to_string(folder.path().join(file)).unwrap();
            let left = text.lines().filter(|line| {
                let line = line.trim_start();
                let starts = ["#", "summary:", "description:", "- record:"];
                !starts.iter().any(|start| line.starts_with(start))
            });
            let left: Vec<_> = left.filter(|line| durations(line).0.iter().any(|length| *length > 5_184_000)).collect();
            assert!(left.is_empty(), "{file}: {left:?}");
        }
    }
}
