//! What can happen between the API and builders while the broker itself is well.

use std::time::Duration;

use microblog_testkit::{Proxy, TestBroker};
use tokio::runtime::Runtime;

use super::site::{Settings, Site};
use super::traffic::Traffic;
use super::watch::Watch;
use crate::servers::Servers;

/// A broker that each service reaches over a wire of its own.
struct Wires {
    runtime: Runtime,
    broker: TestBroker,
    of_api: Proxy,
    of_builder: Proxy,
}

impl Wires {
    fn lay() -> Self {
        let runtime = Runtime::new().unwrap();
        let broker = runtime.block_on(TestBroker::measured());
        let [of_api, of_builder] = [(); 2].map(|()| runtime.block_on(Proxy::to(broker.url().port())));
        Self { runtime, broker, of_api, of_builder }
    }

    fn setting(&self, wire: &Proxy) -> Vec<String> {
        let url = self.broker.url_through(wire.port());
        let login = format!("{}:{}", url.user(), url.password());
        vec![format!("queue.url=amqp://{login}@{}:{}/{}", url.host(), url.port(), url.vhost())]
    }
}

/// One after the other.
pub(crate) fn disturb(watch: &Watch) {
    let (servers, wires) = (Servers::database(), Wires::lay());
    let (api, builder) = (wires.setting(&wires.of_api), wires.setting(&wires.of_builder));
    let site = Site::watched(watch, "queue", Settings { both: servers.settings(), api, builder });
    send_nonsense(watch, &site, &wires);
    part_builder(watch, &site, &wires);
    part_api(watch, &site, &wires);
}

fn send_nonsense(watch: &Watch, site: &Site, wires: &Wires) {
    let incident = watch.incident(site.namespace);
    wires.runtime.block_on(wires.broker.send("builds", b"\xffnot JSON"));
    incident.is_told("DeadLetters", &[]);
    incident.ends_with(&["DeadLetters"]);
}

fn part_builder(watch: &Watch, site: &Site, wires: &Wires) {
    let incident = watch.incident(site.namespace);
    wires.of_builder.refuse();
    incident.is_told("NoConsumer", &[("severity", "warning")]);
    wires.of_builder.mend();
    incident.ends_with(&["NoConsumer"]);
}

/// Builders that do not hear of jobs find them a little later: more edits than promised go live late.
fn part_api(watch: &Watch, site: &Site, wires: &Wires) {
    let incident = watch.incident(site.namespace);
    wires.of_api.refuse();
    let authors = Traffic::of_authors(2, Duration::from_millis(50), site.client());
    incident.is_told("QueueGrowing", &[]);
    drop(authors);
    incident.is_told("OutboxStale", &[]);
    wires.of_api.mend();
    incident.ends_with(&["OutboxStale", "QueueGrowing"]);
}
