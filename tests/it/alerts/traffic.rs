//! People at work, whatever comes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::installation::Client;

/// Until it is dropped.
pub(crate) struct Traffic {
    rests: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// So many people do something again and again, with a rest after each time.
    pub(crate) fn of(people: usize, rest: Duration, act: impl Fn() + Send + Sync + 'static) -> Self {
        let (rests, act) = (Arc::<AtomicBool>::default(), Arc::new(act));
        let person = |_| {
            let (told, act) = (Arc::clone(&rests), Arc::clone(&act));
            std::thread::spawn(move || {
                while !told.load(Ordering::SeqCst) {
                    act();
                    std::thread::sleep(rest);
                }
            })
        };
        let threads = (0..people).map(person).collect();
        Self { rests, threads }
    }

    /// They publish.
    pub(crate) fn of_authors(people: usize, rest: Duration, client: Client) -> Self {
        let post = json!({"title": "News", "markdown": "Something happened.", "status": "published"});
        Self::of(people, rest, move || drop(client.send("POST", "/api/v1/posts", None, Some(&post))))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.rests.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
