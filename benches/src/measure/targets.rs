//! What was promised, by the number of posts that a site has. Each number has to stay under its target, or reach it.

/// From the start of `microblog up` in an empty folder until it is ready, in seconds.
pub(super) const READY: f64 = 1.0;
/// The memory of `microblog up` that has nothing to do, in bytes.
pub(super) const IDLE: f64 = 60e6;
/// How many times as large as the code its highlighted HTML is.
pub(super) const CODE_GROWTH: f64 = 3.0;
/// A full build of ten times as many posts.
pub(super) const TEN_TIMES_THE_POSTS: f64 = 11.0;

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
