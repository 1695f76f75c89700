//! What every process tells of itself.

use metrics::{Unit, describe_gauge, gauge};

use crate::VERSION;

const BUILD_INFO: &str = "microblog_build_info";
const DEPENDENCY_UP: &str = "microblog_dependency_up";
const CONNECTIONS: &str = "microblog_http_connections";
const DISK_FREE: &str = "microblog_disk_free_bytes";
const DISK_TOTAL: &str = "microblog_disk_total_bytes";

/// The commit that this was built from, if whoever built it said.
const REVISION: &str = match option_env!("MICROBLOG_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Tells which program runs here, and what the numbers of every process mean.
pub fn build_info(service: &'static str) {
    describe_gauge!(BUILD_INFO, "1; the labels say what runs here");
    describe_gauge!(DEPENDENCY_UP, "Whether a dependency works: 1 or 0");
    describe_gauge!(CONNECTIONS, "Open connections of HTTP clients");
    describe_gauge!(DISK_FREE, Unit::Bytes, "Free space, by volume");
    describe_gauge!(DISK_TOTAL, Unit::Bytes, "Space, by volume");
    gauge!(BUILD_INFO, "version" => VERSION, "revision" => REVISION, "service" => service).set(1.0);
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
