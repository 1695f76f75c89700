//! Saying things to people and scripts: answers on standard output, everything else on standard error.

use std::fmt::{self, Display};
use std::io::Write as _;
use std::process::ExitCode;

use microblog_config::ConfigError;
use serde::Serialize;

/// A failure that standard error was told of in a form that programs read, where nothing else may stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Logged;

impl Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as the log says")
    }
}

/// Says why the program failed, with the causes behind it, and gives its exit status. Wrong settings are misuse.
#[must_use]
pub fn failure(error: &anyhow::Error) -> ExitCode {
    if !error.is::<Logged>() {
        say(format_args!("error: {error:#}"));
    }
    if error.is::<ConfigError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}

/// Says a line to people. That nobody listens is no reason to fail.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a line of what was asked for.
pub fn print(line: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Gives a script its answer. A script that stopped reading is told nothing more.
///
/// # Errors
/// When the value has no form in JSON.
pub fn answer(value: &impl Serialize) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let text = serde_json::to_string_pretty(value)?;
    let _ = writeln!(output, "{text}");
    Ok(())
}
