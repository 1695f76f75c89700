//! Running a command where everybody sees it, and stopping at the first that fails.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What went wrong, for a person.
pub(crate) type Outcome = Result<(), String>;

/// The workspace, wherever the command was called.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Says a line.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs `cargo` with these words.
pub(crate) fn cargo(words: &[&str]) -> Outcome {
    run(&mut command("cargo", words))
}

/// A command in the root of the workspace. It can ask nothing: nobody may be there to answer.
pub(crate) fn command(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs a command to its end; its own output says what was wrong.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = line(command);
    say(&format!("$ {line}"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed ({status})")),
        Err(error) => Err(format!("`{line}` could not be started: {error}")),
    }
}

/// A command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
