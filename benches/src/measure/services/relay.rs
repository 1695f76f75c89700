//! The way from the outbox to the broker: as many messages as fit wait there, then the API is started.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, ensure};
use microblog_domain::{BuildMode, Timestamp};
use microblog_store::builds::{self, BuildRequest};
use microblog_store::{Origin, Store};

use crate::installation::Filled;
use crate::interrupt;
use crate::measure::targets;
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;
use crate::server::{Server, free_address};
use crate::servers::{Remote, Servers};

const MESSAGES: usize = 20_000;
const ROUNDS: u32 = 3;
/// From one round to the next: more than the times of all messages of a round.
const SHIFT: Duration = Duration::from_secs(1);
/// Written in one transaction.
const CHUNK: usize = 1_000;
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(300);
const CONFIRMED: &str = "microblog_queue_publishes_total{outcome=\"confirmed\"} ";

pub(super) fn measure(servers: &Servers, remote: &Remote<Filled>, site: &SampleSite) -> anyhow::Result<Vec<Row>> {
    let case = format!("outbox relay, {MESSAGES} messages, {}", site.title());
    say(&format!("measuring: {case}"));
    let begin = Timestamp::try_from(SystemTime::now())?;
    let rounds = (0..ROUNDS).map(|round| relay_once(servers, remote, begin.checked_sub(SHIFT * round)?));
    let rounds = rounds.collect::<anyhow::Result<Vec<_>>>()?;
    let (rates, cpu): (Vec<f64>, Vec<f64>) = rounds.into_iter().unzip();
    Ok(vec![
        Row::new(&case, "confirmed by the broker", Unit::PerSecond, Statistic::Median, &rates)?
            .at_least(Some(targets::RELAYED_A_SECOND)),
        Row::new(&case, "processor time of each, API only", Unit::Seconds, Statistic::Median, &cpu)?,
    ])
}

/// Messages a second, and the seconds of processor time that each took.
fn relay_once(servers: &Servers, remote: &Remote<Filled>, wanted: Timestamp) -> anyhow::Result<(f64, f64)> {
    servers.in_database(remote, async |store| fill(store, wanted).await)?;
    let address = free_address()?;
    let api = remote.installation.installation.api(&address)?;
    let server = Server::start(vec![api], &address, &address, &address)?;
    let took = time_to_confirm(&server)?;
    let cpu = server.cpu_seconds()? / MESSAGES as f64;
    server.stop()?;
    Ok((MESSAGES as f64 / took.as_secs_f64(), cpu))
}

/// Each asks for an earlier start than the one before, else it would need no message.
async fn fill(store: &Store, wanted: Timestamp) -> anyhow::Result<()> {
    let (origin, mut earlier) = (Origin::system(wanted), wanted);
    for _ in 0..MESSAGES / CHUNK {
        let mut tx = store.begin().await?;
        for _ in 0..CHUNK {
            earlier = earlier.checked_sub(Duration::from_micros(1))?;
            builds::ask(&mut tx, &BuildRequest { mode: BuildMode::Incremental, run_after: earlier }, &origin).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// From when the first message can not have been confirmed yet until all are.
fn time_to_confirm(server: &Server) -> anyhow::Result<Duration> {
    let (begin, mut none_before) = (Instant::now(), Instant::now());
    loop {
        let asked = Instant::now();
        // A server that is starting refuses connections.
        let confirmed = server.api_metrics().ok().and_then(|text| confirmed(&text)).unwrap_or_default();
        if confirmed == 0.0 {
            none_before = asked;
        }
        if confirmed >= MESSAGES as f64 {
            return Ok(none_before.elapsed());
        }
        server.processes().first().context("there is no server")?.must_run()?;
        ensure!(begin.elapsed() < PATIENCE, "only {confirmed} messages were confirmed within {PATIENCE:?}");
        interrupt::pause(LOOK)?;
    }
}

fn confirmed(metrics: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(CONFIRMED)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_broker_confirmed_is_read_from_the_metrics() {
        let metrics = "# TYPE x counter\nmicroblog_queue_publishes_total{outcome=\"failed\"} 1\n\
                       microblog_queue_publishes_total{outcome=\"confirmed\"} 250\n";
        assert_eq!(confirmed(metrics), Some(250.0));
    }
}
