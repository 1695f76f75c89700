//! What each word of the command runner does.

use crate::run::{Outcome, cargo, command, run, say};
use crate::tools;

/// A word of the command line.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    Check,
    Test,
    /// With the words that are for the benchmarks themselves.
    Bench(Vec<String>),
    Ci,
}

impl Task {
    /// How each is called.
    pub(crate) const NAMES: [&str; 4] = ["check", "test", "bench", "ci"];

    /// The task that the words of the command line name.
    pub(crate) fn named(words: &[String]) -> Option<Self> {
        let (name, rest) = words.split_first()?;
        match (name.as_str(), rest) {
            ("check", []) => Some(Self::Check),
            ("test", []) => Some(Self::Test),
            ("bench", rest) => Some(Self::Bench(rest.to_vec())),
            ("ci", []) => Some(Self::Ci),
            _ => None,
        }
    }

    /// Does it.
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Check => check(),
            Self::Test => test(),
            Self::Bench(words) => bench(&words),
            Self::Ci => check().and_then(|()| test()),
        }
    }
}

fn check() -> Outcome {
    tools::require_components()?;
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])?;
    let mut docs = command("cargo", &["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"]);
    run(docs.env("RUSTDOCFLAGS", "--deny warnings"))?;
    monitoring()?;
    dependencies()
}

/// Alert rules, their tests and runbooks, and the dashboards.
fn monitoring() -> Outcome {
    tools::get_ready_to_check()?;
    run(&mut command("scripts/check-prometheus.sh", &[]))?;
    run(&mut command("scripts/check-dashboards.py", &[]))
}

/// Building cargo-deny takes longer than all other checks together, so that whoever wants it installs it.
fn dependencies() -> Outcome {
    if tools::is_there("cargo-deny") {
        return cargo(&["deny", "--workspace", "check"]);
    }
    say("NOT CHECKED: licences, bans and advisories of the dependencies. `cargo install --locked cargo-deny` does it.");
    Ok(())
}

fn bench(words: &[String]) -> Outcome {
    let mut run = vec!["run", "--release", "--quiet", "--locked", "--package", "microblog-benches", "--"];
    run.extend(words.iter().map(String::as_str));
    cargo(&run)
}

fn test() -> Outcome {
    tools::get_ready()?;
    cargo(&["test", "--workspace", "--locked"])
}
