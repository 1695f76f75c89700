//! Browsers that watch builds: when the stream breaks off they reconnect, to whichever replica answers, with the number of
//! the last event they saw. Every other time they break it off themselves: builds are short.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use serde_json::Value;

use super::course::Course;

/// A stream that says nothing for so long is dead: the service says that it is alive more often.
const SILENCE: Duration = Duration::from_secs(20);
/// Before it looks again.
const REST: Duration = Duration::from_millis(200);

/// The numbers of the events that were seen of each build that was watched to its end.
pub(crate) type Seen = BTreeMap<String, Vec<u64>>;

/// A browser.
pub(crate) struct Watcher<'a> {
    pub(crate) course: &'a Course,
    pub(crate) apis: Vec<String>,
    pub(crate) token: String,
    /// How often it had to reconnect.
    pub(crate) reconnected: u64,
}

impl Watcher<'_> {
    /// Watches one build after the other until the run is over.
    pub(crate) fn watch(mut self) -> (Seen, u64) {
        let _guard = self.course.end_on_panic();
        let agent = agent();
        let mut seen = Seen::new();
        for turn in 0.. {
            if self.course.is_over() {
                break;
            }
            match self.unseen(&agent, turn, &seen) {
                Some(build) => seen.extend(self.watch_to_its_end(&agent, build)),
                None => std::thread::sleep(REST),
            }
        }
        (seen, self.reconnected)
    }

    /// Builds are listed by their ids, which hold the time of whoever asked: one whose clock was ahead stays first for long.
    fn unseen(&self, agent: &ureq::Agent, turn: usize, seen: &Seen) -> Option<String> {
        let builds = self.get(agent, turn, "/api/v1/builds?limit=100", None).ok()?;
        let builds: Value = serde_json::from_reader(builds).ok()?;
        let mut ids = builds["items"].as_array()?.iter().filter_map(|build| build["id"].as_str());
        ids.find(|id| !seen.contains_key(*id)).map(str::to_owned)
    }

    /// Nothing if the run was over before.
    fn watch_to_its_end(&mut self, agent: &ureq::Agent, build: String) -> Option<(String, Vec<u64>)> {
        let mut events = Vec::new();
        for turn in 0.. {
            let path = format!("/api/v1/builds/{build}/events");
            let last = events.last().map(u64::to_string);
            let most = if turn % 2 == 0 { events.len() + 1 } else { usize::MAX };
            if self.get(agent, turn, &path, last.as_deref()).is_ok_and(|stream| follow(stream, &mut events, most)) {
                return Some((build, events));
            }
            if self.course.is_over() {
                return None;
            }
            self.reconnected += 1;
            // A browser waits before it connects again; those that broke off have nothing to wait for.
            if most == usize::MAX {
                std::thread::sleep(REST);
            }
        }
        None
    }

    fn get(
        &self,
        agent: &ureq::Agent,
        turn: usize,
        path: &str,
        last: Option<&str>,
    ) -> Result<impl std::io::Read + use<>, ureq::Error> {
        let api = &self.apis[turn % self.apis.len()];
        let mut request = agent.get(format!("{api}{path}")).header("authorization", format!("Bearer {}", self.token));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Ok(request.call()?.into_body().into_reader())
    }
}

/// Reads a stream as far as it goes, or until there are so many events; tells whether it was the end of the build.
fn follow(stream: impl std::io::Read, events: &mut Vec<u64>, most: usize) -> bool {
    let mut is_last = false;
    // What is cut off in the middle of an event is no event: its number counts once the event is whole.
    let (mut number, mut kind) = (None, String::new());
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        match line.split_once(':').map(|(field, value)| (field, value.trim())) {
            Some(("id", value)) => number = value.parse::<u64>().ok(),
            Some(("event", value)) => value.clone_into(&mut kind),
            _ if line.is_empty() => {
                is_last |= number.is_some() && matches!(&*kind, "succeeded" | "failed" | "cancelled" | "superseded");
                events.extend(number.take());
                if is_last || events.len() >= most {
                    break;
                }
            }
            _ => {}
        }
    }
    is_last
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_connect(Some(SILENCE)).timeout_per_read(Some(SILENCE));
    config.timeout_recv_response(Some(SILENCE)).build().into()
}

#[test]
fn an_event_counts_once_it_is_whole() {
    let mut events = Vec::new();
    let mut read = |text: &str, most| follow(text.as_bytes(), &mut events, most);
    assert!(!read("id: 7\nevent: queued\ndata: {}\n\nid: 8\nevent: started\ndata: {}\n\n", 1));
    assert!(!read("id: 8\nevent: started\ndata: {}\n\n: alive\n\nid: 9\nevent: succ", usize::MAX));
    assert!(read("id: 9\nevent: succeeded\ndata: {}\n\n", usize::MAX));
    assert_eq!(events, [7, 8, 9]);
}
