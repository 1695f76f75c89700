//! Logs and traces as the settings want them, while the process runs.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use microblog_config::{LogFormat, LogSettings, OtlpSettings, Settings};
use microblog_domain::SystemClock;
use microblog_telemetry::logs::{Form, LogFileOptions, LogLevel, LogOptions};
use microblog_telemetry::traces::{CollectorOptions, TraceOptions};
use microblog_telemetry::{Telemetry, TelemetryError};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{SettingsArgs, VERSION};

pub(crate) fn start(service: &'static str, settings: &Settings) -> Result<Telemetry, TelemetryError> {
    let traces = trace_options(service, &settings.otlp);
    Telemetry::start(log_options(service, &settings.log), traces, Arc::new(SystemClock))
}

fn log_options(service: &'static str, settings: &LogSettings) -> LogOptions {
    let form = match settings.format {
        LogFormat::Auto => None,
        LogFormat::Text => Some(Form::Text),
        LogFormat::Json => Some(Form::Json),
    };
    let file = settings.dir.as_ref().map(|folder| LogFileOptions {
        path: folder.join(format!("{}.log", program_of(service))),
        largest: settings.file_size.0,
        files: settings.files,
    });
    LogOptions { form, level: settings.level.clone(), service, file }
}

fn trace_options(service: &'static str, settings: &OtlpSettings) -> TraceOptions {
    let collector = settings.endpoint.as_ref().map(|endpoint| CollectorOptions {
        endpoint: endpoint.reveal().to_owned(),
        headers: settings.headers.reveal().clone(),
        sample: settings.sample.0,
    });
    TraceOptions { collector, service: program_of(service), version: VERSION }
}

/// What people call it who look at more than this site.
fn program_of(service: &'static str) -> &'static str {
    match service {
        "api" => "microblog-api",
        "builder" => "microblog-builder",
        other => other,
    }
}

/// From now on SIGHUP does not end the process, unless somebody started it on a terminal: then it ends as its terminal does.
pub(crate) fn listen_for_hangups(runtime: &Runtime) -> Option<io::Result<Signal>> {
    let _inside = runtime.enter();
    (!io::stderr().is_terminal()).then(|| signal(SignalKind::hangup()))
}

/// Takes the level from the settings again whenever the process is sent SIGHUP.
pub(crate) async fn follow_settings(
    hangups: Option<io::Result<Signal>>,
    log_level: LogLevel,
    args: SettingsArgs,
    mut level: String,
) {
    let mut hangups = match hangups {
        None => return,
        Some(Ok(hangups)) => hangups,
        Some(Err(error)) => {
            return tracing::warn!(%error, "SIGHUP is not listened for: the log level stays as it is");
        }
    };
    while hangups.recv().await.is_some() {
        let wanted = match read_level(&args).await {
            Ok(level) => level,
            Err(error) => {
                tracing::error!(%error, "the settings have mistakes: the log level stays as it is");
                continue;
            }
        };
        match log_level.set(&wanted) {
            Ok(()) => {
                tracing::warn!(before = level, now = wanted, "the log level was read again");
                level = wanted;
            }
            Err(error) => tracing::error!(%error, "the log level stays as it is"),
        }
    }
}

/// Beside the threads that serve, which a file on a disk that hangs must not hold up.
async fn read_level(args: &SettingsArgs) -> anyhow::Result<String> {
    let args = args.clone();
    let settings = tokio::task::spawn_blocking(move || args.load()).await??;
    Ok(settings.log.level)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::process::Command;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use clap::Parser;
    use futures_util::FutureExt as _;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        settings: SettingsArgs,
    }

    #[tokio::test]
    async fn settings_that_can_not_be_read_to_their_end_hold_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        // Whoever opens it to read waits until somebody writes.
        let file = folder.path().join("settings.toml");
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        let (go_on, told) = mpsc::channel::<()>();
        let path = file.clone();
        let writer = thread::spawn(move || {
            let _ = told.recv_timeout(Duration::from_secs(20));
            std::fs::write(path, "log.level = \"debug\"").unwrap();
        });
        let args = Program::parse_from(["program", "--config", file.to_str().unwrap()]).settings;
        let mut reading = pin!(read_level(&args));
        assert!((&mut reading).now_or_never().is_none(), "the thread that serves waits for the file");
        go_on.send(()).unwrap();
        assert_eq!(reading.await.unwrap(), "debug");
        writer.join().unwrap();
    }
}
