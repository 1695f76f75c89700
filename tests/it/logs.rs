//! What the programs log, while they run: where, and how much.

use std::path::Path;

use serde_json::Value;

use crate::installation::Installation;
use crate::service::{Service, api, wait_until};

/// The lines of a file that are whole, which all must be JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_level_is_read_again_while_the_service_runs_and_files_have_what_is_logged() {
    let installation = Installation::new();
    let settings = installation.path().join("microblog.toml");
    let write =
        |level: &str| std::fs::write(&settings, format!("[log]\ndir = \"logs\"\nlevel = \"{level}\"\n")).unwrap();
    write("info");
    let mut command = api(&installation);
    command.args(["--config".as_ref(), settings.as_os_str()]);
    let service = Service::ready(command, &installation);
    let file = installation.path().join("logs/microblog-api.log");
    let has = |what: &str| lines(&file).iter().any(|line| line["message"].as_str().unwrap_or_default().contains(what));

    // Probes are logged for those who look closely only.
    service.ask("/health/live");
    wait_until("the service says that it is ready", || has("ready"));
    assert!(!has("/health/live answered"));

    write("info,microblog_api=debug");
    service.reload();
    wait_until("the new level is told", || has("the log level was read again"));
    wait_until("probes are logged", || {
        service.ask("/health/live");
        has("/health/live answered")
    });

    write("info,microblog_api=loud");
    service.reload();
    wait_until("the mistake is told", || has("the log level stays as it is"));
}
