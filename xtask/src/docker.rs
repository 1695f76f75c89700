//! Running a task of this command runner in a container: Debian, with the toolchain of this workspace and all packages that
//! any task needs.
//!
//! The sources are seen under the path that they have here, and belong to the same user. Compiled code and downloaded
//! crates stay in two volumes for the next time. Ports are the container's own. Of the environment, what [`is_passed_on`]
//! names is taken along.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::run::{Outcome, command, line, root, run, say};
use crate::tools;

/// The name of the image, and what those of the volumes begin with.
const NAME: &str = "microblog-tests";
/// Chromium and its pages share memory, of which containers have little.
const SHARED_MEMORY: &str = "1g";
/// A container may not mount file systems. Tests that need that are told so, and say it.
const WITHOUT_MOUNTS: &str = "MICROBLOG_TEST_WITHOUT_MOUNTS=1";

/// A Docker engine that answers.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Root in its containers is the user here, and nobody else can write what is the user's.
    is_rootless: bool,
}

impl Engine {
    /// The one that `docker` reaches, or why there is none.
    pub(crate) fn find() -> Result<Self, String> {
        // Of the two, only this one tells well why the engine can not be reached.
        ask(&["version", "--format", "{{.Server.Version}}"])?;
        Ok(Self { is_rootless: ask(&["info", "--format", "{{.SecurityOptions}}"])?.contains("rootless") })
    }

    /// Becomes `cargo xtask` with these words, in a container, so that whoever ends this ends that. It returns only if
    /// that fails.
    pub(crate) fn run(&self, words: &[String]) -> Outcome {
        let user = self.user()?;
        say(&format!("left out in there: tests that mount file systems ({WITHOUT_MOUNTS})"));
        self.build_image(user)?;
        let mut docker = container(user);
        docker.arg(NAME).args(["cargo", "xtask"]).args(words);
        let line = line(&docker);
        say(&format!("$ {line}"));
        Err(format!("`{line}` could not be started: {}", docker.exec()))
    }

    /// The owner of the sources, and the group, as the container sees them.
    fn user(&self) -> Result<(u32, u32), String> {
        let sources = fs::metadata(root()).map_err(|error| format!("{}: {error}", root().display()))?;
        Ok(if self.is_rootless { (0, 0) } else { (sources.uid(), sources.gid()) })
    }

    /// Only the first time takes long: Docker keeps each step until what it is made of changes.
    fn build_image(&self, (uid, gid): (u32, u32)) -> Outcome {
        let mut build = command("docker", &["build", "--tag", NAME]);
        for (name, value) in [
            ("RUST", toolchain()?),
            ("PACKAGES", tools::packages(tools::all()).join(" ")),
            ("USER_ID", uid.to_string()),
            ("GROUP_ID", gid.to_string()),
        ] {
            build.arg("--build-arg").arg(format!("{name}={value}"));
        }
        for name in passed_on(is_proxy) {
            build.arg("--build-arg").arg(name);
        }
        run(build.arg(root().join("xtask/debian")))
    }
}

fn ask(words: &[&str]) -> Result<String, String> {
    let answer = command("docker", words).output().map_err(|error| format!("docker: {error}"))?;
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&answer.stderr).trim().to_owned())
}

/// `docker run` up to the name of the image.
fn container((uid, _): (u32, u32)) -> Command {
    let sources = root().display();
    let mut docker = command("docker", &["run", "--rm", "--shm-size", SHARED_MEMORY, "--env", WITHOUT_MOUNTS]);
    // Else SELinux, where it is, keeps the sources from the container.
    docker.args(["--security-opt", "label=disable"]);
    docker.arg("--mount").arg(format!("type=bind,source={sources},target={sources}")).arg("--workdir").arg(root());
    for folder in ["target", "cargo"] {
        docker.arg("--mount").arg(format!("type=volume,source={NAME}-{folder}-{uid},target=/{folder}"));
    }
    for name in passed_on(is_passed_on) {
        docker.arg("--env").arg(name);
    }
    docker
}

/// The version of Rust that the workspace names.
fn toolchain() -> Result<String, String> {
    let file = root().join("rust-toolchain.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let channel = text.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'));
    channel.map(str::to_owned).ok_or_else(|| format!("{} names no channel", file.display()))
}

/// The names of variables that are set here. Docker looks their values up by itself, so that no secret is seen.
fn passed_on(is_wanted: fn(&str) -> bool) -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_wanted(name)).collect();
    names.sort();
    names
}

/// Proxies; where cargo and npm get packages from, and how; what tests are told.
fn is_passed_on(name: &str) -> bool {
    const CARGO: [&str; 6] = ["HTTP_", "NET_", "REGISTRY_", "REGISTRIES_", "SOURCE_", "BUILD_JOBS"];
    let name_of_cargo = name.strip_prefix("CARGO_").unwrap_or_default();
    is_proxy(name)
        || CARGO.iter().any(|prefix| name_of_cargo.starts_with(prefix))
        || ["NPM_CONFIG_", "MICROBLOG_TEST_", "PROPTEST_"].iter().any(|prefix| name.starts_with(prefix))
        || name == "RUST_BACKTRACE"
}

fn is_proxy(name: &str) -> bool {
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].iter().any(|proxy| name.eq_ignore_ascii_case(proxy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fetching_and_testing_need_is_taken_into_the_container() {
        for name in ["https_proxy", "NO_PROXY", "CARGO_SOURCE_CRATES_IO_REPLACE_WITH", "CARGO_REGISTRIES_X_TOKEN"] {
            assert!(is_passed_on(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_MANIFEST_DIR", "RUSTUP_HOME", "PATH", "AWS_SECRET_KEY"] {
            assert!(!is_passed_on(name), "{name}");
        }
    }

    #[test]
    fn the_container_has_the_toolchain_of_the_workspace() {
        let version = toolchain().unwrap();
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    }
}
