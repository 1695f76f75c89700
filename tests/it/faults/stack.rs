//! The whole of an installation on one machine: two replicas of the API and two builders, one database, one broker, nginx
//! before the site and before the API. All of it is thrown away afterwards, however the test process ends.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use microblog_domain::AmqpUrl;
use microblog_testkit::{PostgresServer, Proxy, TestBroker, free_address};
use tokio::runtime::Runtime;

use super::course::PATIENCE;
use super::fault::Part;
use super::keeper::Keeper;
use super::service::{Parts, Service};
use crate::disk::Disk;
use crate::installation::Installation;
use crate::nginx::Nginx;
use crate::program::run;
use crate::service::{api, builder};

/// What is promised is ten seconds, and the figures tell what it was. This only ends a run in which somebody never comes
/// back, and leaves room for a machine that is busy with other tests.
const READY_LIMIT: Duration = Duration::from_secs(20);

static STACKS: AtomicU32 = AtomicU32::new(0);

/// An installation.
pub(crate) struct Stack {
    services: Arc<[Service]>,
    pub(crate) nginx: Nginx,
    /// The address of whichever replica of the API answers.
    pub(crate) front: String,
    keeper: Keeper,
    pub(crate) installation: Installation,
    pub(crate) database: PostgresServer,
    pub(crate) broker: TestBroker,
    pub(crate) disk: Disk,
    runtime: Runtime,
}

impl Stack {
    /// Starts one, and waits until all services are ready.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let (database, disk) = (PostgresServer::durable(None), Disk::new());
        let broker = runtime.block_on(TestBroker::alone());
        runtime.block_on(database.wait_until_ready());
        let installation = Installation::with(vec![
            format!("database.url={}", database.url().reveal()),
            format!("build.dir={}", disk.folder("build").display()),
            // As many as the small disk takes; all that are kept are looked at in the end.
            "release.keep=200".to_owned(),
        ]);
        let number = STACKS.fetch_add(1, Ordering::Relaxed);
        let start = |(role, replica): (Part, u32)| {
            let name = format!("{role}-{number}-{replica}");
            runtime.block_on(start_service(role, name, &installation, &database, &broker))
        };
        let roles = [(Part::Api, 1), (Part::Api, 2), (Part::Builder, 1), (Part::Builder, 2)];
        let services: Arc<[Service]> = roles.map(start).into();
        let keeper = Keeper::of(Arc::clone(&services));
        let apis = [services[0].address, services[1].address];
        wait_for_release(&disk, &services);
        let (nginx, front) = Nginx::start_before(&disk.folder("build"), &apis);
        let stack = Self { services, nginx, front, keeper, installation, database, broker, disk, runtime };
        stack.wait_until_ready();
        stack
    }

    /// All services.
    pub(crate) fn services(&self) -> Vec<&Service> {
        self.services.iter().collect()
    }

    /// Those of one kind.
    pub(crate) fn services_of(&self, part: Part) -> Vec<&Service> {
        self.services.iter().filter(|service| service.name.starts_with(&part.to_string())).collect()
    }

    /// The addresses of the API: of each replica, and of nginx before both.
    pub(crate) fn apis(&self) -> Vec<String> {
        let replicas = self.services_of(Part::Api).into_iter().map(Service::url);
        replicas.chain([self.front.clone()]).collect()
    }

    /// Waits until all services say that they can work; tells how long that took.
    pub(crate) fn wait_until_ready(&self) -> Duration {
        let since = Instant::now();
        while let Err(reason) = self.readiness() {
            assert!(since.elapsed() < READY_LIMIT, "not ready again after {READY_LIMIT:?}: {reason}");
            std::thread::sleep(Duration::from_millis(20));
        }
        since.elapsed()
    }

    fn readiness(&self) -> Result<(), String> {
        self.services.iter().try_for_each(Service::readiness)
    }

    /// How things are, for whoever reads why a test failed.
    pub(crate) fn state(&self) -> String {
        let builds = self.query(
            "SELECT id, state, attempt, worker, run_after, lease_until, error FROM builds ORDER BY id DESC LIMIT 4",
        );
        let outbox = self.query("SELECT * FROM outbox ORDER BY id LIMIT 4");
        format!("{:?}\nbuilds: {builds:#?}\noutbox: {outbox:#?}", self.readiness())
    }

    /// Asks the database, as an operator would.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname"]);
        run(psql.arg(self.database.url().reveal().as_str()).args(["--command", sql]))
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Told by SIGTERM, it would wait until nobody is connected any more.
    pub(crate) fn stop_database(&self) {
        self.database.process().interrupt();
    }

    pub(crate) fn start_database(&self) {
        self.database.start_again();
        self.runtime.block_on(self.database.wait_until_ready());
    }

    pub(crate) fn start_broker(&self) {
        self.runtime.block_on(self.broker.start());
    }

    /// In the words of Erlang.
    pub(crate) fn set_broker_disk_limit(&self, limit: &str) {
        self.broker.eval(&format!("rabbit_disk_monitor:set_disk_free_limit({limit})"));
    }

    /// As the broker does it when a consumer is too slow for it.
    pub(crate) fn close_channels(&self) {
        let reason = "{amqp_error, precondition_failed, \"closed by the test\", none}";
        self.broker.eval(&format!("[exit(Channel, {reason}) || Channel <- rabbit_channel:list()]"));
    }

    /// As the broker does it when it takes them for consumers of a queue that is no more.
    pub(crate) fn cancel_consumers(&self) {
        let vhost = self.broker.url().vhost();
        self.broker.eval(&format!(
            "Builds = rabbit_misc:r(<<\"{vhost}\">>, queue, <<\"builds\">>), \
             Gone = {{queue_event, Builds, {{{{test, node()}}, {{machine, eol}}}}}}, \
             Consumers = case rabbit_amqqueue:lookup(Builds) of \
             {{ok, Queue}} -> rabbit_amqqueue:consumers(Queue); _ -> [] end, \
             [element(1, Consumer) ! {{'$gen_cast', Gone}} || Consumer <- Consumers]"
        ));
    }

    pub(crate) fn delete_queue(&self) {
        self.runtime.block_on(self.broker.delete_queue("builds"));
    }

    pub(crate) fn send_undecodable(&self) {
        self.runtime.block_on(self.broker.send("builds", b"\xffnot JSON"));
    }

    /// How many messages a queue holds.
    pub(crate) fn messages(&self, queue: &str) -> u32 {
        self.runtime.block_on(self.broker.queue(queue)).0
    }

    /// Ends all services in good order, for good.
    pub(crate) fn stop_services(&self) {
        self.keeper.rest();
        self.services.iter().for_each(Service::terminate);
    }
}

impl Drop for Stack {
    /// What the services said is the first thing to read when a test failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults");
            let _ = std::fs::create_dir_all(&folder);
            for service in &*self.services {
                let _ = std::fs::write(folder.join(format!("{}.log", service.name)), service.log());
            }
            super::say(&format!("what the services said is in {}", folder.display()));
        }
    }
}

async fn start_service(
    role: Part,
    name: String,
    installation: &Installation,
    database: &PostgresServer,
    broker: &TestBroker,
) -> Service {
    let (mut command, setting) = match role {
        Part::Api => (api(installation), "server.listen"),
        _ => (builder(installation), "builder.listen"),
    };
    let address = free_address();
    let (to_database, to_broker) = (Proxy::to(database.port()).await, Proxy::to(broker.url().port()).await);
    for setting in [
        format!("{setting}={address}"),
        format!("builder.name={address}"),
        format!("database.url={}", database.url_through(to_database.port()).reveal()),
        format!("queue.url={}", shown(&broker.url_through(to_broker.port()))),
    ] {
        command.arg("--set").arg(setting);
    }
    let folder = installation.path().to_owned();
    Service::start(Parts { name, address, database: to_database, broker: to_broker, command, folder })
}

/// With its password, which it does not show by itself.
fn shown(url: &AmqpUrl) -> String {
    format!("amqp://{}:{}@{}:{}/{}", url.user(), url.password(), url.host(), url.port(), url.vhost())
}

/// There is no site before the first build.
fn wait_for_release(disk: &Disk, services: &[Service]) {
    let since = Instant::now();
    while !disk.folder("build").join("current/index.html").exists() {
        let said = || services.iter().map(Service::log).collect::<Vec<_>>().join("\n");
        assert!(since.elapsed() < PATIENCE, "there is no first release\n{}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
}
