//! `microblog-api` and `microblog-builder` over PostgreSQL and RabbitMQ, and `microblog up` on SQLite beside them.
//!
//! [`publish`] has single edits, [`crowd`] many at once, [`requests`] what the API is asked, [`relay`] the way from the
//! outbox to the broker, [`idle`] the memory of services that have nothing to do.

mod crowd;
mod idle;
mod publish;
mod relay;
mod requests;

use anyhow::Context as _;

use super::Plan;
use super::author::Author;
use crate::report::Row;
use crate::sample::SampleSite;
use crate::say;
use crate::servers::Servers;

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let servers = Servers::start(plan.keep.as_deref())?;
    let mut rows = idle::measure(plan, &servers)?;
    for (number, site) in plan.sites.iter().enumerate() {
        rows.extend(measure_site(plan, &servers, number, site).with_context(|| site.title())?);
    }
    Ok(rows)
}

fn measure_site(plan: &Plan, servers: &Servers, number: usize, site: &SampleSite) -> anyhow::Result<Vec<Row>> {
    say(&format!("getting the services ready: {}", site.title()));
    let remote = servers.filled(&plan.program, &plan.disk, plan.keep.as_deref(), site)?;
    let filled = &remote.installation;
    let server = filled.installation.start_services()?;
    server.wait_until_ready()?;
    let author = Author { server: &server, token: &filled.token };
    author.build()?;
    server.wait_until_idle()?;

    let mut rows = publish::measure(plan, number, &author)?;
    rows.extend(crowd::measure(plan, &filled.installation.live(), &author, site)?);
    server.wait_until_idle()?;
    rows.extend(requests::measure(plan, &author, site)?);
    // A build that is left to wait takes in what the relay's builds ask for, and none of them has a message then.
    server.wait_until_idle()?;
    server.stop()?;
    rows.extend(relay::measure(servers, &remote, site)?);
    Ok(rows)
}
