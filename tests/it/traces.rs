//! One trace from a request to the release that shows what it changed, over both services, as a collector sees it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::collector::{Collector, Told};
use crate::installation::Installation;
use crate::service::{Service, api, builder, wait_until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
fn one_trace_leads_from_the_request_over_the_queue_to_the_release() {
    let collector = Collector::start();
    let installation = Installation::with(vec![collector.setting(), "otlp.headers=x-tenant=blog".to_owned()]);
    let [api, _builder] =
        [Service::ready(api(&installation), &installation), Service::ready(builder(&installation), &installation)];
    let client = api.client(&installation);
    let draft = client.ok("POST", "/api/v1/posts", Some(&json!({"title": "Hello", "markdown": "Text."})));
    let path = format!("/api/v1/posts/{}/publish", draft["id"].as_str().unwrap());
    let context = format!("00-{TRACE}-b7ad6b7169203331-01");
    let (status, _) = client.send_with("POST", &path, &[("traceparent", &context), ("if-match", "*")], None).unwrap();
    assert_eq!(status, 200);

    let of_trace = || collector.spans().into_iter().filter(|told| told.trace() == TRACE).collect::<Vec<_>>();
    let named = |name: &str| of_trace().into_iter().find(|told| told.span.name == name);
    wait_until("the trace is whole", || named("activate").is_some() && named("build").is_some());
    let find = |name: &str| named(name).unwrap_or_else(|| panic!("no {name} in {:?}", names(&of_trace())));

    let request = find("POST /api/v1/posts/{id}/publish");
    assert_eq!((request.service.as_str(), request.span.kind), ("microblog-api", SERVER));
    assert_eq!(request.span.parent_span_id, [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]);
    assert_eq!(request.attribute("status").as_deref(), Some("200"));
    let announced = find("announce");
    assert_eq!((announced.service.as_str(), announced.span.kind), ("microblog-api", PRODUCER));
    assert_eq!(announced.span.parent_span_id, request.span.span_id);
    let build = find("build");
    assert_eq!((build.service.as_str(), build.span.kind), ("microblog-builder", CONSUMER));
    assert_eq!(build.span.parent_span_id, request.span.span_id);
    for phase in ["load", "render", "validate", "activate"] {
        assert_eq!(find(phase).span.parent_span_id, build.span.span_id, "{phase}");
    }
    assert_eq!(collector.last_headers()["x-tenant"], "blog");

    let log = std::fs::read_to_string(installation.log()).unwrap();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let services: BTreeSet<_> =
        lines.iter().filter(|line| line["trace_id"] == TRACE).filter_map(|line| line["service"].as_str()).collect();
    assert_eq!(services, BTreeSet::from(["api", "builder"]), "log lines of the trace in both services");
}

#[test]
fn a_collector_that_is_away_is_told_of_once_and_stops_nothing() {
    let collector = Collector::start();
    let (setting, address) = (collector.setting(), collector.address);
    drop(collector);
    let installation = Installation::with(vec![setting]);
    let service = Service::ready(api(&installation), &installation);
    let said = |what: &str| std::fs::read_to_string(installation.log()).unwrap().matches(what).count();
    let dropped = || {
        let (_, text) = service.ask("/metrics").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("microblog_trace_spans_dropped_total "));
        line.unwrap().parse::<f64>().unwrap()
    };
    wait_until("spans are dropped", || dropped() > 0.0);
    let before = dropped();
    wait_until("more spans are dropped", || dropped() > before);
    assert_eq!(said("the collector takes no traces"), 1);

    let collector = Collector::at(address);
    wait_until("spans arrive", || service.ask("/health/live").is_some() && !collector.spans().is_empty());
    wait_until("that is told", || said("the collector takes traces again") == 1);
}

const SERVER: i32 = 2;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

fn names(spans: &[Told]) -> Vec<String> {
    spans.iter().map(|told| format!("{} of {}", told.span.name, told.service)).collect()
}
