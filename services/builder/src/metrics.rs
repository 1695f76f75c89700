//! The names of this crate's metrics, one typed function for each event.

use std::time::Duration;

use metrics::{Histogram, Unit, counter, describe_counter, describe_histogram, histogram};
use microblog_domain::{BuildMode, BuildState, PageCounts, Timestamp};

use crate::build_site::Phase;

const BUILDS: &str = "microblog_builds_total";
const BUILD_SECONDS: &str = "microblog_build_duration_seconds";
const RENDERED: &str = "microblog_build_pages_rendered_total";
const REUSED: &str = "microblog_build_pages_reused_total";
const PUBLISH_TO_LIVE: &str = "microblog_publish_to_live_seconds";
const SET_ASIDE: &str = "microblog_posts_set_aside_total";
const IMAGES: &str = "microblog_images_total";

/// All phases together.
const TOTAL: &str = "total";

/// How a build ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
    /// Another build took its work over.
    Superseded,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Cancelled, Self::Superseded];

    /// What a build in this state came to; nothing if it waits to be tried again.
    pub(crate) const fn of(state: BuildState) -> Option<Self> {
        match state {
            BuildState::Succeeded => Some(Self::Succeeded),
            BuildState::Failed => Some(Self::Failed),
            BuildState::Cancelled => Some(Self::Cancelled),
            BuildState::Superseded => Some(Self::Superseded),
            BuildState::Waiting | BuildState::Running => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }
}

/// What became of a picture of which variants were wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ImageOutcome {
    Made,
    SetAside,
}

impl ImageOutcome {
    const ALL: [Self; 2] = [Self::Made, Self::SetAside];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::SetAside => "set_aside",
        }
    }
}

/// Describes the metrics, and lets the counters begin at 0 so that their first increase is seen.
pub(crate) fn describe() {
    describe_counter!(BUILDS, "Builds that came to an end, by outcome");
    describe_histogram!(BUILD_SECONDS, Unit::Seconds, "Time that builds took, by phase and mode");
    describe_counter!(RENDERED, "Pages that were rendered");
    describe_counter!(REUSED, "Pages that were kept from the release before");
    describe_histogram!(PUBLISH_TO_LIVE, Unit::Seconds, "Time from the commit of an edit to its activation");
    for outcome in Outcome::ALL {
        counter!(BUILDS, "outcome" => outcome.as_str()).absolute(0);
    }
    describe_counter!(IMAGES, "Pictures of which smaller variants were wanted, by outcome");
    for outcome in ImageOutcome::ALL {
        counter!(IMAGES, "outcome" => outcome.as_str()).absolute(0);
    }
    describe_counter!(SET_ASIDE, "Posts that crash the renderer and were set aside");
    counter!(SET_ASIDE).absolute(0);
    counter!(RENDERED).absolute(0);
    counter!(REUSED).absolute(0);
    // A histogram is shown from its first mention on.
    let _publish_to_live = histogram!(PUBLISH_TO_LIVE);
    for mode in BuildMode::ALL {
        let _phases = Phase::ALL.map(|phase| build_seconds(phase.as_str(), *mode));
        let _total = build_seconds(TOTAL, *mode);
    }
}

fn build_seconds(phase: &'static str, mode: BuildMode) -> Histogram {
    histogram!(BUILD_SECONDS, "phase" => phase, "mode" => mode.as_str())
}

/// A build came to its end.
pub(crate) fn build_ended(outcome: Outcome) {
    counter!(BUILDS, "outcome" => outcome.as_str()).increment(1);
}

/// A post crashes the renderer and was taken off the site.
pub(crate) fn post_set_aside() {
    counter!(SET_ASIDE).increment(1);
}

/// Work on a picture came to its end.
pub(crate) fn image_ended(outcome: ImageOutcome) {
    counter!(IMAGES, "outcome" => outcome.as_str()).increment(1);
}

/// What a build did that succeeded.
pub(crate) fn build_succeeded(mode: BuildMode, timings: &[(Phase, Duration)], pages: PageCounts) {
    for (phase, duration) in timings {
        build_seconds(phase.as_str(), mode).record(duration.as_secs_f64());
    }
    let total: Duration = timings.iter().map(|(_, duration)| duration).sum();
    build_seconds(TOTAL, mode).record(total.as_secs_f64());
    counter!(RENDERED).increment(pages.rendered);
    counter!(REUSED).increment(pages.reused);
}

/// A release went live that shows an edit of `requested_at`.
pub(crate) fn went_live(requested_at: Timestamp, at: Timestamp) {
    let waited = at.duration_since(requested_at).as_secs_f64().max(0.0);
    histogram!(PUBLISH_TO_LIVE).record(waited);
}
