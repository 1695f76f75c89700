//! What operators look at, while all of it works: every query of the dashboards and of the guide to the metrics has an
//! answer, without exception; every metric that they or the alert rules name is there; and the guide explains what the
//! services tell, no more and no less.
//!
//! `stack` is an installation with everything that can be measured, `queries` what is asked, `guide` what is explained.

mod guide;
mod queries;
mod stack;

use std::collections::BTreeSet;
use std::time::Instant;

use self::queries::Asked;
use self::stack::Stack;

#[test]
fn every_query_has_an_answer_and_the_guide_explains_every_metric() {
    let stack = Stack::start();
    stack.work();
    let asked = queries::of_dashboards_and_guide();
    let rules = queries::of_rules(&stack.prometheus);
    let mut wrong = silent(&stack, &asked);
    wrong.extend(missing(&stack, asked.iter().chain(&rules).chain(&queries::of_runbook())));
    wrong.extend(guide::unlike(&stack.shown()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The queries that have had no answer at any moment.
fn silent(stack: &Stack, asked: &[Asked]) -> Vec<String> {
    let (mut waiting, since): (Vec<&Asked>, _) = (asked.iter().collect(), Instant::now());
    while !waiting.is_empty() && since.elapsed() < stack::PATIENCE {
        stack.go_on();
        waiting.retain(|asked| !stack.answers(&asked.expression));
    }
    waiting.into_iter().map(|asked| format!("{} has no answer: {}", asked.place, asked.expression)).collect()
}

/// The metrics that Prometheus never comes to see, with who asks for them. It records some a moment after the others.
fn missing<'a>(stack: &Stack, asked: impl Iterator<Item = &'a Asked>) -> BTreeSet<String> {
    let named =
        asked.flat_map(|asked| queries::metrics_in(&asked.expression).into_iter().map(move |name| (name, asked)));
    let (mut unknown, since): (Vec<_>, _) = (named.collect(), Instant::now());
    while !unknown.is_empty() && since.elapsed() < stack::PATIENCE {
        let known = stack.known();
        unknown.retain(|(name, _)| !known.contains(name));
        stack.go_on();
    }
    unknown.iter().map(|(name, asked)| format!("{} asks for {name}, which nobody shows", asked.place)).collect()
}
