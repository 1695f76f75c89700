//! Single edits, a second or more apart: from sending one until nginx serves it. The services and `microblog up` take
//! turns, so that whatever else the machine does meets both alike.

use std::time::Duration;

use crate::interrupt;
use crate::measure::author::{Author, Taken};
use crate::measure::{Plan, targets};
use crate::report::{Row, Statistic, Unit};
use crate::say;

/// Between two edits, of which every other one is for the services.
const BETWEEN_EDITS: Duration = Duration::from_millis(500);

type Value = fn(&Taken) -> f64;

pub(super) fn measure(plan: &Plan, number: usize, services: &Author<'_>) -> anyhow::Result<Vec<Row>> {
    let site = &plan.sites[number];
    let filled = plan.filled(number)?;
    let up = filled.installation.start()?;
    up.wait_until_ready()?;
    let alone = Author { server: &up, token: &filled.token };
    alone.build()?;
    up.wait_until_idle()?;
    say(&format!("measuring: single edits, {}", site.title()));
    let (remote, local) = take_turns(plan, services, &alone)?;
    up.stop()?;

    let target = targets::publish(site.posts());
    let services = Case { name: format!("edit by the services, {}", site.title()), taken: &remote };
    let mut rows = services.rows(target)?;
    rows.extend(Case { name: format!("edit by up on SQLite, {}", site.title()), taken: &local }.rows(None)?);
    Ok(rows)
}

fn take_turns(plan: &Plan, services: &Author<'_>, alone: &Author<'_>) -> anyhow::Result<(Vec<Taken>, Vec<Taken>)> {
    let edits = plan.effort.edits;
    let (theirs, own) = (services.newest_posts(edits)?, alone.newest_posts(edits)?);
    let (mut remote, mut local) = (Vec::new(), Vec::new());
    for turn in 0..usize::from(edits) {
        interrupt::pause(BETWEEN_EDITS)?;
        remote.push(services.edit_timed(&theirs[turn % theirs.len()])?);
        interrupt::pause(BETWEEN_EDITS)?;
        local.push(alone.edit_timed(&own[turn % own.len()])?);
    }
    Ok((remote, local))
}

/// Edits that were made in the same way.
struct Case<'a> {
    name: String,
    taken: &'a [Taken],
}

impl Case<'_> {
    fn rows(&self, target: Option<targets::EditTargets>) -> anyhow::Result<Vec<Row>> {
        let mut rows = vec![
            self.row("request to readers", Statistic::Median, |taken| taken.outside)?
                .under(target.map(|target| target.median)),
            self.row("request to readers", Statistic::P99, |taken| taken.outside)?
                .under(target.map(|target| target.p99)),
            self.row("commit to activated", Statistic::Median, |taken| taken.inside)?,
            self.row("commit to activated", Statistic::P99, |taken| taken.inside)?,
            self.row("request to answer", Statistic::Median, |taken| taken.answered)?,
            self.row("commit to claimed by the builder", Statistic::Median, |taken| taken.claimed)?,
            self.row("commit to claimed by the builder", Statistic::P99, |taken| taken.claimed)?,
        ];
        rows.extend(self.phases()?);
        Ok(rows)
    }

    fn phases(&self) -> anyhow::Result<Vec<Row>> {
        let names = self.taken.first().map(|taken| taken.phases.keys()).into_iter().flatten();
        let samples = |name: &str| self.taken.iter().map(|taken| taken.phase(name)).collect::<Vec<_>>();
        let row = |name: &String| {
            Row::new(&self.name, format!("phase {name}"), Unit::Seconds, Statistic::Median, &samples(name))
        };
        names.map(row).collect()
    }

    fn row(&self, quantity: &'static str, statistic: Statistic, value: Value) -> anyhow::Result<Row> {
        let samples: Vec<f64> = self.taken.iter().map(value).collect();
        Row::new(&self.name, quantity, Unit::Seconds, statistic, &samples)
    }
}
