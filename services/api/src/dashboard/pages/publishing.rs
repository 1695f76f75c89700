//! Pages about the site as readers see it: builds and releases.

use microblog_domain::{BuildId, BuildMode, BuildState, ReleaseId};
use serde::Serialize;

use super::super::frame::Frame;
use super::super::moments::Moment;

/// Something that happened to a build.
#[derive(Debug, Serialize)]
pub(in super::super) struct LogLine {
    pub(in super::super) at: Moment,
    /// To the millisecond: builds are quick.
    pub(in super::super) clock: String,
    pub(in super::super) kind: &'static str,
    pub(in super::super) text: String,
}

/// A build and how far it is.
#[derive(Debug, Serialize)]
pub(in super::super) struct BuildPanel {
    pub(in super::super) id: BuildId,
    pub(in super::super) state: BuildState,
    pub(in super::super) is_final: bool,
    /// One sentence.
    pub(in super::super) summary: String,
    /// Pages that are done, and how many there are, while it renders.
    pub(in super::super) progress: Option<(u64, u64)>,
    pub(in super::super) log: Vec<LogLine>,
    pub(in super::super) site_url: String,
}

/// News of a build, for a page that watches it.
#[derive(Debug, Serialize)]
pub(in super::super) struct BuildUpdate {
    pub(in super::super) panel: BuildPanel,
}

/// A build by itself.
#[derive(Debug, Serialize)]
pub(in super::super) struct BuildPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) mode: BuildMode,
    pub(in super::super) at: Moment,
    pub(in super::super) panel: BuildPanel,
}

/// A build in the list.
#[derive(Debug, Serialize)]
pub(in super::super) struct BuildRow {
    pub(in super::super) id: BuildId,
    pub(in super::super) state: BuildState,
    pub(in super::super) mode: BuildMode,
    pub(in super::super) at: Moment,
    /// How long it took, if it ended.
    pub(in super::super) took: Option<String>,
    pub(in super::super) rendered: u64,
    pub(in super::super) total: u64,
    pub(in super::super) release: Option<ReleaseId>,
    pub(in super::super) error: Option<String>,
}

/// The builds.
#[derive(Debug, Serialize)]
pub(in super::super) struct BuildsPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) builds: Vec<BuildRow>,
    pub(in super::super) more: Option<String>,
}

/// A release in the list.
#[derive(Debug, Serialize)]
pub(in super::super) struct ReleaseRow {
    pub(in super::super) id: ReleaseId,
    pub(in super::super) at: Moment,
    pub(in super::super) pages: u64,
    pub(in super::super) build: Option<BuildId>,
    pub(in super::super) rolled_back_to: Option<ReleaseId>,
    pub(in super::super) is_live: bool,
}

/// The releases.
#[derive(Debug, Serialize)]
pub(in super::super) struct ReleasesPage {
    pub(in super::super) frame: Frame,
    pub(in super::super) releases: Vec<ReleaseRow>,
    pub(in super::super) more: Option<String>,
}

#[cfg(test)]
mod samples {
    use microblog_domain::Timestamp;

    use super::super::sample::{HOSTILE, moment};
    use super::*;

    fn id() -> BuildId {
        BuildId::generate(Timestamp::UNIX_EPOCH)
    }

    impl BuildPanel {
        pub(crate) fn samples() -> Vec<Self> {
            let line = || LogLine {
                at: moment(),
                clock: "14:03:00.123".to_owned(),
                kind: "warning",
                text: HOSTILE.to_owned(),
            };
            let panel = |state: BuildState, progress| Self {
                id: id(),
                state,
                is_final: state.is_final(),
                summary: HOSTILE.to_owned(),
                progress,
                log: vec![line()],
                site_url: "https://example.org/".to_owned(),
            };
            vec![
                panel(BuildState::Waiting, None),
                panel(BuildState::Failed, None),
                panel(BuildState::Succeeded, None),
                panel(BuildState::Running, Some((420, 1_000))),
            ]
        }
    }

    impl BuildUpdate {
        pub(crate) fn samples() -> Vec<Self> {
            BuildPanel::samples().into_iter().map(|panel| Self { panel }).collect()
        }
    }

    impl BuildPage {
        pub(crate) fn samples() -> Vec<Self> {
            let page = |panel| Self { frame: Frame::sample(), mode: BuildMode::Full, at: moment(), panel };
            BuildPanel::samples().into_iter().map(page).collect()
        }
    }

    impl BuildsPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |state: BuildState| BuildRow {
                id: id(),
                state,
                mode: BuildMode::Incremental,
                at: moment(),
                took: state.is_final().then(|| "0.3 s".to_owned()),
                rendered: 3,
                total: 12,
                release: state.is_final().then_some(ReleaseId(3)),
                error: (state == BuildState::Failed).then(|| HOSTILE.to_owned()),
            };
            let states = [BuildState::Waiting, BuildState::Running, BuildState::Succeeded, BuildState::Failed];
            let page = |builds, more| Self { frame: Frame::sample(), builds, more };
            vec![page(states.map(row).into(), Some("?cursor=x".to_owned())), page(Vec::new(), None)]
        }
    }

    impl ReleasesPage {
        pub(crate) fn samples() -> Vec<Self> {
            let row = |number, rolled_back_to| ReleaseRow {
                id: ReleaseId(number),
                at: moment(),
                pages: 12,
                build: Some(id()),
                rolled_back_to,
                is_live: number == 9,
            };
            let rows = vec![row(9, Some(ReleaseId(7))), row(8, None), row(7, None)];
            let page = |frame, releases, more| Self { frame, releases, more };
            let free = Frame { pinned: None, ..Frame::sample() };
            vec![page(Frame::sample(), rows, Some("?cursor=7".to_owned())), page(free, Vec::new(), None)]
        }
    }
}
