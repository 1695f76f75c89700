//! Two builders of different names, an API, PostgreSQL and RabbitMQ: hints find their way, and whichever builder dies or
//! stands still at whatever moment, the other goes on.
//!
//! A build is met in the middle by locking a table that only builds read. What else can fail, many times over and under
//! load, is the matter of `faults`.

use std::fs;

use serde_json::{Value, json};

use crate::installation::{Installation, path_of};
use crate::servers::{Locked, Servers};
use crate::service::{Service, api, builder, wait_until};

/// An API, and builders that share a build folder.
struct Team {
    builders: Vec<(String, Service)>,
    api: Service,
    post: Value,
    installation: Installation,
    servers: Servers,
}

impl Team {
    /// With a post that is live.
    fn with(builders: &[&str]) -> Self {
        let servers = Servers::database_and_broker();
        let installation = servers.installation();
        let api = Service::ready(api(&installation), &installation);
        let mut team = Self { builders: Vec::new(), api, post: Value::Null, installation, servers };
        builders.iter().for_each(|name| team.hire(name));
        team.post = team.api.client(&team.installation).publish("Hello", "The first text.");
        team.shows("The first text.");
        team.comes_to_rest();
        team
    }

    fn hire(&mut self, name: &str) {
        let mut command = builder(&self.installation);
        command.args(["--set", &format!("builder.name={name}")]);
        self.builders.push((name.to_owned(), Service::ready(command, &self.installation)));
    }

    /// Whoever has this name, no longer part of the team.
    fn dismiss(&mut self, name: &str) -> Service {
        let place = self.builders.iter().position(|(builder, _)| builder == name).unwrap();
        self.builders.remove(place).1
    }

    fn edit(&self, text: &str) {
        let path = format!("/api/v1/posts/{}", self.post["id"].as_str().unwrap());
        let body = json!({"title": "Hello", "markdown": text});
        self.api.client(&self.installation).ok("PUT", &path, Some(&body));
    }

    /// Waits until readers see this text.
    fn shows(&self, text: &str) {
        wait_until(text, || self.page().is_some_and(|page| page.contains(text)));
    }

    fn page(&self) -> Option<String> {
        let file = self.installation.path().join(format!("build/current{}index.html", path_of(&self.post)));
        fs::read_to_string(file).ok()
    }

    /// Waits until nothing is left to do.
    fn comes_to_rest(&self) {
        wait_until("no build waits or runs", || {
            self.servers.query("SELECT id FROM builds WHERE state IN ('waiting', 'running')").is_empty()
        });
    }

    /// Edits the post, and stops its build in the middle. Tells who has the build; the hint about it is with a builder.
    fn stop_in_the_middle_of(&self, text: &str) -> (String, Locked) {
        let locked = self.servers.lock("media");
        self.edit(text);
        let mut who = Vec::new();
        wait_until("somebody builds", || {
            // Behind the name stands a mark.
            who = self.servers.query("SELECT split_part(worker, ' ', 1) FROM builds WHERE state = 'running'");
            !who.is_empty()
        });
        wait_until("the hint is with a builder", || {
            self.servers.query("SELECT id FROM outbox").is_empty() && self.servers.hints() == 0
        });
        (who.remove(0), locked)
    }
}

#[test]
fn a_hint_is_given_to_another_builder_when_the_one_that_had_it_dies_and_settled_when_its_build_is_done() {
    let mut team = Team::with(&["one"]);
    let (_, locked) = team.stop_in_the_middle_of("Begun by the first.");
    team.dismiss("one").kill();
    wait_until("the broker has the hint again", || team.servers.hints() == 1);
    drop(locked);
    team.hire("two");
    team.shows("Begun by the first.");
    team.comes_to_rest();
    let second = team.dismiss("two");
    second.terminate();
    assert!(second.end().success());
    assert_eq!(team.servers.hints(), 0, "what it had heard is done");
}

#[test]
fn a_builder_that_waits_takes_over_from_one_that_is_killed_in_the_middle_of_a_build() {
    let mut team = Team::with(&["one", "two"]);
    for text in ["Begun by one of them.", "Begun by the other."] {
        let (who, locked) = team.stop_in_the_middle_of(text);
        team.dismiss(&who).kill();
        drop(locked);
        team.shows(text);
        team.comes_to_rest();
        team.hire(&who);
    }
}

#[test]
fn a_builder_that_stood_still_past_its_lease_finds_its_build_done_and_changes_nothing() {
    let mut team = Team::with(&["one", "two"]);
    let (who, locked) = team.stop_in_the_middle_of("Begun by the one that stands still.");
    let still = team.dismiss(&who);
    still.pause();
    drop(locked);
    team.shows("Begun by the one that stands still.");
    team.edit("Written meanwhile.");
    team.shows("Written meanwhile.");
    team.comes_to_rest();
    let releases = |team: &Team| team.servers.query("SELECT id, build_id FROM releases ORDER BY id");
    let before = releases(&team);
    still.resume();
    still.wait_for("/health/ready", |status, _| status == 200);
    // Its build is over before it takes another one.
    let other = team.dismiss(if who == "one" { "two" } else { "one" });
    other.kill();
    team.edit("Made by the one that stood still.");
    team.shows("Made by the one that stood still.");
    assert_eq!(releases(&team)[..before.len()], before, "what the other had made stands");
    assert_eq!(releases(&team).len(), before.len() + 1);
}

#[test]
fn a_builder_that_stands_still_at_rest_keeps_nobody_waiting() {
    let team = Team::with(&["one", "two"]);
    for (name, service) in &team.builders {
        service.pause();
        for number in 0..3 {
            let text = format!("Edit {number} without {name}.");
            team.edit(&text);
            team.shows(&text);
        }
        service.resume();
    }
    team.edit("With both.");
    team.shows("With both.");
}

/// Holds every removal from the outbox for as long as the table has a row.
const HOLD: &str = "CREATE TABLE removals_are_held (x BIGINT); INSERT INTO removals_are_held VALUES (1); \
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    WHILE EXISTS (SELECT FROM removals_are_held) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN OLD; END $$; \
    CREATE TRIGGER hold BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION hold()";

#[test]
fn a_message_that_was_confirmed_and_not_yet_forgotten_when_its_relay_died_is_sent_again() {
    let mut team = Team::with(&["one"]);
    team.dismiss("one").kill();
    team.servers.query(HOLD);
    team.edit("Sent twice.");
    wait_until("the broker has the message", || team.servers.hints() == 1);
    let first = std::mem::replace(&mut team.api, Service::ready(api(&team.installation), &team.installation));
    first.kill();
    team.servers.query("DELETE FROM removals_are_held");
    let waiting = || team.servers.query("SELECT id FROM outbox");
    assert_eq!(waiting().len(), 1, "nobody can know that it was confirmed");
    wait_until("the outbox is empty", || waiting().is_empty());
    assert!(team.servers.hints() >= 2, "it was not sent again");
    team.hire("one");
    team.shows("Sent twice.");
    wait_until("both hints are heard", || team.servers.hints() == 0);
}
