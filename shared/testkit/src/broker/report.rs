//! Why a broker is not as it should be, for whoever reads the test's failure: its folder vanishes with the test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::server::ServerProcess;

/// How many of the last lines of each log are shown.
const LINES: usize = 40;

/// How its processes are, and the ends of all that it wrote.
pub(super) fn report(process: &ServerProcess, logs: &Path) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut parts = vec![
        format!("process: {}", process.state()),
        format!("load of the machine: {}", load.trim()),
        format!("console:\n{}", tail(&process.log())),
    ];
    parts.extend(files(logs).iter().map(|file| {
        let said = fs::read(file).unwrap_or_default();
        format!("{}:\n{}", file.display(), tail(&String::from_utf8_lossy(&said)))
    }));
    parts.join("\n")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
