//! The judges of pages: the Nu HTML checker, and axe-core in Chromium. They know nothing of what they judge.
//!
//! Their npm packages are pinned in `tests/web/package-lock.json` and installed once, into `target/web-tools`. Java,
//! Node.js and Chromium come from the system; what is missing is named, with the Debian package that brings it.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::json;

static TOOLS: LazyLock<PathBuf> = LazyLock::new(install_tools);
const TOOL_FILES: [&str; 4] = ["package.json", "package-lock.json", "axe.mjs", "dashboard.mjs"];
const CHROMIUM_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What the Nu HTML checker says about a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    last_line: Option<u64>,
    message: String,
    extract: Option<String>,
}

/// A barrier on a page.
#[derive(Debug, Deserialize)]
struct Finding {
    url: String,
    setting: String,
    rule: String,
    help: String,
    elements: Vec<String>,
}

/// A cookie for the pages that are looked at behind a log-in.
#[derive(Debug, Clone, serde::Serialize, Deserialize)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Where it is sent to.
    pub(crate) url: String,
}

/// Errors of HTML files, one line each; empty when they are valid.
pub(crate) fn html_checker(files: &[&Path]) -> Vec<String> {
    assert!(!files.is_empty(), "there is nothing to check");
    let jar = TOOLS.join("node_modules/vnu-jar/build/dist/vnu.jar");
    let mut java = Command::new("java");
    java.arg("-jar").arg(jar).args(["--stdout", "--exit-zero-always", "--format", "json"]).args(files);
    let report: serde_json::Value = parsed(&finished(&mut java, "default-jre-headless", ""));
    let messages: Vec<Message> = serde_json::from_value(report["messages"].clone()).unwrap();
    messages.iter().filter(|message| message.kind != "info").map(describe_message).collect()
}

fn describe_message(message: &Message) -> String {
    let file = message.url.as_deref().unwrap_or("(no file)");
    let line = message.last_line.unwrap_or(0);
    format!("{file}:{line}: {}: {:?}", message.message, message.extract.as_deref().unwrap_or_default())
}

/// Barriers on pages, looked at on phone and desktop, light and dark, and whatever does not fit a screen; one line each;
/// empty when there are none.
pub(crate) fn axe(urls: &[String], cookies: &[Cookie]) -> Vec<String> {
    assert!(!urls.is_empty(), "there is nothing to look at");
    let task = json!({ "chromium": chromium(), "urls": urls, "cookies": cookies });
    let mut node = Command::new("node");
    node.current_dir(&*TOOLS).arg("axe.mjs");
    let findings: Vec<Finding> = parsed(&finished(&mut node, "nodejs", &task.to_string()));
    let describe = |it: &Finding| format!("{} ({}): {}: {} {:#?}", it.url, it.setting, it.rule, it.help, it.elements);
    findings.iter().map(describe).collect()
}

/// What is known after the walk through the dashboard.
#[derive(Debug, Deserialize)]
pub(crate) struct Walked {
    /// The log-in.
    pub(crate) cookies: Vec<Cookie>,
    /// The address of every page.
    pub(crate) pages: Vec<String>,
}

/// Walks through a dashboard that is not set up yet, from its set-up link to a roll-back.
///
/// # Panics
/// At the first thing that is not as it should be.
pub(crate) fn walk(set_up: &str, site: &str) -> Walked {
    let dashboard = set_up.split("/dashboard").next().unwrap();
    let task =
        json!({ "chromium": chromium(), "dashboard": dashboard, "site": site, "setUp": set_up, "pictures": null });
    let mut node = Command::new("node");
    node.current_dir(&*TOOLS).arg("dashboard.mjs");
    parsed(&finished(&mut node, "nodejs", &task.to_string()))
}

fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| CHROMIUM_NAMES.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("chromium is missing; on Debian: apt-get install chromium"))
}

fn install_tools() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("web-tools");
    fs::create_dir_all(&tools).unwrap();
    for file in TOOL_FILES {
        fs::copy(source.join(file), tools.join(file)).unwrap();
    }
    let wanted = fs::read(source.join("package-lock.json")).unwrap();
    let installed = tools.join("installed-lock.json");
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        let mut npm = Command::new("npm");
        npm.current_dir(&tools).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        finished(&mut npm, "npm", "");
        fs::write(installed, wanted).unwrap();
    }
    tools
}

/// Runs a tool of the system to its end.
fn finished(command: &mut Command, debian_package: &str, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let tool = command.get_program().to_string_lossy().into_owned();
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("{tool} is missing; on Debian: apt-get install {debian_package}")
        }
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{tool} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    output
}

fn parsed<T: serde::de::DeserializeOwned>(output: &Output) -> T {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("the tool's report can not be read: {error}\n{}", String::from_utf8_lossy(&output.stdout))
    })
}
