//! What the whole service is like, as the database and the disks tell: the same whichever process answers. Read anew
//! for every scrape, so that it is right from the first one after a restart.
//!
//! What this process did by itself is counted in [`crate::metrics`].

use metrics::{Unit, describe_gauge, gauge};
use microblog_process::{Space, dependency_up};
use microblog_queue::Condition;
use microblog_store::{StoreError, builds, outbox, posts};

use crate::health::{STALE_OUTBOX, data_dir};
use crate::state::AppState;

const POSTS: &str = "microblog_posts";
const JOBS: &str = "microblog_jobs";
const OUTBOX_PENDING: &str = "microblog_outbox_pending";
const OUTBOX_AGE: &str = "microblog_outbox_oldest_age_seconds";
const POOL: &str = "microblog_db_pool_connections";
const POOL_MAX: &str = "microblog_db_pool_connections_max";

/// Tells the recorder what the numbers mean.
pub(crate) fn describe() {
    describe_gauge!(POSTS, "Posts, by status");
    describe_gauge!(JOBS, "Builds that are not finished, and those that were given up, by state");
    describe_gauge!(OUTBOX_PENDING, "Messages that were not passed on yet; no more than 10,000 are counted");
    describe_gauge!(OUTBOX_AGE, Unit::Seconds, "How long the oldest message that may be passed on has waited");
    describe_gauge!(POOL, "Open connections to the database, by state");
    describe_gauge!(POOL_MAX, "How many connections there may be");
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
    dependency_up("database", is_up);
    set_pool(app);
    dependency_up("storage", measure_space(app).await);
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
    dependency_up("broker", age <= STALE_OUTBOX.as_secs_f64() && app.queue.condition() == Condition::Up);
    Ok(())
}

fn set_pool(app: &AppState) {
    let connections = app.store.pool_use();
    gauge!(POOL, "state" => "used").set(f64::from(connections.used));
    gauge!(POOL, "state" => "idle").set(f64::from(connections.idle));
    gauge!(POOL_MAX).set(f64::from(connections.max));
}

/// Whether the volumes answer.
async fn measure_space(app: &AppState) -> bool {
    let data = Space::measure("data", &data_dir(app)).await;
    let build = match &app.build_dir {
        Some(folder) => Space::measure("build", folder).await,
        None => true,
    };
    data && build
}
