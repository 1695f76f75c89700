//! The memory of services with an empty site, when nobody has asked them for anything for a while.

use std::time::Duration;

use crate::child::Child;
use crate::interrupt;
use crate::measure::{Plan, targets};
use crate::report::{Row, Statistic, Unit};
use crate::say;
use crate::servers::Servers;

/// How long they are left alone: the first release is made by then.
const REST: Duration = Duration::from_secs(5);

pub(super) fn measure(plan: &Plan, servers: &Servers) -> anyhow::Result<Vec<Row>> {
    say("measuring: idle services, empty site");
    let remote = servers.empty(&plan.program, &plan.disk)?;
    remote.installation.make_token()?;
    let server = remote.installation.start_services()?;
    server.wait_until_ready()?;
    interrupt::pause(REST)?;
    let mut rows = Vec::new();
    for (name, process) in ["microblog-api", "microblog-builder"].iter().zip(server.processes()) {
        rows.extend(memory(&format!("{name}, empty site, idle"), process)?);
    }
    server.stop()?;
    Ok(rows)
}

fn memory(case: &str, process: &Child) -> anyhow::Result<[Row; 2]> {
    let row =
        |quantity: &'static str, bytes: u64| Row::new(case, quantity, Unit::Bytes, Statistic::Median, &[bytes as f64]);
    Ok([
        row("resident memory", process.resident_bytes()?)?.under(Some(targets::SERVICE_IDLE)),
        row("proportional memory", process.proportional_bytes()?)?,
    ])
}
