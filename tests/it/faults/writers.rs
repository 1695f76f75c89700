//! Clients that edit, each its own post, and do not give up: after an error, or no answer, they ask again under the same
//! key until they are told that the text is kept.

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use ureq::http::Request;

use super::course::{Course, PATIENCE};
use super::readers::Reader;
use super::texts::{markdown, title};

/// A client waits no longer for an answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// Before it asks again.
const REST: Duration = Duration::from_millis(200);

/// A post, and who edits it.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) client: usize,
    /// Its id.
    pub(crate) id: String,
    /// Where readers find it.
    pub(crate) path: String,
    /// The version that was acknowledged last.
    pub(crate) version: u64,
}

/// What a client did.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Edits that were begun; all but the last were acknowledged, or the run failed.
    pub(crate) edits: u64,
    /// Requests that it took.
    pub(crate) requests: u64,
    /// For edits in calm times: from the request to the reader.
    pub(crate) to_live: Vec<Duration>,
}

/// A client.
pub(crate) struct Writer<'a> {
    pub(crate) course: &'a Course,
    /// The addresses of the API, any of which will do.
    pub(crate) apis: Vec<String>,
    pub(crate) token: String,
    pub(crate) post: Post,
    pub(crate) reader: Reader<'a>,
    pub(crate) dice: SmallRng,
}

impl Writer<'_> {
    /// Edits until it is told to stop. Whatever was begun is acknowledged when this ends.
    pub(crate) fn write(mut self) -> Written {
        let _guard = self.course.end_on_panic();
        let mut written = Written::default();
        let agent = agent();
        while !self.course.is_written() {
            self.course.wait_for_the_end_of_silence();
            let number = written.edits + 1;
            let (mark, since) = (self.course.mark(), Instant::now());
            written.edits = number;
            written.requests += self.edit(&agent, number);
            self.course.acknowledge(self.post.client, number);
            written.to_live.extend(self.time_to_live(number, mark, since));
            self.think();
        }
        written
    }

    /// Asks until the text is acknowledged; tells how often.
    fn edit(&mut self, agent: &ureq::Agent, number: u64) -> u64 {
        let since = Instant::now();
        for requests in 1.. {
            self.course.wait_for_the_end_of_silence();
            let said = match self.ask(agent, number) {
                Ok((200, answer)) => {
                    self.post.version = answer["version"].as_u64().unwrap();
                    return requests;
                }
                Ok((408 | 429 | 502 | 503 | 504, answer)) => answer.to_string(),
                Ok((status, answer)) => panic!("edit {number} of {:?} was refused: {status} {answer}", self.post),
                Err(error) => error.to_string(),
            };
            assert!(since.elapsed() < PATIENCE, "edit {number} of {:?} is never acknowledged: {said}", self.post);
            std::thread::sleep(REST);
        }
        unreachable!()
    }

    fn ask(&mut self, agent: &ureq::Agent, number: u64) -> Result<(u16, Value), ureq::Error> {
        let Post { client, id, version, .. } = &self.post;
        let api = &self.apis[self.dice.random_range(0..self.apis.len())];
        let body = json!({ "title": title(*client, number), "markdown": markdown(*client, number) });
        let request = Request::put(format!("{api}/api/v1/posts/{id}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("idempotency-key", format!("{id}-{number}"))
            .header("if-match", format!("\"{version}\""))
            .header("content-type", "application/json");
        let mut answer = agent.run(request.body(body.to_string()).unwrap())?;
        let text = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// From the request to the text on the site, if nothing was disturbed meanwhile.
    fn time_to_live(&mut self, number: u64, mark: u64, since: Instant) -> Option<Duration> {
        while self.course.was_calm_since(mark) && !self.course.is_written() {
            if self.reader.read_post(&self.post) >= number {
                return Some(since.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// A second or so passes before a writer saves again.
    fn think(&mut self) {
        std::thread::sleep(Duration::from_millis(self.dice.random_range(500..1_500)));
    }
}

/// Like that of most programs: connections are kept, and answers not waited for without an end.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIME_LIMIT));
    config.build().into()
}

/// Dice of its own for each client, the same for the same seed.
pub(crate) fn dice(seed: u64, client: usize) -> SmallRng {
    SmallRng::seed_from_u64(seed.wrapping_add(client as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
