//! Saying things: to people on standard error, to scripts on standard output.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

/// Says why the program failed, with the causes behind it.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    say(format_args!("error: {error:#}"));
    ExitCode::FAILURE
}

/// Says a line to people. That nobody listens is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Gives a script its answer. A script that stopped reading is told nothing more.
pub(crate) fn answer(value: &impl Serialize) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let text = serde_json::to_string_pretty(value)?;
    let _ = writeln!(output, "{text}");
    Ok(())
}
