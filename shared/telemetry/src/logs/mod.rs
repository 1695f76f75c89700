//! Log lines: one JSON object each, or text that people read.
//!
//! A line holds its event and the fields of all spans around it, the inner ones winning: whatever is logged while a
//! request is answered carries its `request_id`, and inside a build its `job_id`. Both forms are made from one
//! `record::Record`, in which secrets are already hidden, so that neither form can forget to.

mod file;
mod layer;
mod panics;
mod record;
mod rotation;
mod write;

use std::io::IsTerminal as _;
use std::sync::Arc;

use microblog_domain::Clock;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{Layer, Registry, reload};

use file::{LogFile, LogFileGuard};
pub use layer::{LogLayer, current_request_id};
pub(crate) use panics::log_them as log_panics;
pub use rotation::LogFileOptions;
pub use write::Form;

/// How lines are to be written.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Which form; `None` means text on a terminal and JSON elsewhere.
    pub form: Option<Form>,
    /// The level, or levels by target: `info,microblog_store=debug`.
    pub level: String,
    /// What every line says as `service`.
    pub service: &'static str,
    /// A file that has all lines, as JSON, besides standard error.
    pub file: Option<LogFileOptions>,
}

/// The logs of this process: to be kept until it ends, for what waits is written then.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) level: LogLevel,
    /// Of standard error.
    pub(crate) form: Form,
    _file: Option<LogFileGuard>,
}

/// What is logged, for whoever may change it. Keeps nothing open: who has it may outlive the logs.
#[derive(Debug, Clone)]
pub struct LogLevel(reload::Handle<Targets, Registry>);

impl LogLevel {
    /// From now on this is logged.
    pub fn set(&self, level: &str) -> Result<(), LogError> {
        Ok(self.0.reload(filter(level)?)?)
    }
}

impl Logs {
    /// Opens standard error and, if wanted, the file. Gives the part of the subscriber that writes there.
    pub(crate) fn open(options: LogOptions, clock: Arc<dyn Clock>) -> Result<(Self, impl Layer<Registry>), LogError> {
        let (filter, level) = reload::Layer::new(filter(&options.level)?);
        let form =
            options.form.unwrap_or_else(|| if std::io::stderr().is_terminal() { Form::Text } else { Form::Json });
        let mut layer = LogLayer::new(options.service, clock).to(form, std::io::stderr);
        let mut guard = None;
        if let Some(options) = options.file {
            let (file, writes) = LogFile::start(options)?;
            layer = layer.to(Form::Json, move || file.clone());
            guard = Some(writes);
        }
        Ok((Self { level: LogLevel(level), form, _file: guard }, layer.with_filter(filter)))
    }
}

/// Logs can not be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is not one.
    #[error(
        "log.level = {level:?}: expected a level such as info, or levels by target such as info,microblog_store=debug"
    )]
    Level {
        /// As given.
        level: String,
    },
    /// The level can not be changed any more.
    #[error("the level can not be changed: {0}")]
    Unchanged(#[from] reload::Error),
    /// The system gives no thread for the file.
    #[error("the log file can not be written: {0}")]
    File(#[from] std::io::Error),
}

/// The AMQP library logs, as errors and at each try, what the queue says once, in words and with what to do.
const QUIET: &str = "lapin=off";

/// What is logged: all that `level` names, even what is quiet otherwise. A lone word that is no level, `warning` say, would
/// be taken for a target, and everything else be silent.
fn filter(level: &str) -> Result<Targets, LogError> {
    let wrong = || LogError::Level { level: level.to_owned() };
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    if !level.split(',').all(|part| part.contains('=') || is_level(part)) {
        return Err(wrong());
    }
    format!("{QUIET},{level}").parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use microblog_domain::SystemClock;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::traces::{TraceOptions, Traces};

    #[test]
    fn a_line_that_is_not_logged_allocates_nothing() {
        let options = LogOptions { form: Some(Form::Json), level: "info".to_owned(), service: "api", file: None };
        let (_logs, lines) = Logs::open(options, Arc::new(SystemClock)).unwrap();
        let traces = Traces::start(TraceOptions::default()).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines).with(traces.layer()), || {
            let _inside = tracing::error_span!("request", request_id = "r-1").entered();
            let tell_details = || tracing::debug!(pages = 3, post = %"a post".repeat(3), "this is for developers");
            // The first time, a place in the program gets known.
            tell_details();
            assert_eq!(measure(tell_details).count_total, 0);
            assert_ne!(measure(|| tracing::info!("this is for everybody")).count_total, 0);
        });
    }

    #[test]
    fn what_is_no_level_silences_nothing() {
        for level in ["info", "WARN", "off,audit=info", "info,microblog_store=debug,sqlx=off"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        for level in ["", "warning", "info,", "loud", "info,microblog_store", "info,microblog_store=loud"] {
            assert!(filter(level).is_err(), "{level}");
        }
    }

    #[test]
    fn the_amqp_library_is_quiet_unless_it_is_asked_for() {
        assert!(filter("info").unwrap().to_string().contains("lapin=off"));
        assert!(!filter("info,lapin=debug").unwrap().to_string().contains("off"));
        assert!(filter("info,lapin=nonsense").is_err());
    }
}
