//! Which failures pass by themselves, and which stay until somebody acts.

use microblog_queue::{Failure, FailureKind};
use microblog_store::StoreError;

use crate::build_site::BuildError;

/// What went wrong with a build, as the queue wants to know it.
pub(crate) fn failure(error: &BuildError) -> Failure {
    let (kind, code) = match error {
        BuildError::Stopped => (FailureKind::Passing, "stopped"),
        BuildError::Store(StoreError::DiskFull) => (FailureKind::Lasting, "disk_full"),
        BuildError::Store(_) => (FailureKind::Passing, "database"),
        BuildError::Render(_) => (FailureKind::Lasting, "render"),
        BuildError::Theme(_) => (FailureKind::Lasting, "theme"),
        BuildError::Release(error) => release(error),
    };
    Failure { kind, code, message: error.to_string() }
}

fn release(error: &microblog_release::Error) -> (FailureKind, &'static str) {
    use microblog_release::Error;
    match error {
        Error::NoSpace { .. } => (FailureKind::Lasting, "disk_full"),
        Error::NotWritable { .. } => (FailureKind::Lasting, "not_writable"),
        Error::Rejected(_) => (FailureKind::Lasting, "not_whole"),
        Error::Locked { .. } | Error::Leased { .. } | Error::Io { .. } => (FailureKind::Passing, "release_store"),
        _ => (FailureKind::Lasting, "release_store"),
    }
}
