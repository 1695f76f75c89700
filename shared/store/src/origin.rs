//! Where a change comes from: who, when, and in the course of which request.

use jiff::Timestamp;
use microblog_domain::{TraceParent, UserId};

/// Goes with every change; becomes part of the audit trail and follows the build that the change leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When.
    pub at: Timestamp,
    /// Who; nobody if the program acts by itself or is used from the command line.
    pub user: Option<UserId>,
    /// The address that the request came from.
    pub ip: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// Where the request stands in a trace.
    pub trace: Option<TraceParent>,
}

impl Origin {
    /// The program itself, or its command line.
    #[must_use]
    pub const fn system(at: Timestamp) -> Self {
        Self { at, user: None, ip: None, request_id: None, trace: None }
    }

    /// Somebody known, outside any request.
    #[must_use]
    pub fn by(user: UserId, at: Timestamp) -> Self {
        Self { user: Some(user), ..Self::system(at) }
    }
}
