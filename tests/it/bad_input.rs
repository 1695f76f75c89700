//! Services whose database or broker is not what they need: they say what is wrong and what to do, in `/health/ready`,
//! without names of hosts, users and places, and work as soon as it is mended.

use std::fs;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use microblog_testkit::{PostgresServer, Proxy, TestBroker};
use tokio::runtime::Runtime;

use crate::installation::Installation;
use crate::program::run;
use crate::service::{Service, api, builder};

/// A server that knows "guarded", whose password is "hunter2".
struct Server {
    runtime: Runtime,
    postgres: PostgresServer,
}

impl Server {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let postgres = PostgresServer::start();
        let server = Self { runtime, postgres };
        server.runtime.block_on(server.postgres.wait_until_ready());
        server.does("CREATE USER guarded PASSWORD 'hunter2'");
        server
    }

    fn does(&self, sql: &'static str) {
        self.runtime.block_on(self.postgres.administer(sql));
    }

    fn does_in(&self, database: &str, sql: &'static str) {
        self.runtime.block_on(self.postgres.administer_in(database, sql));
    }

    fn setting(&self, database: &str) -> String {
        setting_through(self.postgres.port(), database)
    }
}

fn setting_through(port: u16, database: &str) -> String {
    format!("database.url=postgres://guarded:hunter2@127.0.0.1:{port}/{database}")
}

fn start(program: fn(&Installation) -> std::process::Command, settings: &[String]) -> (Installation, Service) {
    let installation = Installation::untouched();
    let mut command = program(&installation);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let service = Service::listening(command, &installation);
    (installation, service)
}

/// Waits until whoever probes is shown this, and no names.
fn shows(service: &Service, status: u16, told: &str) {
    let report = service.wait_for("/health/ready", |answer, text| answer == status && text.contains(told));
    for name in ["hunter2", "guarded", "127.0.0.1", "nowhere", "secretbase", "poor", "/tmp"] {
        assert!(!report.contains(name), "{name} in {report}");
    }
}

fn is_ready(service: &Service) {
    service.wait_for("/health/ready", |status, text| status == 200 && text.contains("healthy"));
}

#[test]
fn a_database_that_can_not_be_used_is_told_and_used_as_soon_as_it_is_mended() {
    let server = Server::new();
    let proxy = server.runtime.block_on(Proxy::to(server.postgres.port()));
    for sql in [
        "CREATE DATABASE secretbase OWNER guarded",
        "CREATE DATABASE secretbase_newer OWNER guarded",
        "CREATE DATABASE secretbase_away OWNER guarded",
    ] {
        server.does(sql);
    }
    let old = Installation::untouched();
    run(old.command(&["migrate"]).args(["--set", &server.setting("secretbase_newer")]));
    server.does_in("secretbase_newer", "INSERT INTO schema_steps SELECT MAX(version) + 1, 'newer' FROM schema_steps");

    server.does("ALTER USER guarded PASSWORD 'another'");
    let (_kept, wrong_password) = start(builder, &[server.setting("secretbase")]);
    shows(&wrong_password, 503, "it refuses the log-in; check user and password in database.url");
    server.does("ALTER USER guarded PASSWORD 'hunter2'");
    is_ready(&wrong_password);

    proxy.refuse();
    let (_kept, unknown_host) =
        start(api, &["database.url=postgres://guarded:hunter2@nowhere.invalid/secretbase".to_owned()]);
    let (_kept, unreachable) = start(api, &[setting_through(proxy.port(), "secretbase_away")]);
    let (_kept, unknown) = start(api, &[server.setting("secretbase_unknown")]);
    let (_kept, newer) = start(builder, &[server.setting("secretbase_newer")]);
    for service in [&unknown_host, &unreachable] {
        shows(service, 503, "it can not be reached; check that it runs, and the host in database.url");
    }
    shows(&unknown, 503, "there is none of this name; check database.url, or make it");
    shows(&newer, 503, "run the newer version of Microblog, or restore a backup made by this one");
    proxy.mend();
    server.does("CREATE DATABASE secretbase_unknown OWNER guarded");
    server.does_in("secretbase_newer", "DELETE FROM schema_steps WHERE name = 'newer'");
    for service in [&unreachable, &unknown, &newer] {
        is_ready(service);
    }
}

#[test]
fn a_server_of_another_version_is_refused_until_it_is_replaced() {
    let server = Server::new();
    server.does("CREATE DATABASE secretbase OWNER guarded");
    // A server says its version where it is asked for it: here, by a function that stands before its own.
    server.does_in(
        "secretbase",
        "CREATE SCHEMA old AUTHORIZATION guarded; \
         CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS $$ SELECT CASE name \
         WHEN 'server_version_num' THEN '130011' WHEN 'server_version' THEN '13.11' \
         ELSE pg_catalog.current_setting(name) END $$",
    );
    server.does("ALTER USER guarded SET search_path = old, pg_catalog, public");
    let (_kept, service) = start(api, &[server.setting("secretbase")]);
    shows(&service, 503, "the database server is PostgreSQL 13.11; Microblog needs version 14 or newer");
    server.does("ALTER USER guarded RESET search_path");
    is_ready(&service);
}

#[test]
fn what_becomes_of_a_database_while_it_is_used_is_told_and_logged_once() {
    let server = Server::new();
    server.does("CREATE DATABASE secretbase OWNER guarded");
    let (installation, service) = start(api, &[server.setting("secretbase")]);
    is_ready(&service);
    server.does("ALTER USER guarded PASSWORD 'another'");
    server.does("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded'");
    for _ in 0..10 {
        shows(&service, 503, "it refuses the log-in; check user and password in database.url");
    }
    server.does("ALTER USER guarded PASSWORD 'hunter2'");
    is_ready(&service);
    let log = fs::read_to_string(installation.log()).unwrap();
    let complaints = log.lines().filter(|line| line.contains("the database can not be examined"));
    let complaints: Vec<_> = complaints.filter(|line| line.contains("refuses the log-in")).collect();
    assert_eq!(complaints.len(), 1, "{complaints:#?}");
    assert!(complaints[0].contains("guarded") && !complaints[0].contains("hunter2"), "{}", complaints[0]);
}

#[test]
fn a_broker_that_can_not_be_used_is_told_and_used_as_soon_as_it_is_mended() {
    let runtime = Runtime::new().unwrap();
    let broker = runtime.block_on(TestBroker::new());
    let (port, vhost) = (broker.url().port(), broker.url().vhost().to_owned());
    let url = |user: &str| format!("queue.url=amqp://{user}@127.0.0.1:{port}/{vhost}");
    let mut classic = FieldTable::default();
    classic.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    runtime.block_on(async {
        broker.channel().await.queue_declare("builds".into(), durable, classic).await.unwrap();
    });
    let (_kept, stranger) = start(api, &[url("poor:hunter2")]);
    let (_kept, asking) = start(api, &[url("guest:guest")]);
    let (_kept, building) = start(builder, &[url("guest:guest")]);
    // An API loses nothing without a broker; a builder should not be the one that is counted on.
    shows(&stranger, 200, "the broker refuses the user or the password; check both in queue.url");
    let other_arguments = "the queue builds was declared with other arguments; delete it";
    shows(&asking, 200, other_arguments);
    shows(&building, 503, other_arguments);
    runtime.block_on(broker.delete_queue("builds"));
    for service in [&asking, &building] {
        service.wait_for("/health/ready", |status, text| status == 200 && !text.contains("degraded"));
    }
}
