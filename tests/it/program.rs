//! The programs under test: built once, all at once, by the cargo that runs the tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const NAMES: [&str; 3] = ["microblog", "microblog-api", "microblog-builder"];

static PROGRAMS: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(build);

/// The program `microblog`, ready for arguments.
pub(crate) fn microblog() -> Command {
    ready("microblog")
}

/// The program `microblog-api`, ready for arguments.
pub(crate) fn microblog_api() -> Command {
    ready("microblog-api")
}

/// The program `microblog-builder`, ready for arguments.
pub(crate) fn microblog_builder() -> Command {
    ready("microblog-builder")
}

fn ready(name: &str) -> Command {
    let program = PROGRAMS.get(name).unwrap_or_else(|| panic!("cargo has built no program {name}"));
    let mut command = Command::new(program);
    command.env_clear().env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs a command to its end.
///
/// # Panics
/// When it fails, with what it said.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can not be started: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({}):\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// One at a time, each would have dependencies with other features, compiled anew.
fn build() -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--message-format=json-render-diagnostics",
    ]);
    for name in NAMES {
        cargo.args(["--package", name, "--bin", name]);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let messages = run(&mut cargo);
    let executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    });
    executables.collect()
}

/// A folder for the output of tests, empty.
pub(crate) fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
