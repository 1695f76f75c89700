//! Which failures lie outside of the site and end some day, and which stay until somebody changes the site.

use microblog_queue::{Failure, FailureKind};
use microblog_store::StoreError;

use crate::build_site::BuildError;

/// What went wrong with a build, as the queue wants to know it.
pub(crate) fn failure(error: &BuildError) -> Failure {
    let (kind, code) = match error {
        BuildError::Stopped => (FailureKind::Outside, "stopped"),
        BuildError::LeaseLost => (FailureKind::Outside, "lease_lost"),
        BuildError::Crashed { .. } => (FailureKind::Crash, "crash"),
        BuildError::Store(StoreError::DiskFull) => (FailureKind::Outside, "disk_full"),
        BuildError::Store(_) => (FailureKind::Outside, "database"),
        BuildError::Render(_) => (FailureKind::Lasting, "render"),
        BuildError::Theme(_) => (FailureKind::Lasting, "theme"),
        BuildError::Release(error) => release(error),
    };
    Failure { kind, code, message: error.to_string() }
}

fn release(error: &microblog_release::Error) -> (FailureKind, &'static str) {
    use microblog_release::{Error, Recovery};
    let kind = match (error, error.recovery()) {
        (Error::Locked { .. }, _) => FailureKind::Busy,
        (Error::NoSpace { .. } | Error::NotWritable { .. }, _) | (_, Recovery::Retry) => FailureKind::Outside,
        (_, Recovery::Intervene) => FailureKind::Lasting,
    };
    let code = match error {
        Error::NoSpace { .. } => "disk_full",
        Error::NotWritable { .. } => "not_writable",
        Error::Rejected(_) => "not_whole",
        _ => "release_store",
    };
    (kind, code)
}
