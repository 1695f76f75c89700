//! What the checks and tests need besides Rust: found, installed where that is possible without asking, or named.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use crate::run::{Outcome, command, root, run, say};

/// A program that some checks or tests run.
struct Tool {
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

const FOR_TESTS: [Tool; 9] = [
    Tool { programs: &["chromium", "chromium-browser"], package: "chromium", purpose: "pages are looked at in it" },
    Tool { programs: &["node"], package: "nodejs", purpose: "drives Chromium" },
    Tool { programs: &["npm"], package: "npm", purpose: "fetches the HTML checker and axe-core" },
    Tool { programs: &["java"], package: "default-jre-headless", purpose: "runs the Nu HTML checker" },
    Tool { programs: &[RABBITMQ], package: "rabbitmq-server", purpose: "throw-away brokers" },
    Tool { programs: &["openssl"], package: "openssl", purpose: "certificates for them" },
    Tool { programs: &["nginx"], package: "nginx-light", purpose: "serves the site as it is served for real" },
    Tool { programs: &["faketime"], package: "faketime", purpose: "lets the clock of a service jump" },
    Tool { programs: &["initdb"], package: "postgresql", purpose: "throw-away database servers" },
];

/// Debian has each version of PostgreSQL in a folder of its own here.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
/// Read by Debian's packages of PostgreSQL, which otherwise make a database server of the machine's own and start it.
const POSTGRES_SETTINGS: &str = "/etc/postgresql-common/createcluster.d";
/// Debian's program of this name on the path wants to be root.
const RABBITMQ: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// Asked by Debian's packages whether they may start what they bring.
const START_POLICY: &str = "/usr/sbin/policy-rc.d";

/// Where the tools that npm fetches are listed.
const WEB_TOOLS: &str = "tests/web";

/// Sees to it that every test finds what it needs.
pub(crate) fn get_ready() -> Outcome {
    require(FOR_CHECKS.iter().chain(&FOR_TESTS))?;
    fetch_web_tools()
}

/// Sees to it that the checks of alerts and dashboards find what they need.
pub(crate) fn get_ready_to_check() -> Outcome {
    require(FOR_CHECKS.iter())
}

fn require<'a>(tools: impl Iterator<Item = &'a Tool>) -> Outcome {
    let missing: Vec<&Tool> = tools.filter(|tool| !tool.programs.iter().any(|name| is_there(name))).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
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

/// Installs packages as root on Debian; elsewhere says what is missing.
fn install(missing: &[&Tool]) -> Outcome {
    for tool in missing {
        say(&format!("missing: {} ({}), Debian package {}", tool.programs[0], tool.purpose, tool.package));
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    if !(is_there("apt-get") && is_root()) {
        return Err(format!("install what is missing; on Debian: sudo apt-get install {}", packages.join(" ")));
    }
    let apt = |words: &[&str]| run(command("apt-get", words).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update", "--quiet"])?;
    keep_postgres_quiet()?;
    let install = || apt(&[&["install", "--quiet", "--yes", "--no-install-recommends"], packages.as_slice()].concat());
    without_starting_services(install)
}

/// The tests start servers of their own; the machine gets none started. A policy that is there already stays.
fn without_starting_services(install: impl FnOnce() -> Outcome) -> Outcome {
    let policy = Path::new(START_POLICY);
    if policy.exists() {
        return install();
    }
    let failed = |error: std::io::Error| format!("{START_POLICY} can not be written: {error}");
    fs::write(policy, "#!/bin/sh\nexit 101\n").map_err(failed)?;
    fs::set_permissions(policy, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    let installed = install();
    fs::remove_file(policy).map_err(failed)?;
    installed
}

/// The tests start servers of their own; the machine gets none. The setting stays: it does nothing to servers that are
/// there, and without it the next version would bring one.
fn keep_postgres_quiet() -> Outcome {
    let settings = Path::new(POSTGRES_SETTINGS);
    let written = fs::create_dir_all(settings)
        .and_then(|()| fs::write(settings.join("microblog-tests.conf"), "create_main_cluster = false\n"));
    written.map_err(|error| format!("{POSTGRES_SETTINGS} can not be written: {error}"))
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    command("id", &["-u"]).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What npm fetches is fetched once for each list of versions.
fn fetch_web_tools() -> Outcome {
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
