//! What travels: a hint that a job is worth a look.

use microblog_domain::{BuildId, TraceParent};

/// Says that a build was asked for. Carries nothing else but where the request came from, for logs and traces: what to
/// build, and whether still, stands in the build's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The build.
    pub build: BuildId,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Where that request stands in a trace.
    pub trace: Option<TraceParent>,
}
