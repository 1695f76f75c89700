//! Every alert fires for its real cause, whoever should be told is, nobody is told anything else, and all is resolved once
//! the cause is gone.
//!
//! [`Watch`] is a real Prometheus and a real Alertmanager with the files of `prometheus/`, of which only durations are
//! shorter: a minute of the rules takes a second. A [`Site`] is an installation whose services are real, too.
//! [`runbooks`] looks at where the links of alerts lead to.

mod builds;
mod certificate;
mod crowd;
mod kills;
mod machine;
mod queue;
mod quiet;
mod runbooks;
mod site;
mod slow;
mod traffic;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};

use microblog_testkit::{Pace, Places, WebhookAt};

use self::kills::NAMESPACE;
pub(crate) use self::kills::Servers;
use self::site::Site;
use self::watch::{SHORTENED, Watch};

#[test]
fn every_cause_is_told_of_and_nothing_else_and_all_is_resolved_once_it_is_gone() {
    let servers = Servers::start();
    let site = Site::start(NAMESPACE, servers.settings());
    let watch = Watch::begin(SHORTENED, WebhookAt::Receiver, |alertmanager| Places {
        api: site.api_address,
        builder: site.builder_address,
        rabbitmq: servers.broker.exporter(),
        alertmanager,
    });
    let courses: [(&str, Course<'_>); 7] = [
        ("kills", Box::new(|| kills::kill_all(&watch, site, &servers))),
        ("builds", Box::new(|| builds::fail(&watch))),
        ("slow", Box::new(|| slow::hold_up(&watch))),
        ("certificate", Box::new(|| certificate::expire(&watch))),
        ("queue", Box::new(|| queue::disturb(&watch))),
        ("disk", Box::new(|| machine::fill(&watch))),
        ("crowd", Box::new(|| crowd::come_and_go(&watch))),
    ];
    let failed = all_at_once(courses);
    assert!(failed.is_empty(), "courses that failed: {failed:?}");
}

#[test]
#[ignore = "takes two minutes: nothing is shortened"]
fn at_the_pace_of_production_a_killed_service_is_paged_for() {
    let servers = Servers::start();
    let site = Site::start(NAMESPACE, servers.settings());
    let watch = Watch::begin(Pace::Real, WebhookAt::Receiver, |alertmanager| Places {
        api: site.api_address,
        builder: site.builder_address,
        rabbitmq: servers.broker.exporter(),
        alertmanager,
    });
    kills::kill_api(&watch, site);
}

/// What happens to one installation, from one incident to the next.
type Course<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Gives the names of those that failed: the others go on to their ends.
fn all_at_once<'a>(courses: impl IntoIterator<Item = (&'a str, Course<'a>)>) -> Vec<&'a str> {
    std::thread::scope(|scope| {
        let start = |(name, course): (&'a str, Course<'a>)| {
            (name, scope.spawn(move || catch_unwind(AssertUnwindSafe(course)).is_ok()))
        };
        let running: Vec<_> = courses.into_iter().map(start).collect();
        running.into_iter().filter_map(|(name, course)| (!course.join().unwrap_or(false)).then_some(name)).collect()
    })
}
