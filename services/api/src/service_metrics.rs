//! What the whole service is like, as the database and the disks tell: the same whichever process answers. Read anew
//! for every scrape, so that it is right from the first one after a restart.
//!
//! What this process did by itself is counted in [`crate::metrics`].

use std::path::Path;

use metrics::{Unit, describe_gauge, gauge};
use microblog_store::{StoreError, builds, outbox, posts};

use crate::health::STALE_OUTBOX;
use crate::space::Space;
use crate::state::AppState;

const POSTS: &str = "microblog_posts";
const JOBS: &str = "microblog_jobs";
const OUTBOX_PENDING: &str = "microblog_outbox_pending";
const OUTBOX_AGE: &str = "microblog_outbox_oldest_age_seconds";
const POOL: &str = "microblog_db_pool_connections";
const POOL_MAX: &str = "microblog_db_pool_connections_max";
const DISK_FREE: &str = "microblog_disk_free_bytes";
const DISK_TOTAL: &str = "microblog_disk_total_bytes";
const DEPENDENCY_UP: &str = "microblog_dependency_up";

/// Tells the recorder what the numbers mean.
pub(crate) fn describe() {
    describe_gauge!(POSTS, "Posts, by status");
    describe_gauge!(JOBS, "Builds that are not finished, and those that were given up, by state");
    describe_gauge!(OUTBOX_PENDING, "Messages that were not passed on yet");
    describe_gauge!(OUTBOX_AGE, Unit::Seconds, "How long the oldest message that may be passed on has waited");
    describe_gauge!(POOL, "Open connections to the database, by state");
    describe_gauge!(POOL_MAX, "How many connections there may be");
    describe_gauge!(DISK_FREE, Unit::Bytes, "Free space, by volume");
    describe_gauge!(DISK_TOTAL, Unit::Bytes, "Space, by volume");
    describe_gauge!(DEPENDENCY_UP, "Whether a dependency works: 1 or 0");
}

/// Reads everything.
pub(crate) async fn refresh(app: &AppState) {
    let is_up = match from_database(app).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "the metrics from the database can not be read");
            false
        }
    };
    set_up("database", is_up);
    set_pool(app);
    let data = app.media.path().parent().unwrap_or(app.media.path());
    let (build, data) = tokio::join!(set_space("build", &app.build_dir), set_space("data", data));
    set_up("storage", build && data);
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
async fn from_database(app: &AppState) -> Result<(), StoreError> {
    let mut conn = app.store.read().await?;
    for (status, count) in posts::count_by_status(&mut conn).await? {
        gauge!(POSTS, "status" => status.as_str()).set(count as f64);
    }
    let jobs = builds::counts(&mut conn).await?;
    for (state, count) in
        [("waiting", jobs.waiting), ("running", jobs.running), ("retrying", jobs.retrying), ("dead", jobs.dead)]
    {
        gauge!(JOBS, "state" => state).set(count as f64);
    }
    let now = app.clock.now();
    let backlog = outbox::backlog(&mut conn, now).await?;
    let age = backlog.oldest_due.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64());
    gauge!(OUTBOX_PENDING).set(backlog.pending as f64);
    gauge!(OUTBOX_AGE).set(age);
    set_up("broker", age <= STALE_OUTBOX.as_secs_f64());
    Ok(())
}

fn set_up(dependency: &'static str, is_up: bool) {
    gauge!(DEPENDENCY_UP, "dependency" => dependency).set(f64::from(u8::from(is_up)));
}

fn set_pool(app: &AppState) {
    let connections = app.store.pool_use();
    gauge!(POOL, "state" => "used").set(f64::from(connections.used));
    gauge!(POOL, "state" => "idle").set(f64::from(connections.idle));
    gauge!(POOL_MAX).set(f64::from(connections.max));
}

/// Whether the volume answers.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
async fn set_space(volume: &'static str, folder: &Path) -> bool {
    let Some(space) = Space::of(folder).await else { return false };
    gauge!(DISK_FREE, "volume" => volume).set(space.free as f64);
    gauge!(DISK_TOTAL, "volume" => volume).set(space.total as f64);
    true
}
