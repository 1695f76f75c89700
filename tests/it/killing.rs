//! Promises 1 and 7: nothing acknowledged is lost, and nothing needs a human to repair it, whatever is killed when.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::installation::{Client, Installation, PATIENCE, Running, path_of};

/// Posts that are edited in turn.
const POSTS: usize = 3;

/// How often the program is killed: `MICROBLOG_TEST_KILLS`, by default enough for a change of every day.
fn kills() -> u64 {
    std::env::var_os("MICROBLOG_TEST_KILLS").and_then(|kills| kills.to_str()?.parse().ok()).unwrap_or(200)
}

/// What is known about the text of one post.
#[derive(Clone)]
struct Known {
    path: String,
    address: String,
    title: String,
    /// The number that the last acknowledged text holds.
    acknowledged: u64,
    /// The numbers of later texts that were sent and not answered when the program was killed: each may have been kept.
    in_flight: Vec<u64>,
}

/// Edits one post after the other, as fast as they are acknowledged, until the program is gone.
fn edit_until_it_dies(
    client: &Client,
    mut posts: Vec<Known>,
    mut number: u64,
    started: &mpsc::Sender<()>,
) -> (Vec<Known>, u64) {
    loop {
        for post in &mut posts {
            number += 1;
            post.in_flight.push(number);
            let body = json!({"title": post.title, "markdown": format!("Text number {number}.")});
            match client.send("PUT", &post.address, Some("*"), Some(&body)) {
                Ok((200, _)) => {
                    post.acknowledged = number;
                    post.in_flight.clear();
                    let _ = started.send(());
                }
                Ok((status, answer)) => panic!("an edit was refused: {status} {answer}"),
                Err(_) => return (posts, number),
            }
        }
    }
}

/// Waits until the program that was started again shows every acknowledged text, or a later one that was in flight. One
/// that was in flight may also go live after this, with the next build.
fn expect_all(running: &Running, posts: &mut [Known]) {
    for post in posts {
        let may_stand = |text: &str| {
            let number = text.split("Text number ").nth(1).and_then(|rest| rest.split('.').next()?.parse::<u64>().ok());
            number.filter(|number| *number == post.acknowledged || post.in_flight.contains(number))
        };
        let expected = format!("{} with the text {} or one of {:?}", post.path, post.acknowledged, post.in_flight);
        running.wait_until(&post.path, &expected, |_, text| may_stand(text).is_some());
        post.acknowledged = may_stand(&running.read(&post.path).1).unwrap();
        post.in_flight.retain(|number| *number > post.acknowledged);
    }
}

/// Waits until no build waits or runs: nothing is left behind.
fn expect_rest(running: &Running) {
    let since = Instant::now();
    loop {
        let builds = running.client.ok("GET", "/api/v1/builds?limit=5", None);
        let states: Vec<&str> =
            builds["items"].as_array().unwrap().iter().filter_map(|build| build["state"].as_str()).collect();
        if !states.iter().any(|state| matches!(*state, "waiting" | "running")) {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "a build was left behind: {builds}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A moment between 0 and 60 ms, different for each round and the same for each run.
fn moment(round: u64) -> Duration {
    let mixed = (round + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Duration::from_micros((mixed >> 20) % 60_000)
}

#[test]
fn a_kill_at_any_moment_loses_no_acknowledged_write_and_the_next_start_finishes_the_builds() {
    let installation = Installation::new();
    let mut running = installation.start();
    let mut posts: Vec<Known> = (0..POSTS).map(|number| begin(&running, number)).collect();
    let (mut number, mut edits) = (1_000, 0);
    for round in 0..kills() {
        let (started, has_started) = mpsc::channel();
        let (client, before) = (running.client.clone(), posts.clone());
        let first = number;
        let editor = std::thread::spawn(move || edit_until_it_dies(&client, before, first, &started));
        has_started.recv_timeout(PATIENCE).expect("the first edit was not acknowledged");
        std::thread::sleep(moment(round));
        running.kill();
        (posts, number) = editor.join().unwrap();
        edits += number - first;
        running = installation.start();
        expect_all(&running, &mut posts);
    }
    expect_rest(&running);
    println!("{} kills, {edits} edits sent, 0 acknowledged ones lost", kills());
}

fn begin(running: &Running, number: usize) -> Known {
    let title = format!("Post {number}");
    let post: Value = running.client.publish(&title, "Text number 0.");
    let address = format!("/api/v1/posts/{}", post["id"].as_str().unwrap());
    Known { path: path_of(&post), address, title, acknowledged: 0, in_flight: Vec::new() }
}
