//! What must be true when everything has come to rest: in the database, at the broker, in the release store, for readers
//! and for those who are logged in.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::course::PATIENCE;
use super::fault::Part;
use super::service::Service;
use super::stack::Stack;
use super::texts::title;
use super::watchers::Seen;
use super::writers::Post;
use crate::log_lines::complaints;
use crate::program::run;

/// What must be 0 when nobody edits any more.
const REST: [&str; 2] =
    ["SELECT count(*) FROM builds WHERE state IN ('waiting', 'running')", "SELECT count(*) FROM outbox"];

/// Waits until no work is left anywhere.
pub(crate) fn wait_for_rest(stack: &Stack) {
    let since = Instant::now();
    let at_rest = || REST.iter().all(|sql| stack.query(sql) == ["0"]) && stack.messages("builds") == 0;
    while !at_rest() {
        assert!(since.elapsed() < PATIENCE, "work is left behind: {}", stack.state());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Nothing acknowledged is lost, repeated or out of order: the saved texts of each post are those that its client wrote,
/// one after the other.
pub(crate) fn every_edit_was_kept_once(stack: &Stack, posts: &[Post], acknowledged: &[u64]) {
    for (post, last) in posts.iter().zip(acknowledged) {
        let sql = "SELECT content::json->>'title' FROM revisions WHERE post_id = '{}' ORDER BY number";
        let kept = stack.query(&sql.replace("{}", &post.id));
        let written: Vec<String> = (0..=*last).map(|number| title(post.client, number)).collect();
        assert!(kept == written, "client {} wrote {written:?}, kept is {kept:?}", post.client);
    }
}

/// Each release went live once, and none of those that are kept is missing. Gives how many there were.
pub(crate) fn every_release_is_there_once(stack: &Stack) -> u64 {
    let activated = stack
        .query("SELECT step::json->>'release' FROM build_events WHERE step::json->>'kind' = 'activated' ORDER BY id");
    let numbers: BTreeSet<&String> = activated.iter().collect();
    assert_eq!(numbers.len(), activated.len(), "activated twice: {activated:?}");
    let recorded: Vec<u64> =
        stack.query("SELECT id FROM releases ORDER BY id").iter().map(|id| id.parse().unwrap()).collect();
    let (first, last) = (recorded[0], recorded[recorded.len() - 1]);
    assert_eq!(recorded, (first..=last).collect::<Vec<_>>(), "releases are missing in the database");
    let listed = run(&mut stack.installation.command(&["releases", "list", "--json"]));
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let kept: Vec<u64> = listed.iter().rev().map(|release| release["id"].as_u64().unwrap()).collect();
    assert_eq!(kept, recorded, "the database and the release store know different releases");
    assert_eq!(listed[0]["live"], true, "the newest release is not the live one");
    last
}

/// The release store is whole, and nobody left anything in it.
pub(crate) fn the_release_store_is_sound(stack: &Stack) {
    run(&mut stack.installation.command(&["releases", "verify"]));
    let drafts: Vec<_> = std::fs::read_dir(stack.disk.folder("build").join("tmp")).unwrap().collect();
    assert!(drafts.is_empty(), "drafts are left: {drafts:?}");
}

/// Each line that the services logged has the form that all have, and no secret.
pub(crate) fn every_line_of_the_logs_is_sound(stack: &Stack) {
    for service in stack.services() {
        let complaints = complaints(&service.log(), &stack.installation.secrets());
        assert!(complaints.is_empty(), "{} logged:\n{}", service.name, complaints.join("\n"));
    }
}

/// Who watched saw every event once, in order.
pub(crate) fn every_event_was_seen_once(stack: &Stack, seen: &Seen) {
    for (build, events) in seen {
        let stored = stack.query(&format!("SELECT id FROM build_events WHERE build_id = '{build}' ORDER BY id"));
        let events: Vec<String> = events.iter().map(u64::to_string).collect();
        assert_eq!(events, stored, "what a browser saw of build {build}, and what happened");
    }
}

/// Waits until what nobody can read was set aside, and sees that nothing else was. Until then it lies in the queue or with
/// a builder, and goes with them.
pub(crate) fn only_undecodable_messages_are_dead(stack: &Stack, undecodable: u32) {
    let since = Instant::now();
    while stack.messages("builds.dead") < undecodable {
        assert!(since.elapsed() < PATIENCE, "a message that nobody can read was not set aside");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(stack.messages("builds.dead"), undecodable, "dead letters");
}

/// Whoever logged in at one replica is logged in at each.
pub(crate) fn the_log_in_holds_everywhere(stack: &Stack, cookie: &str) {
    for api in stack.services_of(Part::Api) {
        let answer = ureq::get(format!("{}/api/v1/session", api.url())).header("cookie", cookie).call();
        assert!(answer.is_ok(), "{} does not know the log-in: {answer:?}", api.name);
    }
}

/// What time can mend ends no service.
pub(crate) fn no_service_gave_up(stack: &Stack) {
    let gave_up: Vec<&str> =
        stack.services().into_iter().filter(|it| Service::ended_by_itself(it)).map(|it| &*it.name).collect();
    assert!(gave_up.is_empty(), "ended though nobody told them to: {gave_up:?}");
}

/// Why builds were given up.
pub(crate) fn failed_builds(stack: &Stack) -> Vec<String> {
    stack.query("SELECT error FROM builds WHERE state = 'failed' ORDER BY id")
}
