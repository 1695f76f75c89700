//! A server that was just started is asked for an edit: its worker must read the site before it can build.

use std::time::Instant;

use super::author::{Author, Taken};
use super::{Plan, targets};
use crate::installation::Filled;
use crate::report::{Row, Statistic, Unit};
use crate::say;

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, site) in plan.sites.iter().enumerate() {
        let case = format!("restart, then one edit, {}", site.title());
        say(&format!("measuring: {case}"));
        let filled = plan.filled(number)?;
        warm_up(filled)?;
        let runs = (0..plan.effort.runs).map(|_| edit_after_start(plan, filled)).collect::<anyhow::Result<Vec<_>>>()?;
        let times = |value: fn(&Started) -> f64| runs.iter().map(value).collect::<Vec<_>>();
        let row =
            |quantity: &'static str, times: &[f64]| Row::new(&case, quantity, Unit::Seconds, Statistic::Median, times);
        let target = (site.posts() == 10_000).then_some(targets::EDIT_AFTER_RESTART);
        rows.push(row("start to ready", &times(|run| run.ready))?);
        rows.push(row("commit to activated", &times(|run| run.edit.inside))?.under(target));
        rows.push(row("start to readers", &times(|run| run.to_readers))?.under(target));
        rows.push(row("phase load", &times(|run| run.edit.phase("load")))?);
        rows.push(row("phase render", &times(|run| run.edit.phase("render")))?);
    }
    Ok(rows)
}

/// The first start of all makes the whole site, which is not what is measured here.
fn warm_up(filled: &Filled) -> anyhow::Result<()> {
    let server = filled.installation.start()?;
    server.wait_until_ready()?;
    Author { server: &server, token: &filled.token }.build()?;
    server.wait_until_idle()?;
    server.stop().map(drop)
}

/// One start, in seconds.
struct Started {
    /// Until the server was ready.
    ready: f64,
    /// What the edit took then.
    edit: Taken,
    /// From the start until readers had the edit.
    to_readers: f64,
}

fn edit_after_start(plan: &Plan, filled: &Filled) -> anyhow::Result<Started> {
    plan.disk.settle();
    let begin = Instant::now();
    let server = filled.installation.start()?;
    let ready = server.wait_until_ready()?;
    let author = Author { server: &server, token: &filled.token };
    let posts = author.newest_posts(1)?;
    let asked = begin.elapsed();
    let edit = author.edit_timed(&posts[0])?;
    server.stop()?;
    Ok(Started { ready: ready.as_secs_f64(), to_readers: asked.as_secs_f64() + edit.outside, edit })
}
