//! What the whole installation is like, as the database tells: the same whichever process answers. Read anew for a scrape,
//! at most twice a second, so that it is right from the first one after a restart.
//!
//! What this process did by itself is counted in [`crate::metrics`]. The two are kept apart because they are put together in
//! different ways: what processes did is added, of what they all tell the largest is taken. What can not be read is not a
//! number, so that nobody goes by what was true once while another process still knows better.

use metrics::{Unit, describe_gauge, gauge};
use microblog_domain::{BuildState, PostStatus, Timestamp};
use microblog_store::builds::BuildCounts;
use microblog_store::outbox::Backlog;
use microblog_store::{StoreError, builds, in_a_moment, outbox, posts, releases};
use microblog_telemetry::health::Finding;

use crate::state::AppState;

const UP: &str = "microblog_installation_metrics_up";
const POSTS: &str = "microblog_posts";
const JOBS: &str = "microblog_jobs";
const OUTBOX_PENDING: &str = "microblog_outbox_pending";
const OUTBOX_AGE: &str = "microblog_outbox_oldest_age_seconds";
const ACTIVATED_AT: &str = "microblog_release_activated_timestamp_seconds";
const SUCCEEDED_AT: &str = "microblog_last_build_success_timestamp_seconds";
const FAILED_AT: &str = "microblog_last_build_failure_timestamp_seconds";

/// Tells the recorder what the numbers mean.
pub(crate) fn describe() {
    describe_gauge!(UP, "Whether the database told the metrics of the installation for this scrape: 1 or 0");
    describe_gauge!(POSTS, "Posts, by status");
    describe_gauge!(JOBS, "Builds that are not finished, and those that were given up, by state");
    describe_gauge!(OUTBOX_PENDING, "Messages that were not passed on yet; no more than 10,000 are counted");
    describe_gauge!(OUTBOX_AGE, Unit::Seconds, "How long the oldest message that may be passed on has waited");
    describe_gauge!(ACTIVATED_AT, Unit::Seconds, "When the live release was activated, since 1970");
    describe_gauge!(SUCCEEDED_AT, Unit::Seconds, "When a build last succeeded, since 1970");
    describe_gauge!(FAILED_AT, Unit::Seconds, "When a build was last given up, since 1970");
}

/// Reads everything, within a second.
pub(crate) async fn refresh(app: &AppState) {
    app.installation.get(read(app)).await;
}

async fn read(app: &AppState) {
    let figures = in_a_moment(Figures::read(app)).await;
    tell(figures.as_ref().ok());
    app.health.troubles().found(figures.map(|_| Finding::healthy()), "installation");
}

/// What the database knows.
struct Figures {
    posts: Vec<(PostStatus, u64)>,
    jobs: BuildCounts,
    outbox: Backlog,
    outbox_age: f64,
    activated_at: Option<Timestamp>,
    succeeded_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
}

impl Figures {
    async fn read(app: &AppState) -> Result<Self, StoreError> {
        let now = app.clock.now();
        let mut conn = app.store.read().await?;
        let outbox = outbox::backlog(&mut conn, now).await?;
        Ok(Self {
            posts: posts::count_by_status(&mut conn).await?,
            jobs: builds::counts(&mut conn).await?,
            outbox_age: outbox.oldest_due.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64()),
            outbox,
            activated_at: releases::list(&mut conn, None, 1).await?.first().map(|release| release.activated_at),
            succeeded_at: builds::last_ended(&mut conn, BuildState::Succeeded).await?,
            failed_at: builds::last_ended(&mut conn, BuildState::Failed).await?,
        })
    }
}

fn tell(figures: Option<&Figures>) {
    let figure = |read: fn(&Figures) -> f64| figures.map_or(f64::NAN, read);
    gauge!(UP).set(f64::from(u8::from(figures.is_some())));
    for status in PostStatus::ALL {
        let posts = figures.map_or(f64::NAN, |figures| figures.posts_that_are(*status));
        gauge!(POSTS, "status" => status.as_str()).set(posts);
    }
    gauge!(JOBS, "state" => "waiting").set(figure(|figures| number(figures.jobs.waiting)));
    gauge!(JOBS, "state" => "running").set(figure(|figures| number(figures.jobs.running)));
    gauge!(JOBS, "state" => "retrying").set(figure(|figures| number(figures.jobs.retrying)));
    gauge!(JOBS, "state" => "dead").set(figure(|figures| number(figures.jobs.dead)));
    gauge!(OUTBOX_PENDING).set(figure(|figures| number(figures.outbox.pending)));
    gauge!(OUTBOX_AGE).set(figure(|figures| figures.outbox_age));
    gauge!(ACTIVATED_AT).set(figure(|figures| seconds(figures.activated_at)));
    gauge!(SUCCEEDED_AT).set(figure(|figures| seconds(figures.succeeded_at)));
    gauge!(FAILED_AT).set(figure(|figures| seconds(figures.failed_at)));
}

impl Figures {
    fn posts_that_are(&self, status: PostStatus) -> f64 {
        number(self.posts.iter().find(|(of, _)| *of == status).map_or(0, |(_, count)| *count))
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Since 1970; not a number if it never was.
fn seconds(time: Option<Timestamp>) -> f64 {
    time.map_or(f64::NAN, |time| time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64())
}
