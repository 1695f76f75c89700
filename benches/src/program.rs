//! The program that is measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The programs of a release: `microblog`, and the services beside it.
#[derive(Debug, Clone)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// Ready for arguments, and free of whatever the environment would set.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.env_clear().args(words).stdin(Stdio::null());
        command
    }

    /// One of the services, from the same folder.
    pub(crate) fn service(&self, name: &str) -> anyhow::Result<Self> {
        let path = self.0.with_file_name(name);
        ensure!(path.is_file(), "there is no {}: --program needs the services beside `microblog`", path.display());
        Ok(Self(path))
    }
}

/// The program that was named, or that of this workspace as it would be released.
pub(crate) fn find_or_build(named: Option<PathBuf>) -> anyhow::Result<Program> {
    let path = match named {
        Some(path) => path,
        None => build()?,
    };
    let path = path.canonicalize().with_context(|| format!("there is no program {}", path.display()))?;
    Ok(Program(path))
}

fn build() -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).stderr(Stdio::inherit());
    cargo.args(["build", "--release", "--locked", "--bins"]);
    cargo.args(["--package", "microblog", "--package", "microblog-api", "--package", "microblog-builder"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let output = cargo.output().context("starting cargo")?;
    ensure!(output.status.success(), "microblog could not be built; see above");
    let messages = String::from_utf8(output.stdout).context("cargo has answered something that is no text")?;
    let executable = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let executable = message["executable"].as_str().map(PathBuf::from)?;
        (message["target"]["name"] == "microblog").then_some(executable)
    });
    executable.context("cargo has built no program")
}
