//! An installation with everything that can be measured, and a Prometheus that measures it: both services, database,
//! broker, web server, machine, collector of traces, certificate. The last two are told of by their absence and their
//! date.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use microblog_testkit::{
    Pace, Places, Receiver, Target, TestAlertmanager, TestExporter, TestPrometheus, WebhookAt, free_port,
};
use serde_json::json;

use crate::alerts::Servers;
use crate::installation::{Client, Installation};
use crate::nginx::Nginx;
use crate::service::{Service, api, builder, wait_until};

/// Scrapes and rules are ten times as frequent as in production, and windows of the rules a tenth as long.
const PACE: Pace = Pace::Divided(10);
/// How long anything may take to show. Test machines are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Everything.
pub(crate) struct Stack {
    pub(crate) prometheus: TestPrometheus,
    _watchers: (Receiver, TestAlertmanager, [TestExporter; 3]),
    nginx: Nginx,
    services: [Service; 2],
    installation: Installation,
    servers: Servers,
}

impl Stack {
    /// Starts all of it, and waits until everything is measured.
    pub(crate) fn start() -> Self {
        let servers = Servers::start();
        let installation = Installation::with(settings(&servers));
        fs::create_dir_all(theme(&installation)).unwrap();
        let services = [api, builder].map(|program| Service::ready(program(&installation), &installation));
        services[0].client(&installation).publish("Hello", "The first text.");
        let live = installation.path().join("build/current/index.html");
        wait_until("the first release", || live.exists());
        let nginx = Nginx::start(&installation.path().join("build"));

        let receiver = Receiver::start();
        let alertmanager = TestAlertmanager::start(PACE, &receiver, WebhookAt::Receiver);
        let exporters = [
            TestExporter::of_postgres(&servers.database),
            TestExporter::of_nginx(&nginx.status()),
            TestExporter::of_machine(),
        ];
        let [api, builder] = [&services[0], &services[1]].map(address);
        let places = Places { api, builder, rabbitmq: servers.broker.exporter(), alertmanager: alertmanager.address() };
        let prometheus = TestPrometheus::start(PACE, &places);
        prometheus.watch(&targets(&exporters));
        let watchers = (receiver, alertmanager, exporters);
        let stack = Self { prometheus, _watchers: watchers, nginx, services, installation, servers };
        wait_until("everything is scraped", || stack.prometheus.query("up == 1").len() == 8);
        stack
    }

    /// What happens in a day: edits and readers, mistakes, a message that nobody understands, a theme with an error.
    pub(crate) fn work(&self) {
        let post = self.client().publish("Greetings", "Some text.");
        self.go_on();
        self.servers.runtime.block_on(async {
            let channel = self.servers.broker.channel().await;
            let (options, properties) = Default::default();
            channel.basic_publish("".into(), "builds".into(), options, b"not JSON", properties).await.unwrap();
        });
        wait_until("a build shows what was published", || {
            self.prometheus.query("sum(microblog_builds_total{outcome=\"succeeded\"}) > 1").len() == 1
        });
        fs::write(theme(&self.installation).join("post.html"), "{{ nonsense }}").unwrap();
        let changed = json!({"title": "Greetings", "markdown": "Nobody reads this."});
        self.client().ok("PUT", &format!("/api/v1/posts/{}", post["id"].as_str().unwrap()), Some(&changed));
    }

    /// What happens all the time.
    pub(crate) fn go_on(&self) {
        for path in ["/api/v1/posts", "/api/v1/builds", "/health", "/nowhere"] {
            self.client().send("GET", path, None, None).unwrap();
        }
        let wrong = json!({"name": "owner", "password": "a wrong password"});
        self.client().send("POST", "/api/v1/session", None, Some(&wrong)).unwrap();
        ureq::get(self.nginx.url("/")).call().unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }

    /// Whether a query has an answer that is a number.
    pub(crate) fn answers(&self, expression: &str) -> bool {
        self.prometheus.query(expression).iter().any(|(_, value)| !value.is_nan())
    }

    /// The names of all metrics that Prometheus has seen.
    pub(crate) fn known(&self) -> BTreeSet<String> {
        let answer = self.prometheus.get("/api/v1/label/__name__/values");
        serde_json::from_value(answer["data"].clone()).unwrap()
    }

    /// The types of all metrics that the services show, by their names.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let texts = self.services.each_ref().map(|service| service.ask("/metrics").unwrap().1);
        let types = texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split_once(' ')).map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
    }

    fn client(&self) -> Client {
        self.services[0].client(&self.installation)
    }
}

/// Everything that brings metrics of its own.
fn settings(servers: &Servers) -> Vec<String> {
    let own = [
        "log.dir=logs".to_owned(),
        "site.theme=theme".to_owned(),
        "site.base_url=https://blog.example.org".to_owned(),
        // Any server that speaks TLS has a certificate.
        format!("monitor.certificate=127.0.0.1:{}", servers.broker.tls().0),
        // A collector that is away.
        format!("otlp.endpoint=http://127.0.0.1:{}", free_port()),
    ];
    servers.settings().into_iter().chain(own).collect()
}

fn theme(installation: &Installation) -> PathBuf {
    installation.path().join("theme/templates")
}

fn address(service: &Service) -> SocketAddr {
    service.url.trim_start_matches("http://").parse().unwrap()
}

fn targets([postgres, nginx, node]: &[TestExporter; 3]) -> Vec<Target> {
    let target = |job: &str, exporter: &TestExporter| Target {
        job: job.to_owned(),
        namespace: "microblog".to_owned(),
        address: exporter.address(),
    };
    vec![target("postgres", postgres), target("nginx", nginx), target("node", node)]
}
