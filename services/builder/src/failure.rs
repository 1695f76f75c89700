//! Which failures pass by themselves, and which stay until somebody acts.

use microblog_queue::{Failure, FailureKind};
use microblog_store::StoreError;

use crate::build_site::BuildError;

/// What went wrong with a build, as the queue wants to know it.
pub(crate) fn failure(error: &BuildError) -> Failure {
    let (kind, code) = match error {
        BuildError::Stopped => (FailureKind::Passing, "stopped"),
        BuildError::LeaseLost => (FailureKind::Passing, "lease_lost"),
        BuildError::Crashed { .. } => (FailureKind::Crash, "crash"),
        BuildError::Store(StoreError::DiskFull) => (FailureKind::Lasting, "disk_full"),
        BuildError::Store(_) => (FailureKind::Passing, "database"),
        BuildError::Render(_) => (FailureKind::Lasting, "render"),
        BuildError::Theme(_) => (FailureKind::Lasting, "theme"),
        BuildError::Release(error) => release(error),
    };
    Failure { kind, code, message: error.to_string() }
}

fn release(error: &microblog_release::Error) -> (FailureKind, &'static str) {
    use microblog_release::{Error, Recovery};
    let kind = match error.recovery() {
        _ if matches!(error, Error::Locked { .. }) => FailureKind::Busy,
        Recovery::Retry => FailureKind::Passing,
        Recovery::Intervene => FailureKind::Lasting,
    };
    let code = match error {
        Error::NoSpace { .. } => "disk_full",
        Error::NotWritable { .. } => "not_writable",
        Error::Rejected(_) => "not_whole",
        _ => "release_store",
    };
    (kind, code)
}
