//! The parts of an installation are killed, one after the other, and at last one of those who should hear of it.

use std::time::Duration;

use microblog_testkit::{PostgresServer, TestBroker, Way};
use tokio::runtime::Runtime;

use super::site::Site;
use super::traffic::Traffic;
use super::watch::Watch;
use crate::faults::say;

/// The installation that `prometheus.yml` names.
pub(crate) const NAMESPACE: &str = "microblog";

/// A database server and a broker that a site has for itself.
pub(crate) struct Servers {
    pub(crate) runtime: Runtime,
    pub(crate) database: PostgresServer,
    pub(crate) broker: TestBroker,
}

impl Servers {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let database = PostgresServer::start();
        let broker = runtime.block_on(TestBroker::measured());
        runtime.block_on(database.wait_until_ready());
        Self { runtime, database, broker }
    }

    pub(crate) fn settings(&self) -> Vec<String> {
        let url = self.broker.url();
        let login = format!("{}:{}", url.user(), url.password());
        vec![
            format!("database.url={}", self.database.url().reveal()),
            format!("queue.url=amqp://{login}@{}:{}/{}", url.host(), url.port(), url.vhost()),
        ]
    }
}

/// Who was killed is paged for, and what follows from it is not.
pub(crate) fn kill_all(watch: &Watch, mut site: Site, servers: &Servers) {
    kill_services(watch, &mut site);
    kill_broker(watch, servers);
    kill_database(watch, &site, servers);
    refuse_chat(watch, &mut site);
}

/// And nothing else.
pub(crate) fn kill_api(watch: &Watch, mut site: Site) {
    let incident = watch.incident(site.namespace);
    site.kill_api();
    tell("api", incident.is_told("ServiceDown", &[("job", "api")]));
}

fn kill_services(watch: &Watch, site: &mut Site) {
    let incident = watch.incident(site.namespace);
    site.kill_api();
    tell("api", incident.is_told("ServiceDown", &[("job", "api")]));
    site.start_api();
    incident.ends_with(&["ServiceDown"]);

    let incident = watch.incident(site.namespace);
    site.kill_builder();
    tell("builder", incident.is_told("ServiceDown", &[("job", "builder")]));
    site.publish();
    incident.fires("NoConsumer");
    site.start_builder();
    incident.ends_with(&["ServiceDown"]);
}

fn kill_broker(watch: &Watch, servers: &Servers) {
    // The builder notices at once, the API when it next has something to say: here that may take longer than a minute
    // of the rules.
    let incident = watch.incident(NAMESPACE).may_tell("NoConsumer");
    servers.broker.kill();
    tell("broker", incident.is_told("BrokerDown", &[]));
    incident.fires("NoConsumer");
    incident.fires("ExporterDown");
    servers.runtime.block_on(servers.broker.start());
    incident.ends_with(&["BrokerDown"]);
}

fn kill_database(watch: &Watch, site: &Site, servers: &Servers) {
    let incident = watch.incident(site.namespace);
    servers.database.process().kill();
    tell("database", incident.is_told("DatabaseDown", &[]));
    let authors = Traffic::of_authors(8, Duration::from_millis(100), site.client());
    for follows in ["ErrorRatioHigh", "AvailabilityBudgetBurn"] {
        incident.fires(follows);
    }
    drop(authors);
    servers.database.start_again();
    incident.ends_with(&["DatabaseDown"]);
}

/// The chat refuses what is told: people hear in other ways of what happened, and that the chat does not work.
fn refuse_chat(watch: &Watch, site: &mut Site) {
    let incident = watch.incident(site.namespace);
    watch.receiver.refuse(Way::Chat);
    site.kill_builder();
    incident.is_told("ServiceDown", &[("job", "builder")]);
    incident.is_told("AlertsNotDelivered", &[("integration", "slack"), ("severity", "critical")]);
    watch.receiver.accept(Way::Chat);
    site.start_builder();
    incident.ends_with(&["AlertsNotDelivered", "ServiceDown"]);
}

/// A number that people ask for.
fn tell(part: &str, after: Duration) {
    say(&format!("alerts: {:.1} s from killing the {part} to the page", after.as_secs_f64()));
}
