//! What every process tells of itself.

use std::time::{Duration, Instant};

use metrics::{Unit, describe_gauge, gauge};
use tokio::runtime::{Handle, RuntimeMetrics};

use crate::VERSION;

const BUILD_INFO: &str = "microblog_build_info";
const READY: &str = "microblog_ready";
const DEPENDENCY_UP: &str = "microblog_dependency_up";
const CONNECTIONS: &str = "microblog_http_connections";
const DISK_FREE: &str = "microblog_disk_free_bytes";
const DISK_TOTAL: &str = "microblog_disk_total_bytes";
const TASKS: &str = "microblog_runtime_tasks";
const TASKS_WAITING: &str = "microblog_runtime_queue_depth";
const BUSY: &str = "microblog_runtime_busy_ratio";

/// The commit that this was built from, if whoever built it said.
const REVISION: &str = match option_env!("MICROBLOG_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Over how long the share is taken that the threads are busy: a scrape's distance, or less.
const BUSY_OVER: Duration = Duration::from_secs(5);

/// Tells which program runs here, and what the numbers of every process mean. It is not ready yet.
pub(crate) fn begin(service: &'static str) {
    describe_gauge!(BUILD_INFO, "1; the labels say what runs here");
    describe_gauge!(READY, "Whether the process can do its work, as /health/ready says: 1 or 0");
    describe_gauge!(DEPENDENCY_UP, "Whether a dependency works: 1 or 0");
    describe_gauge!(CONNECTIONS, "Open connections of HTTP clients");
    describe_gauge!(DISK_FREE, Unit::Bytes, "Free space, by volume");
    describe_gauge!(DISK_TOTAL, Unit::Bytes, "Space, by volume");
    describe_gauge!(TASKS, "Tasks of the asynchronous runtime: connections, requests, what runs beside them");
    describe_gauge!(TASKS_WAITING, "Tasks that wait for a thread to begin with");
    describe_gauge!(BUSY, "The share of time that the threads of the runtime had something to do: 0 to 1");
    gauge!(BUILD_INFO, "version" => VERSION, "revision" => REVISION, "service" => service).set(1.0);
    ready(false);
}

/// Whether the process can do its work.
pub(crate) fn ready(is_ready: bool) {
    gauge!(READY).set(f64::from(u8::from(is_ready)));
}

/// Whether something that the process depends on works: `database`, `broker` or `storage`.
pub fn dependency_up(dependency: &'static str, is_up: bool) {
    gauge!(DEPENDENCY_UP, "dependency" => dependency).set(f64::from(u8::from(is_up)));
}

/// A client was given a connection.
pub(crate) fn connection_opened() {
    gauge!(CONNECTIONS).increment(1.0);
}

/// A client's connection ended.
pub(crate) fn connection_closed() {
    gauge!(CONNECTIONS).decrement(1.0);
}

/// How much room a volume has.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
pub(crate) fn space(volume: &'static str, free: u64, total: u64) {
    gauge!(DISK_FREE, "volume" => volume).set(free as f64);
    gauge!(DISK_TOTAL, "volume" => volume).set(total as f64);
}

/// Tells, for as long as the process lives, how much the runtime that it is called in has to do.
pub(crate) async fn watch_runtime() {
    let runtime = Handle::current().metrics();
    let (mut busy, mut since) = (busy_time(&runtime), Instant::now());
    let mut ticks = tokio::time::interval(BUSY_OVER);
    loop {
        ticks.tick().await;
        let (busy_now, now) = (busy_time(&runtime), Instant::now());
        runtime_is(&runtime, busy_now.saturating_sub(busy), now - since);
        (busy, since) = (busy_now, now);
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
fn runtime_is(runtime: &RuntimeMetrics, busy: Duration, of: Duration) {
    let available = of.as_secs_f64() * runtime.num_workers() as f64;
    gauge!(TASKS).set(runtime.num_alive_tasks() as f64);
    gauge!(TASKS_WAITING).set(runtime.global_queue_depth() as f64);
    gauge!(BUSY).set((busy.as_secs_f64() / available.max(f64::EPSILON)).min(1.0));
}

/// Of all threads together.
fn busy_time(runtime: &RuntimeMetrics) -> Duration {
    (0..runtime.num_workers()).map(|worker| runtime.worker_total_busy_duration(worker)).sum()
}
