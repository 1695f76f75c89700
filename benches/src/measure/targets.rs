//! What was promised, by the number of posts that a site has. Each number has to stay under its target, or reach it.

/// From the start of `microblog up` in an empty folder until it is ready, in seconds.
pub(super) const READY: f64 = 1.0;
/// The memory of `microblog up` that has nothing to do, in bytes.
pub(super) const IDLE: f64 = 60e6;
/// How many times as large as the code its highlighted HTML is.
pub(super) const CODE_GROWTH: f64 = 3.0;
/// A full build of ten times as many posts.
pub(super) const TEN_TIMES_THE_POSTS: f64 = 11.0;

/// An edit of a site of a hundred times as many posts.
pub(super) const EDIT_OF_A_HUNDRED_TIMES_THE_POSTS: f64 = 1.5;
/// A new post by an edit.
pub(super) const NEW_POST_BY_EDIT: f64 = 2.0;
/// Edits in a row, a second.
pub(super) const EDITS_A_SECOND: f64 = 6.0;
/// An edit for which the worker must read the site first, in seconds.
pub(super) const EDIT_AFTER_RESTART: f64 = 0.5;
/// File-system entries that one edit makes, renames or removes.
pub(super) const ENTRIES: f64 = 200.0;

/// Edits of many authors at once, from the request to readers, all but one in a hundred, in seconds.
pub(super) const CROWD_P99: f64 = 1.0;
/// List, read and save, all but one in twenty, in seconds.
pub(super) const API_P95: f64 = 0.020;
/// Messages from the outbox that the broker confirms.
pub(super) const RELAYED_A_SECOND: f64 = 5_000.0;
/// The memory of each service that has nothing to do, in bytes.
pub(super) const SERVICE_IDLE: f64 = 40e6;

const SMALL: usize = 1_000;
const MIDDLE: usize = 10_000;
const LARGE: usize = 100_000;

/// What is promised of a full build.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct BuildTargets {
    /// Seconds, with highlighting.
    pub(super) wall: Option<f64>,
    pub(super) peak_bytes: Option<f64>,
    /// Wall clock and processor time by Hugo's, without highlighting.
    pub(super) plain_by_hugo: Option<f64>,
    /// The same with highlighting, for the first time.
    pub(super) first_by_hugo: Option<f64>,
    /// The same with whatever the first time left behind.
    pub(super) second_by_hugo: Option<f64>,
    /// By the least that must be done.
    pub(super) plain_by_floor: Option<f64>,
    /// Seconds, when nothing has changed.
    pub(super) unchanged: Option<f64>,
}

pub(super) fn build(posts: usize) -> BuildTargets {
    match posts {
        SMALL => BuildTargets { wall: Some(0.5), ..BuildTargets::default() },
        MIDDLE => BuildTargets {
            wall: Some(3.0),
            peak_bytes: Some(120e6),
            plain_by_hugo: Some(1.0 / 8.0),
            first_by_hugo: Some(1.0 / 3.0),
            second_by_hugo: Some(1.0 / 10.0),
            plain_by_floor: Some(2.0),
            unchanged: Some(0.1),
        },
        LARGE => BuildTargets { peak_bytes: Some(500e6), plain_by_hugo: Some(1.0 / 10.0), ..BuildTargets::default() },
        _ => BuildTargets::default(),
    }
}

/// How long an edit may take, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EditTargets {
    pub(super) median: f64,
    /// All but one in a hundred.
    pub(super) p99: f64,
}

/// From the commit of an edit to its activation.
pub(super) fn edit(posts: usize) -> Option<EditTargets> {
    (posts == MIDDLE).then_some(EditTargets { median: 0.030, p99: 0.060 })
}

/// From sending an edit to the services until readers have it.
pub(super) fn publish(posts: usize) -> Option<EditTargets> {
    (posts == MIDDLE).then_some(EditTargets { median: 0.060, p99: 0.150 })
}

/// From objects that are written to a release that is live and durable, in seconds.
pub(super) fn release_step(posts: usize) -> Option<f64> {
    (posts == LARGE).then_some(0.010)
}
