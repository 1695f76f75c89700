//! A server that was just started is asked for an edit: its worker must read the site before it can build.

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
        let times = |value: fn(&(f64, Taken)) -> f64| runs.iter().map(value).collect::<Vec<_>>();
        let row =
            |quantity: &'static str, times: &[f64]| Row::new(&case, quantity, Unit::Seconds, Statistic::Median, times);
        let target = (site.posts() == 10_000).then_some(targets::EDIT_AFTER_RESTART);
        rows.push(row("start to ready", &times(|(ready, _)| *ready))?);
        rows.push(row("commit to activated", &times(|(_, taken)| taken.inside))?.under(target));
        rows.push(row("request to readers", &times(|(_, taken)| taken.outside))?);
        rows.push(row("phase load", &times(|(_, taken)| taken.phase("load")))?);
        rows.push(row("phase render", &times(|(_, taken)| taken.phase("render")))?);
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

/// Seconds until the server was ready, and what the edit took then.
fn edit_after_start(plan: &Plan, filled: &Filled) -> anyhow::Result<(f64, Taken)> {
    plan.disk.settle();
    let server = filled.installation.start()?;
    let ready = server.wait_until_ready()?;
    let author = Author { server: &server, token: &filled.token };
    let posts = author.newest_posts(1)?;
    let taken = author.edit_timed(&posts[0])?;
    server.stop()?;
    Ok((ready.as_secs_f64(), taken))
}
