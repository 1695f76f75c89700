//! How hints reach a worker.
//!
//! The embedded transport is a channel within the process. A worker also looks at the database now and then, so that a
//! hint that was lost (the process ended) or came from another process costs a moment, not the job.

use tokio::sync::mpsc;

use crate::hint::Hint;

/// Hints that a worker has not yet taken. More than one is no use to it, since a build takes all changes there are.
const CAPACITY: usize = 64;

/// The hint could not be sent; it must be sent again later.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No worker listens any more.
    #[error("the builder of this process has stopped")]
    NoWorker,
}

/// Where hints go in.
#[derive(Debug, Clone)]
pub struct HintSender(mpsc::Sender<Hint>);

/// Where hints come out.
#[derive(Debug)]
pub struct HintReceiver(mpsc::Receiver<Hint>);

/// A transport within this process.
#[must_use]
pub fn embedded() -> (HintSender, HintReceiver) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (HintSender(sender), HintReceiver(receiver))
}

impl HintSender {
    /// Sends a hint. When so many wait that the channel is full, this one is not needed: the worker will look anyway.
    ///
    /// # Errors
    /// When there is no worker.
    pub fn send(&self, hint: Hint) -> Result<(), SendError> {
        match self.0.try_send(hint) {
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SendError::NoWorker),
        }
    }
}

impl HintReceiver {
    /// Waits for the next hint: for ever, if no more will come, so that who also waits for something else is not woken
    /// over and over.
    pub async fn next(&mut self) -> Hint {
        match self.0.recv().await {
            Some(hint) => hint,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use microblog_domain::BuildId;

    use super::*;

    fn hint() -> Hint {
        Hint { build: BuildId::generate(Timestamp::UNIX_EPOCH), request_id: None, traceparent: None }
    }

    #[tokio::test]
    async fn hints_arrive_and_a_flood_of_them_is_no_error() {
        let (sender, mut receiver) = embedded();
        let first = hint();
        sender.send(first.clone()).unwrap();
        for _ in 0..10 * CAPACITY {
            sender.send(hint()).unwrap();
        }
        assert_eq!(receiver.next().await, first);
    }

    #[tokio::test]
    async fn who_waits_for_hints_is_not_woken_when_no_more_can_come() {
        let (sender, mut receiver) = embedded();
        drop(sender);
        let is_woken = tokio::select! {
            biased;
            _ = receiver.next() => true,
            () = std::future::ready(()) => false,
        };
        assert!(!is_woken);
    }

    #[tokio::test]
    async fn a_hint_without_a_worker_is_refused_so_that_it_is_kept() {
        let (sender, receiver) = embedded();
        drop(receiver);
        assert!(matches!(sender.send(hint()), Err(SendError::NoWorker)));
    }
}
