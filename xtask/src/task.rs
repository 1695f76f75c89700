//! What each word of the command runner does.

use crate::docker::Engine;
use crate::place::{Place, choose};
use crate::run::{Outcome, cargo, command, run, say};
use crate::tools::{self, Installer, Tool};

/// What the words of the command line ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    Check,
    /// With the words that are for `cargo test`.
    Test(Vec<String>),
    /// With the words that are for the benchmarks themselves.
    Bench(Vec<String>),
    Ci,
}

/// The word that asks for a container.
const DOCKER: &str = "--docker";

impl Task {
    /// How they are called.
    pub(crate) const USAGE: &str = "cargo xtask check|test|ci [--docker], cargo xtask test [--docker] [WORDS FOR CARGO TEST], \
                                    cargo xtask bench [WORDS]";

    /// The task that the words of the command line name.
    fn named(words: &[String]) -> Option<Self> {
        let (name, rest) = words.split_first()?;
        match (name.as_str(), rest) {
            ("check", []) => Some(Self::Check),
            ("test", rest) => Some(Self::Test(rest.to_vec())),
            ("bench", rest) => Some(Self::Bench(rest.to_vec())),
            ("ci", []) => Some(Self::Ci),
            _ => None,
        }
    }

    /// What it needs to be there.
    fn tools(&self) -> Vec<&'static Tool> {
        match self {
            Self::Check => tools::for_checks().collect(),
            Self::Test(_) | Self::Ci => tools::all().collect(),
            Self::Bench(_) => Vec::new(),
        }
    }

    /// Does it here, where everything is there.
    fn run(&self) -> Outcome {
        match self {
            Self::Check => check(),
            Self::Test(words) => test(words),
            Self::Bench(words) => bench(words),
            Self::Ci => check().and_then(|()| test(&[])),
        }
    }
}

/// A task, and whether it is to be done in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    task: Task,
    /// Those that name the task.
    words: Vec<String>,
    in_docker: bool,
}

impl Order {
    /// What the words of the command line ask for, if they are understood.
    pub(crate) fn read(words: &[String]) -> Option<Self> {
        let in_docker = words.get(1).is_some_and(|word| word == DOCKER);
        let words: Vec<String> =
            words.iter().take(1).chain(words.iter().skip(1 + usize::from(in_docker))).cloned().collect();
        let task = Task::named(&words)?;
        let is_possible = !(in_docker && matches!(task, Task::Bench(_)));
        is_possible.then_some(Self { task, words, in_docker })
    }

    /// Does it, where it can be done.
    pub(crate) fn follow(&self) -> Outcome {
        let missing = tools::missing(self.task.tools().into_iter());
        if !self.in_docker {
            tools::name(&missing);
        }
        match choose(self.in_docker, missing.is_empty(), Installer::find, Engine::find) {
            Ok(Place::Here) => self.task.run(),
            Ok(Place::HereAfterInstalling(installer)) => {
                installer.install(&missing).map_err(|error| format!("{error}; `{DOCKER}` would do without"))?;
                self.task.run()
            }
            Ok(Place::Container(engine, why)) => {
                say(&format!("runs in a Docker container, since {why}"));
                say(&format!("to run on this machine itself: {}", by_hand(&missing)));
                engine.run(&self.words)
            }
            Err(why) => Err(format!("{why}\neither start Docker, or {}", by_hand(&missing))),
        }
    }
}

/// What a person can do about it.
fn by_hand(missing: &[&'static Tool]) -> String {
    if missing.is_empty() {
        return format!("leave out {DOCKER}");
    }
    let packages = tools::packages(missing.iter().copied()).join(" ");
    format!("install what is missing (on Debian: sudo apt-get install {packages})")
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

/// All tests, or those that the words pick.
fn test(words: &[String]) -> Outcome {
    tools::fetch_web_tools()?;
    let mut all = vec!["test", "--locked"];
    all.extend(if words.is_empty() { vec!["--workspace"] } else { words.iter().map(String::as_str).collect() });
    cargo(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Order> {
        Order::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_container_does_the_same_task_without_asking_for_a_container() {
        let order = read("test --docker -p microblog-queue").unwrap();
        assert!(order.in_docker);
        assert_eq!(order.words, ["test", "-p", "microblog-queue"]);
        assert_eq!(order.task, Task::Test(vec!["-p".to_owned(), "microblog-queue".to_owned()]));
    }

    #[test]
    fn words_that_are_not_understood_are_no_order() {
        for line in ["", "--docker", "tests", "check it", "ci -p microblog-queue", "bench --docker"] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
