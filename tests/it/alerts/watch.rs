//! Who watches over the installations: Prometheus, Alertmanager and whoever that tells. All installations of a test have
//! the same ones; their `namespace` keeps them apart, as it does for operators.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use microblog_testkit::{
    Alert, Delivery, Pace, Places, Receiver, Target, TestAlertmanager, TestPrometheus, Way, WebhookAt,
};

use super::runbooks;

/// How long an alert may take to arrive, or to be resolved, before it counts as never. Test machines are busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Budgets over days: a Prometheus that is minutes old takes these for days.
const DAYS: [&str; 2] = ["slow", "creeping"];

/// What is told of a machine that is slow, whatever else happens: test machines are.
const OF_SLOW_MACHINES: [&str; 2] = ["LatencyHigh", "PublishingBudgetBurn"];

/// How many targets `prometheus.yml` has.
const TARGETS: usize = 5;

/// By this, a minute of the rules takes a second.
pub(crate) const SHORTENED: Pace = Pace::Divided(60);

/// The watch over all installations.
pub(crate) struct Watch {
    pub(crate) receiver: Receiver,
    _alertmanager: TestAlertmanager,
    pub(crate) prometheus: TestPrometheus,
    targets: Mutex<Vec<Target>>,
}

impl Watch {
    /// Begins to watch over the installation `microblog`, which has everything that `prometheus.yml` names.
    pub(crate) fn begin(pace: Pace, webhook: WebhookAt<'_>, places: impl FnOnce(SocketAddr) -> Places) -> Self {
        let receiver = Receiver::start();
        let alertmanager = TestAlertmanager::start(pace, &receiver, webhook);
        let prometheus = TestPrometheus::start(pace, &places(alertmanager.address()));
        let watch = Self { receiver, _alertmanager: alertmanager, prometheus, targets: Mutex::default() };
        watch.wait_for("all targets", || watch.prometheus.query("up == 1").len() == TARGETS);
        watch
    }

    /// Watches over these, too, and waits until it does.
    pub(crate) fn add(&self, new: &[Target]) {
        self.change(|targets| targets.extend_from_slice(new));
        for target in new {
            let up = format!("up{{instance=\"{}\"}} == 1", target.address);
            self.wait_for(&up, || !self.prometheus.query(&up).is_empty());
        }
    }

    /// Forgets one.
    pub(crate) fn forget(&self, target: &Target) {
        self.change(|targets| targets.retain(|other| other != target));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Target>)) {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut targets);
        self.prometheus.watch(&targets);
    }

    /// What has arrived at the webhook, which is told of all, about an installation since a moment.
    pub(crate) fn told(&self, namespace: &str, since: Instant) -> Vec<Alert> {
        let deliveries = self.deliveries(Way::Webhook, since);
        let alerts = deliveries.iter().flat_map(Delivery::alerts);
        alerts.filter(|alert| alert.label("namespace") == namespace && !DAYS.contains(&alert.label("speed"))).collect()
    }

    /// What has arrived in a way since a moment.
    pub(crate) fn deliveries(&self, way: Way, since: Instant) -> Vec<Delivery> {
        let all = self.receiver.deliveries().into_iter();
        all.filter(|delivery| delivery.way == way && delivery.at >= since).collect()
    }

    /// The alerts of an installation that fire now, or will in a moment.
    pub(crate) fn raised(&self, namespace: &str) -> BTreeSet<String> {
        self.names(&of(namespace, ""))
    }

    /// Those that have fired since a moment, whoever was told.
    pub(crate) fn fired(&self, namespace: &str, since: Instant) -> BTreeSet<String> {
        let seconds = since.elapsed().as_secs() + 1;
        let firing = of(namespace, ",alertstate=\"firing\"");
        self.names(&format!("max_over_time({firing}[{seconds}s])"))
    }

    fn names(&self, query: &str) -> BTreeSet<String> {
        let series = self.prometheus.query(query).into_iter();
        series.map(|(labels, _)| labels["alertname"].as_str().unwrap().to_owned()).collect()
    }

    /// Something is about to happen to an installation over which all is quiet.
    pub(crate) fn incident<'a>(&'a self, namespace: &'a str) -> Incident<'a> {
        let outage = format!("ALERTS{{namespace=\"{namespace}\",alertname=\"RecentOutage\"}}");
        let is_quiet = || self.raised(namespace).is_empty() && self.prometheus.query(&outage).is_empty();
        self.wait_for(&format!("quiet at {namespace}"), is_quiet);
        Incident { watch: self, namespace, since: Instant::now(), may_tell: OF_SLOW_MACHINES.map(str::to_owned).into() }
    }

    fn wait_for(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(since.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}; {}", self.state());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// For whoever reads why a test failed.
    fn state(&self) -> String {
        let text = |(labels, value): (serde_json::Value, f64)| format!("{labels} {value}");
        let all = |query: &str| self.prometheus.query(query).into_iter().map(text).collect::<Vec<_>>();
        let alerts = self.receiver.deliveries().into_iter().filter(|delivery| delivery.way == Way::Webhook);
        let open = open(alerts.flat_map(|delivery| delivery.alerts()).collect());
        let open: Vec<_> = open.iter().map(|alert| &alert.labels).collect();
        let raised = all("ALERTS{alertname!~\"Watchdog|RecentOutage\"}");
        format!("raised: {raised:#?}\ntold, and not taken back: {open:#?}\ndown: {:#?}", all("up == 0"))
    }
}

/// From the moment in which something happens to an installation to that in which all is well again.
pub(crate) struct Incident<'a> {
    watch: &'a Watch,
    namespace: &'a str,
    since: Instant,
    may_tell: BTreeSet<String>,
}

impl Incident<'_> {
    /// Waits until somebody is told by an alert with these labels, in the way that its severity asks for. Gives the time
    /// since the incident began.
    pub(crate) fn is_told(&self, name: &str, labels: &[(&str, &str)]) -> Duration {
        let mut told = None;
        self.watch.wait_for(&format!("{name} of {}", self.namespace), || {
            told = self.alerts().into_iter().find(|alert| alert.is_firing && has(alert, name, labels));
            told.is_some()
        });
        let alert = told.unwrap();
        runbooks::assert_it_resolves(&alert);
        match alert.label("severity") {
            "critical" => self.pages(&alert),
            "warning" => self.notifies(&alert),
            other => panic!("{name} has the severity {other:?}"),
        }
    }

    /// Waits until an alert fires, whether anybody is told or not.
    pub(crate) fn fires(&self, name: &str) {
        self.watch.wait_for(name, || self.has_fired(name));
    }

    /// Whether it has, whether anybody was told or not.
    pub(crate) fn has_fired(&self, name: &str) -> bool {
        self.watch.fired(self.namespace, self.since).contains(name)
    }

    fn pages(&self, alert: &Alert) -> Duration {
        let page = self.arrives(Way::Pager, alert);
        assert_eq!(page.body["event_action"], "trigger", "{page:?}");
        assert_eq!(page.body["routing_key"], "routing key");
        assert_eq!(page.body["payload"]["custom_details"]["runbook"], alert.annotations["runbook_url"].as_str());
        let summary = page.body["payload"]["summary"].as_str().unwrap();
        assert!(summary.starts_with(&format!("{}: ", alert.label("alertname"))), "{summary}");
        self.arrives(Way::Mail, alert);
        page.at - self.since
    }

    fn notifies(&self, alert: &Alert) -> Duration {
        let message = self.arrives(Way::Chat, alert);
        message.at - self.since
    }

    /// The first delivery that speaks of the alert: pagers and people are told in words.
    fn arrives(&self, way: Way, alert: &Alert) -> Delivery {
        let what = format!("{} of {} by {way:?}", alert.label("alertname"), self.namespace);
        let runbook = &alert.annotations["runbook_url"];
        let mut found = None;
        self.watch.wait_for(&what, || {
            let of_it = |delivery: &Delivery| {
                let text = delivery.body.to_string().replace("=\\n", "");
                text.contains(runbook.as_str()) || text.contains(alert.label("alertname"))
            };
            found = self.watch.deliveries(way, self.since).into_iter().find(of_it);
            found.is_some()
        });
        found.unwrap()
    }

    fn alerts(&self) -> Vec<Alert> {
        self.watch.told(self.namespace, self.since)
    }

    /// This may be told as well, if one thing takes longer than another: shortened, they are closer to each other. It may
    /// never be taken back, since Alertmanager does not say that something ended which is silenced by now.
    pub(crate) fn may_tell(mut self, name: &str) -> Self {
        self.may_tell.insert(name.to_owned());
        self
    }

    /// All is well again: waits until everything is resolved, and until those who were told know it. They must have been
    /// told all of this, and nothing else.
    pub(crate) fn ends_with(self, told: &[&str]) {
        let matters = |alert: &Alert| {
            let name = alert.label("alertname");
            told.contains(&name) || !self.may_tell.contains(name)
        };
        self.watch.wait_for(&format!("the end of {told:?} at {}", self.namespace), || {
            self.watch.raised(self.namespace).is_empty() && !open(self.alerts()).iter().any(matters)
        });
        // What ended before may be said to have ended once more.
        let firing = self.alerts().into_iter().filter(|alert| alert.is_firing && matters(alert));
        let heard: BTreeSet<String> = firing.map(|alert| alert.label("alertname").to_owned()).collect();
        let expected: BTreeSet<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(heard, expected, "what was told of {}", self.namespace);
    }
}

/// What was told and not taken back.
fn open(told: Vec<Alert>) -> Vec<Alert> {
    let mut open: Vec<Alert> = Vec::new();
    for alert in told {
        open.retain(|other| other.labels != alert.labels);
        if alert.is_firing {
            open.push(alert);
        }
    }
    open
}

/// The alerts of an installation that tell of something that happens now.
fn of(namespace: &str, matchers: &str) -> String {
    let days = DAYS.join("|");
    format!("ALERTS{{namespace=\"{namespace}\",alertname!=\"RecentOutage\",speed!~\"{days}\"{matchers}}}")
}

fn has(alert: &Alert, name: &str, labels: &[(&str, &str)]) -> bool {
    alert.label("alertname") == name && labels.iter().all(|(label, value)| alert.label(label) == *value)
}
