//! Pages about how the service is doing: alerts and errors.

use microblog_domain::ErrorGroupId;
use serde::Serialize;

use super::super::frame::Frame;
use super::super::moments::Moment;

/// Whether anybody would tell if something were wrong.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(in super::super) enum Hearing {
    /// No alert has ever been told, not even the one that always fires.
    Never {
        /// Whether there is a secret to tell alerts with.
        has_secret: bool,
    },
    /// What always fires was heard a moment ago.
    Well { at: Moment },
    /// It was not heard for too long.
    Silent { since: Moment },
}

/// An alert that fires or fired.
#[derive(Debug, Serialize)]
pub(in super::super) struct AlertRow {
    pub(in super::super) name: String,
    /// `critical`, `warning`, or whatever the rule says; may be empty.
    pub(in super::super) severity: String,
    pub(in super::super) is_firing: bool,
    pub(in super::super) since: Moment,
    /// When it ended, and how long it fired.
    pub(in super::super) until: Option<Moment>,
    pub(in super::super) lasted: String,
    pub(in super::super) summary: String,
    pub(in super::super) description: String,
    /// All labels but those that are shown already.
    pub(in super::super) labels: Vec<(String, String)>,
    /// An address that is safe to be followed.
    pub(in super::super) runbook: Option<String>,
}

/// The alerts.
#[derive(Debug, Serialize)]
pub(in super::super) struct AlertsPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) hearing: Hearing,
    /// What fires now; on the first page only.
    pub(in super::super) firing: Vec<AlertRow>,
    pub(in super::super) is_first: bool,
    pub(in super::super) ended: Vec<AlertRow>,
    pub(in super::super) more: Option<String>,
}

/// An error that happens again and again.
#[derive(Debug, Serialize)]
pub(in super::super) struct ErrorRow {
    pub(in super::super) id: ErrorGroupId,
    pub(in super::super) code: String,
    pub(in super::super) place: String,
    pub(in super::super) message: String,
    pub(in super::super) count: u64,
    pub(in super::super) first: Moment,
    pub(in super::super) last: Moment,
    pub(in super::super) request_id: Option<String>,
    /// Who has taken note, and when.
    pub(in super::super) acknowledged: Option<(String, Moment)>,
}

/// What went wrong.
#[derive(Debug, Serialize)]
pub(in super::super) struct ErrorsPage {
    pub(in super::super) frame: Frame,
    /// Whether those are shown of which nobody has taken note.
    pub(in super::super) shows_open: bool,
    pub(in super::super) open_count: u64,
    pub(in super::super) errors: Vec<ErrorRow>,
    pub(in super::super) more: Option<String>,
}

#[cfg(test)]
mod samples {
    use microblog_domain::Timestamp;

    use super::super::sample::{HOSTILE, moment};
    use super::*;

    impl AlertsPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |is_firing: bool| AlertRow {
                name: HOSTILE.to_owned(),
                severity: if is_firing { "critical" } else { HOSTILE }.to_owned(),
                is_firing,
                since: moment(),
                until: (!is_firing).then(moment),
                lasted: "3 min".to_owned(),
                summary: HOSTILE.to_owned(),
                description: HOSTILE.to_owned(),
                labels: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())],
                runbook: is_firing.then(|| "https://example.org/".to_owned()),
            };
            let page = |hearing, firing, ended, more| Self {
                frame: Frame::sample(),
                hearing,
                firing,
                is_first: true,
                ended,
                more,
            };
            vec![
                page(Hearing::Well { at: moment() }, vec![row(true)], vec![row(false)], Some("?cursor=x".to_owned())),
                page(Hearing::Silent { since: moment() }, Vec::new(), vec![row(false)], None),
                page(Hearing::Never { has_secret: true }, Vec::new(), Vec::new(), None),
                page(Hearing::Never { has_secret: false }, Vec::new(), Vec::new(), None),
            ]
        }
    }

    impl ErrorsPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |acknowledged| ErrorRow {
                id: ErrorGroupId::generate(Timestamp::UNIX_EPOCH),
                code: HOSTILE.to_owned(),
                place: HOSTILE.to_owned(),
                message: HOSTILE.to_owned(),
                count: 1,
                first: moment(),
                last: moment(),
                request_id: Some(HOSTILE.to_owned()),
                acknowledged,
            };
            let page =
                |shows_open, errors, more| Self { frame: Frame::sample(), shows_open, open_count: 1, errors, more };
            let taken = Some((HOSTILE.to_owned(), moment()));
            vec![
                page(true, vec![row(None), ErrorRow { request_id: None, count: 2, ..row(None) }], None),
                page(false, vec![row(taken)], Some("?cursor=x".to_owned())),
                page(true, Vec::new(), None),
                page(false, Vec::new(), None),
            ]
        }
    }
}
