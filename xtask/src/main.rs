//! The project's command runner: what a person types and what CI runs are the same few words.
//!
//! ```text
//! cargo xtask check    formatting, lints, docs, alerts and dashboards, licences and advisories
//! cargo xtask test     every test, or those that the words after it pick, which are cargo's: `-p microblog-queue`
//! cargo xtask bench    the benchmarks, which print their numbers; `--help` tells what they take
//! cargo xtask ci       check, then test
//! ```
//!
//! What check, test and ci need besides Rust is installed on Debian; where that is impossible, or after `--docker`, they run
//! in a container.
//!
//! [`task`] says what each word does, [`tools`] what must be there for it, [`place`] where it is done, [`docker`] how in a
//! container.

mod docker;
mod place;
mod run;
mod task;
mod tools;

use std::process::ExitCode;

use run::say;
use task::{Order, Task};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(order) = Order::read(&words) else {
        say(&format!("usage: {}", Task::USAGE));
        return ExitCode::from(2);
    };
    match order.follow() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}
