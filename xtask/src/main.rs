//! The project's command runner: what a person types and what CI runs are the same few words.
//!
//! ```text
//! cargo xtask check    formatting, lints, docs, alerts and dashboards, licences and advisories
//! cargo xtask test     every test; first gets ready what they need besides Rust
//! cargo xtask bench    the benchmarks, which print their numbers; `--help` tells what they take
//! cargo xtask ci       check, then test
//! ```
//!
//! [`task`] says what each word does, [`tools`] what must be there for it.

mod run;
mod task;
mod tools;

use std::process::ExitCode;

use run::say;
use task::Task;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = Task::named(&words) else {
        say(&format!("usage: cargo xtask {}", Task::NAMES.join("|")));
        return ExitCode::from(2);
    };
    match task.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}
