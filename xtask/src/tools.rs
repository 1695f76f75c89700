//! What the checks and tests need besides Rust: found, named, installed where that is possible without asking.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::run::{Outcome, command, root, run, say};

/// A program that some checks or tests run.
pub(crate) struct Tool {
    /// The names that it goes by.
    programs: &'static [&'static str],
    /// Debian's package with it.
    package: &'static str,
    /// Who needs it.
    purpose: &'static str,
}

/// Those that the checks run; the tests run them, too.
const FOR_CHECKS: [Tool; 3] = [
    Tool { programs: &["promtool"], package: "prometheus", purpose: "tests the alert rules, and runs them" },
    Tool { programs: &["amtool"], package: "prometheus-alertmanager", purpose: "checks who is told of what" },
    Tool { programs: &["python3"], package: "python3", purpose: "checks the dashboards" },
];

const FOR_TESTS: [Tool; 12] = [
    Tool { programs: &["chromium", "chromium-browser"], package: "chromium", purpose: "pages are looked at in it" },
    Tool { programs: &["node"], package: "nodejs", purpose: "drives Chromium" },
    Tool { programs: &["npm"], package: "npm", purpose: "fetches the HTML checker and axe-core" },
    Tool { programs: &["java"], package: "default-jre-headless", purpose: "runs the Nu HTML checker" },
    Tool { programs: &[RABBITMQ], package: "rabbitmq-server", purpose: "throw-away brokers" },
    Tool { programs: &["openssl"], package: "openssl", purpose: "certificates for them" },
    Tool { programs: &["nginx"], package: "nginx-light", purpose: "serves the site as it is served for real" },
    Tool { programs: &["faketime"], package: "faketime", purpose: "lets the clock of a service jump" },
    Tool {
        programs: &["prometheus-node-exporter"],
        package: "prometheus-node-exporter",
        purpose: "measures the machine",
    },
    Tool { programs: &["prometheus-nginx-exporter"], package: "prometheus-nginx-exporter", purpose: "measures nginx" },
    Tool {
        programs: &["prometheus-postgres-exporter"],
        package: "prometheus-postgres-exporter",
        purpose: "measures PostgreSQL",
    },
    Tool { programs: &["initdb"], package: "postgresql", purpose: "throw-away database servers" },
];

/// Debian has each version of PostgreSQL in a folder of its own here.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
/// Debian's program of this name on the path wants to be root.
const RABBITMQ: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// Takes the names of packages. Images are made with it, too.
const INSTALL: &str = "xtask/debian/install.sh";

/// Where the tools that npm fetches are listed.
const WEB_TOOLS: &str = "tests/web";

/// Those of the checks.
pub(crate) fn for_checks() -> impl Iterator<Item = &'static Tool> {
    FOR_CHECKS.iter()
}

/// Those of the tests, which are all.
pub(crate) fn all() -> impl Iterator<Item = &'static Tool> {
    FOR_CHECKS.iter().chain(&FOR_TESTS)
}

/// Those that are not there.
pub(crate) fn missing(tools: impl Iterator<Item = &'static Tool>) -> Vec<&'static Tool> {
    tools.filter(|tool| !tool.programs.iter().any(|name| is_there(name))).collect()
}

/// Debian's packages with them.
pub(crate) fn packages(tools: impl IntoIterator<Item = &'static Tool>) -> Vec<&'static str> {
    tools.into_iter().map(|tool| tool.package).collect()
}

/// Sees to it that the formatter and the lints are part of the toolchain.
pub(crate) fn require_components() -> Outcome {
    for component in ["fmt", "clippy"] {
        let mut probe = command("cargo", &[component, "--version"]);
        let answers = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !answers {
            let name = if component == "fmt" { "rustfmt" } else { component };
            return Err(format!("cargo {component} is missing: run `rustup component add {name}`"));
        }
    }
    Ok(())
}

/// Whether a program of this name is on the path, or where Debian keeps those of PostgreSQL.
pub(crate) fn is_there(program: &str) -> bool {
    let is_on_path = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    let mut versions = fs::read_dir(POSTGRES_VERSIONS).into_iter().flatten().filter_map(Result::ok);
    is_on_path || versions.any(|version| version.path().join("bin").join(program).is_file())
}

/// Says what is missing.
pub(crate) fn name(missing: &[&Tool]) {
    for tool in missing {
        say(&format!("missing: {} ({}), Debian package {}", tool.programs[0], tool.purpose, tool.package));
    }
}

/// How packages can be installed without asking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installer {
    Root,
    Sudo,
}

impl Installer {
    /// How it can be done here, or why not.
    pub(crate) fn find() -> Result<Self, String> {
        if !is_there("apt-get") {
            return Err("there is no apt-get".to_owned());
        }
        if command("id", &["-u"]).output().is_ok_and(|id| id.stdout.trim_ascii() == b"0") {
            return Ok(Self::Root);
        }
        let may_all = command("sudo", &["-n", "true"]).output().is_ok_and(|sudo| sudo.status.success());
        if may_all {
            Ok(Self::Sudo)
        } else {
            Err("this is not root, nor may it become root without a password".to_owned())
        }
    }

    /// Installs what is missing.
    pub(crate) fn install(self, missing: &[&'static Tool]) -> Outcome {
        let words = [&["sh", INSTALL], packages(missing.iter().copied()).as_slice()].concat();
        match self {
            Self::Root => run(&mut command(words[0], &words[1..])),
            Self::Sudo => run(command("sudo", &["-n"]).args(words)),
        }
    }
}

/// What npm fetches is fetched once for each list of versions.
pub(crate) fn fetch_web_tools() -> Outcome {
    let folder = root().join(WEB_TOOLS);
    let (wanted, fetched) = (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
    if !wanted.is_file() || is_newer(&fetched, &wanted) {
        return Ok(());
    }
    run(command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
}

fn is_newer(file: &Path, other: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    matches!((changed(file), changed(other)), (Ok(file), Ok(other)) if file >= other)
}
