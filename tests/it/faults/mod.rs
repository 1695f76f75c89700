//! Promise 7, and all others while it is kept: whatever fails at whatever moment, nothing acknowledged is lost, readers
//! never notice, and everything comes back by itself.
//!
//! A [`stack`] of real [`service`]s stands on this machine. [`writers`] edit, [`readers`] read, [`watchers`] watch builds,
//! all the time; meanwhile one [`fault`] after the other strikes and passes. After each, all services must be ready again
//! and all that was acknowledged live; in the end the [`verdict`] looks at everything that was left, and the [`figures`] are
//! printed. [`course`] is what they know of each other, [`texts`] is how a page tells what it is, [`crate::disk`] one that can be full.
//!
//! | variable | does |
//! |---|---|
//! | `MICROBLOG_TEST_FAULT_MINUTES` | each fault alone, then random ones, alone and in pairs, for so long; else each once, several at a time |
//! | `MICROBLOG_TEST_FAULT_SEED` | a number that makes the order of faults, and who they strike, the same again |
//! | `MICROBLOG_TEST_FAULT_ONLY` | only faults whose names contain this, each alone |

mod course;
mod fault;
mod figures;
mod keeper;
mod paused;
mod plan;
mod readers;
mod run;
mod service;
mod stack;
mod strike;
mod texts;
mod verdict;
mod watchers;
mod writers;

use std::io::Write as _;
use std::time::Instant;

use serde_json::json;

use self::course::Course;
use self::plan::Wishes;
use self::run::Run;
use self::stack::Stack;
use self::writers::Post;
use crate::installation::{Client, path_of};

const CLIENTS: usize = 6;

/// Past the test harness, which keeps to itself what a test that passes prints.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_and_everything_comes_back_by_itself() {
    let wishes = Wishes::of_environment();
    say(&format!("faults: MICROBLOG_TEST_FAULT_SEED={}", wishes.seed));
    let stack = Stack::start();
    let posts: Vec<Post> = (0..CLIENTS).map(|client| begin(&stack, client)).collect();
    let cookie = log_in(&stack);
    let course = Course::new(CLIENTS);
    let run = Run { course, stack: &stack, posts: &posts, cookie: &cookie, wishes };
    let mut figures = run.go();
    figures.releases = verdict::every_release_is_there_once(&stack);
    stack.stop_services();
    verdict::the_release_store_is_sound(&stack);
    verdict::every_line_of_the_logs_is_sound(&stack);
    say(&figures.to_string());
}

fn client(stack: &Stack) -> Client {
    Client { api: stack.front.clone(), token: stack.installation.token.clone() }
}

/// A client's post, which readers have already.
fn begin(stack: &Stack, number: usize) -> Post {
    let post = client(stack).publish(&texts::title(number, 0), &texts::markdown(number, 0));
    let (id, path) = (post["id"].as_str().unwrap().to_owned(), path_of(&post));
    let since = Instant::now();
    while !stack.disk.folder("build").join("current").join(path.trim_start_matches('/')).exists() {
        assert!(since.elapsed() < course::PATIENCE, "{path} does not go live: {}", stack.state());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Post { client: number, id, path, version: post["version"].as_u64().unwrap() }
}

/// Gives the cookie.
fn log_in(stack: &Stack) -> String {
    let login = json!({ "name": "owner", "password": "a long password" });
    let agent = ureq::agent();
    let answer = agent.post(format!("{}/api/v1/session", stack.front)).content_type("application/json");
    let answer = answer.send(login.to_string()).unwrap();
    let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}
