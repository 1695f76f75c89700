//! What each word of the command runner does.

use crate::run::{Outcome, cargo, command, run, say};
use crate::tools;

/// A word of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    Check,
    Test,
    Bench,
    Ci,
}

impl Task {
    /// How each is called.
    pub(crate) const NAMES: [&str; 4] = ["check", "test", "bench", "ci"];

    /// The task that the words of the command line name.
    pub(crate) fn named(words: &[String]) -> Option<Self> {
        match words {
            [word] => [Self::Check, Self::Test, Self::Bench, Self::Ci]
                .into_iter()
                .zip(Self::NAMES)
                .find_map(|(task, name)| (word == name).then_some(task)),
            _ => None,
        }
    }

    /// Does it.
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Check => check(),
            Self::Test => test(),
            Self::Bench => cargo(&["run", "--release", "--package", "microblog-benches"]),
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
    dependencies()
}

/// Building cargo-deny takes longer than all other checks together, so that whoever wants it installs it.
fn dependencies() -> Outcome {
    if tools::is_there("cargo-deny") {
        return cargo(&["deny", "--workspace", "check"]);
    }
    say("NOT CHECKED: licences, bans and advisories of the dependencies. `cargo install --locked cargo-deny` does it.");
    Ok(())
}

fn test() -> Outcome {
    tools::get_ready()?;
    cargo(&["test", "--workspace", "--locked"])
}
