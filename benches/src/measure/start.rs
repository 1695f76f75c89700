//! `microblog up` in an empty folder: the first thing that a newcomer waits for, and what it costs to leave it running.

use std::time::Duration;

use super::{Plan, targets};
use crate::installation::Installation;
use crate::interrupt;
use crate::report::{Row, Statistic, Unit};
use crate::say;

/// How long it is left alone before it counts as idle: the sample post is built by then.
const REST: Duration = Duration::from_secs(5);

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let case = "up, empty folder, disk";
    say(&format!("measuring: {case}"));
    let starts = (0..plan.effort.runs).map(|_| start_once(plan)).collect::<anyhow::Result<Vec<_>>>()?;
    let (ready, idle): (Vec<f64>, Vec<f64>) = starts.into_iter().unzip();
    Ok(vec![
        Row::new(case, "start to ready", Unit::Seconds, Statistic::Median, &ready)?.under(Some(targets::READY)),
        Row::new(case, "idle memory", Unit::Bytes, Statistic::Median, &idle)?.under(Some(targets::IDLE)),
    ])
}

/// Seconds until it was ready, and bytes when it was idle.
fn start_once(plan: &Plan) -> anyhow::Result<(f64, f64)> {
    plan.disk.settle();
    let installation = Installation::new(&plan.program, &plan.disk)?;
    let server = installation.start()?;
    let ready = server.wait_until_ready()?;
    interrupt::pause(REST)?;
    let idle = server.resident_bytes()?;
    server.stop()?;
    Ok((ready.as_secs_f64(), idle as f64))
}
