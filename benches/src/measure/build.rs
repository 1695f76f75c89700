//! `microblog build` of a whole site into a folder that is not there yet.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::{Plan, targets};
use crate::child::{Child, Usage};
use crate::place::Place;
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;

/// A hundred times what the largest site should take.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for site in &plan.sites {
        for place in plan.places() {
            rows.extend(measure_at(plan, site, place)?);
        }
    }
    Ok(rows)
}

fn measure_at(plan: &Plan, site: &SampleSite, place: &Place) -> anyhow::Result<Vec<Row>> {
    let case = format!("build, {}, {}", site.title(), place.medium.name());
    say(&format!("measuring: {case}"));
    let outputs = place.new_folder("outputs-")?;
    let build = |run: u16| build_once(plan, site, place, &outputs.join(run.to_string()));
    let usages = (0..plan.runs).map(build).collect::<anyhow::Result<Vec<_>>>().with_context(|| case.clone())?;
    let row = |quantity, unit, value: fn(&Usage) -> f64| {
        Row::new(&case, quantity, unit, Statistic::Median, &usages.iter().map(value).collect::<Vec<_>>())
    };
    Ok(vec![
        row("wall clock", Unit::Seconds, |usage| usage.wall.as_secs_f64())?.under(targets::build(site)),
        row("processor time", Unit::Seconds, |usage| usage.cpu.as_secs_f64())?,
        row("peak memory", Unit::Bytes, |usage| usage.peak_bytes as f64)?.under(Some(targets::BUILD_PEAK)),
    ])
}

fn build_once(plan: &Plan, site: &SampleSite, place: &Place, output: &Path) -> anyhow::Result<Usage> {
    let mut command = plan.program.command(&["build"]);
    command.arg("--content").arg(site.folder()).arg("--output").arg(output);
    place.settle();
    let usage = Child::run(&mut command, PATIENCE)?;
    place.discard(output)?;
    Ok(usage)
}
