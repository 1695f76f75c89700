//! Logs as the settings want them, while the process runs.

use std::io::IsTerminal as _;
use std::sync::Arc;

use microblog_config::{LogFormat, LogSettings};
use microblog_domain::SystemClock;
use microblog_telemetry::logs::{self, Form, LogError, LogFileOptions, LogOptions, Logs};
use tokio::signal::unix::{SignalKind, signal};

use crate::SettingsArgs;

pub(crate) fn start(service: &'static str, settings: &LogSettings) -> Result<Logs, LogError> {
    let form = match settings.format {
        LogFormat::Auto => None,
        LogFormat::Text => Some(Form::Text),
        LogFormat::Json => Some(Form::Json),
    };
    let file = settings.dir.as_ref().map(|folder| LogFileOptions {
        path: folder.join(format!("{}.log", program(service))),
        largest: settings.file_size.0,
        files: settings.files,
    });
    logs::start(LogOptions { form, level: settings.level.clone(), service, file }, Arc::new(SystemClock))
}

/// `api` is `microblog-api`.
fn program(service: &str) -> String {
    if service == "microblog" { service.to_owned() } else { format!("microblog-{service}") }
}

/// Takes the level from the settings again whenever the process is sent SIGHUP. A process that somebody started on a
/// terminal ends by that signal, as its terminal does.
pub(crate) async fn follow_settings(logs: Arc<Logs>, args: SettingsArgs, mut level: String) {
    if std::io::stderr().is_terminal() {
        return;
    }
    let mut signals = match signal(SignalKind::hangup()) {
        Ok(signals) => signals,
        Err(error) => return tracing::warn!(%error, "SIGHUP is not listened for: the log level stays as it is"),
    };
    while signals.recv().await.is_some() {
        let wanted = match args.load() {
            Ok(settings) => settings.log.level,
            Err(error) => {
                tracing::error!(%error, "the settings have mistakes: the log level stays as it is");
                continue;
            }
        };
        match logs.set_level(&wanted) {
            Ok(()) => {
                tracing::warn!(before = level, now = wanted, "the log level was read again");
                level = wanted;
            }
            Err(error) => tracing::error!(%error, "the log level stays as it is"),
        }
    }
}
