//! A scheduled post must not show anywhere before its time: not on a page, nor by a page of its own, nor to whoever asks
//! without a token.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use walkdir::WalkDir;

use crate::installation::{Client, Installation, Running, path_of};
use crate::servers::Servers;

/// Occurs wherever a post can hold words.
const SECRET: &str = "zanzibar";
/// When it is published: a year that nothing else has.
const YEAR: &str = "2097";
/// Its date, which no number of a metric looks like.
const DAY: &str = "2097-05-0";

fn secret_post() -> Value {
    json!({
        "title": "Zanzibar", "slug": "zanzibar", "markdown": "zanzibar in the text, with [a link](/zanzibar-link/)",
        "tags": ["zanzibar"], "description": "zanzibar", "authors": ["zanzibar"], "aliases": ["/zanzibar-old/"],
        "image": "/media/zanzibar.png", "extra": {"categories": ["zanzibar"]},
        "status": "scheduled", "published_at": "2097-05-04T12:00",
    })
}

/// Where the words stand in what readers can get: names of files, and their content.
fn leaks(site: &Path) -> Vec<String> {
    let site = site.canonicalize().unwrap();
    let mut found = Vec::new();
    for file in WalkDir::new(&site).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        let name = file.path().strip_prefix(&site).unwrap().display().to_string();
        let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).to_lowercase();
        if [SECRET, YEAR].iter().any(|word| name.to_lowercase().contains(word) || text.contains(word)) {
            found.push(name);
        }
    }
    found
}

/// Builds everything anew, and waits for the end; gives what happened.
fn build(client: &Client) -> String {
    let build = client.ok("POST", "/api/v1/builds", Some(&json!({"mode": "full"})));
    // The stream ends with the build.
    client.ok("GET", &format!("/api/v1/builds/{}/events", build["id"].as_str().unwrap()), None).to_string()
}

#[test]
fn a_scheduled_post_shows_nowhere_on_the_site_nor_to_strangers() {
    schedule_and_look_everywhere(Vec::new());
}

#[test]
fn nor_does_it_when_posts_are_kept_and_searched_on_a_database_server() {
    let servers = Servers::database();
    schedule_and_look_everywhere(servers.settings());
}

fn schedule_and_look_everywhere(mut settings: Vec<String>) {
    // Whoever was sent away for asking too much has learnt nothing.
    settings.extend(["rate_limit.api=1000000", "rate_limit.login=1000000"].map(str::to_owned));
    let installation = Installation::with(settings);
    let running = installation.start();
    let seen = running.client.publish("Seen", "Readers see this.");
    let id = running.client.ok("POST", "/api/v1/posts", Some(&secret_post()))["id"].as_str().unwrap().to_owned();
    running.client.ok("PUT", &format!("/api/v1/posts/{id}"), Some(&secret_post()));
    let events = build(&running.client);
    assert!(events.contains("succeeded") && !events.to_lowercase().contains(SECRET), "{events}");
    assert!(running.read(&path_of(&seen)).1.contains("Readers see this."));
    assert_eq!(leaks(&installation.path().join("build/current")), [""; 0]);
    expect_silence(&running, &id);
}

/// Asks for everything that there is, and for what somebody might guess, without a token: the answers are the same as for
/// a word and an id that nothing has.
fn expect_silence(running: &Running, id: &str) {
    let stranger = Client { token: String::new(), ..running.client.clone() };
    let document = running.client.ok("GET", "/api/openapi.json", None);
    let described = document["paths"].as_object().unwrap().keys().cloned();
    let guessed = [
        "/api/v1/posts?q={word}",
        "/api/v1/posts?tag={word}",
        "/api/v1/media?q={word}",
        "/dashboard/posts",
        "/dashboard/posts?q={word}",
        "/dashboard/posts/{id}",
        "/dashboard/posts/{id}/revisions",
        "/api/docs",
        "/metrics",
    ];
    for path in described.chain(guessed.map(str::to_owned)) {
        for method in ["GET", "POST"] {
            let answer = |id: &str, word: &str| {
                let path = path.replace("{id}", id).replace("{word}", word);
                let (status, answer) = stranger.send(method, &path, None, None).unwrap();
                assert_ne!(status, 429, "{path}");
                (status, without(&answer.to_string().to_lowercase(), &[id, word]))
            };
            let (status, text) = answer(id, SECRET);
            assert!(!text.contains(SECRET) && !text.contains(DAY), "{method} {path}: {status} {text}");
            if path.contains("{id}") || path.contains("{word}") {
                assert_eq!((status, text), answer(NO_POST, NO_WORD), "{method} {path}");
            }
        }
    }
    for path in ["/2097/", "/2097/05/", "/2097/05/{word}/", "/tags/{word}/", "/tags/{word}/feed.xml", "/{word}-old/"] {
        let page = |word| running.read(&path.replace("{word}", word));
        assert_eq!((page(SECRET).0, page(SECRET)), (404, page(NO_WORD)), "{path}");
    }
}

/// An id that no post has, and a word that none holds.
const NO_POST: &str = "01900000-0000-7000-8000-000000000000";
const NO_WORD: &str = "timbuktu";
/// Words that people write are shorter.
const LONG: usize = 20;

/// What is left when what was asked for is taken out, and whatever is made anew for each answer: ids and secrets.
fn without(text: &str, asked: &[&str]) -> String {
    let text = asked.iter().fold(text.to_owned(), |text, word| text.replace(word, ""));
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_')
        .filter(|word| word.len() < LONG)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_post_that_is_scheduled_after_it_was_published_goes_from_the_site_without_a_trace() {
    let installation = Installation::new();
    let running = installation.start();
    let mut post = secret_post();
    (post["status"], post["published_at"]) = (json!("published"), json!("2020-01-01"));
    let post = running.client.ok("POST", "/api/v1/posts", Some(&post));
    let address = path_of(&post);
    running.wait_for(&address, |_, text| text.contains("zanzibar in the text"));
    assert_ne!(leaks(&installation.path().join("build/current")), [""; 0]);
    running.client.ok("PUT", &format!("/api/v1/posts/{}", post["id"].as_str().unwrap()), Some(&secret_post()));
    running.wait_for(&address, |status, _| status == 404);
    assert_eq!(leaks(&installation.path().join("build/current")), [""; 0]);
}
