//! How a process begins to tell about itself.

use std::sync::Arc;

use microblog_domain::Clock;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::logs::{Form, LogError, LogLevel, LogOptions, Logs};
use crate::traces::{ExportError, TraceOptions, Traces};

/// Logs and traces of this process: to be kept until it ends, for what waits is written and sent then.
#[derive(Debug)]
pub struct Telemetry {
    logs: Logs,
    _traces: Traces,
}

/// The process can not tell about itself.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Logs can not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Traces can not be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Something else in the process listens already.
    #[error("logs were started already: {0}")]
    Started(#[from] TryInitError),
}

impl Telemetry {
    /// Starts logs, panics included, and traces for the whole process. To be called once, before anything is logged, and
    /// after the recorder of metrics is set up.
    pub fn start(logs: LogOptions, traces: TraceOptions, clock: Arc<dyn Clock>) -> Result<Self, TelemetryError> {
        let traces = Traces::start(traces)?;
        let (logs, lines) = Logs::open(logs, clock)?;
        tracing_subscriber::registry().with(lines).with(traces.layer()).try_init()?;
        crate::logs::log_panics();
        Ok(Self { logs, _traces: traces })
    }

    /// How lines on standard error look.
    #[must_use]
    pub fn form(&self) -> Form {
        self.logs.form
    }

    /// Changes what is logged.
    #[must_use]
    pub fn log_level(&self) -> LogLevel {
        self.logs.level.clone()
    }
}
