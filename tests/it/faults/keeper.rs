//! Whoever starts services again when they end: what systemd, Docker or Kubernetes do elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::service::Service;

/// Starts services again when they end, until it is told to rest or dropped.
pub(crate) struct Keeper {
    rests: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(crate) fn of(services: Arc<[Service]>) -> Self {
        let rests = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&rests);
        let look = move || {
            while !told.load(Ordering::SeqCst) {
                services.iter().for_each(Service::look_after);
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        Self { rests, thread: Some(std::thread::spawn(look)) }
    }

    /// From now on, what has ended stays so.
    pub(crate) fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.rest();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
