//! What was promised. Each number has to stay under its target.

use crate::sample::SampleSite;

/// The memory of a build, in bytes.
pub(super) const BUILD_PEAK: f64 = 300e6;
/// From the start of `microblog up` in an empty folder until it is ready, in seconds.
pub(super) const READY: f64 = 1.0;
/// The memory of `microblog up` that has nothing to do, in bytes.
pub(super) const IDLE: f64 = 60e6;

/// How long a full build may take, in seconds. Promised for generated sites of two sizes.
pub(super) fn build(site: &SampleSite) -> Option<f64> {
    match site.generated_posts() {
        Some(1_000) => Some(0.5),
        Some(10_000) => Some(3.0),
        _ => None,
    }
}

/// How long an edit of a site of 10,000 posts may take to be live, in seconds: in the median, and all but one in a
/// hundred. The promise starts at the commit; what is measured holds the request, too.
pub(super) fn edit(site: &SampleSite) -> Option<(f64, f64)> {
    (site.generated_posts() == Some(10_000)).then_some((0.030, 0.060))
}
