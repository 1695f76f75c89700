//! Hints within the process: a channel.

use tokio::sync::mpsc;

use super::SendError;
use crate::hint::Hint;

/// Hints that a worker has not yet taken. More than one is no use to it, since a build takes all changes there are.
const CAPACITY: usize = 64;

/// Where hints go in.
#[derive(Debug, Clone)]
pub(super) struct Mouth(mpsc::Sender<Hint>);

/// Where they come out.
#[derive(Debug)]
pub(super) struct Ear(mpsc::Receiver<Hint>);

pub(super) fn embedded() -> (Mouth, Ear) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Mouth(sender), Ear(receiver))
}

impl Mouth {
    /// Sends a hint. When so many wait that the channel is full, this one is not needed: the worker will look anyway.
    pub(super) fn send(&self, hint: Hint) -> Result<(), SendError> {
        match self.0.try_send(hint) {
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SendError::NoWorker),
        }
    }
}

impl Ear {
    pub(super) async fn next(&mut self) -> Hint {
        match self.0.recv().await {
            Some(hint) => hint,
            None => std::future::pending().await,
        }
    }

    pub(super) fn gather(&mut self) {
        while self.0.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use microblog_domain::BuildId;

    use super::*;

    fn hint() -> Hint {
        Hint { build: BuildId::generate(Timestamp::UNIX_EPOCH), request_id: None, trace: None }
    }

    #[tokio::test]
    async fn hints_arrive_and_a_flood_of_them_is_no_error() {
        let (mouth, mut ear) = embedded();
        let first = hint();
        mouth.send(first.clone()).unwrap();
        for _ in 0..10 * CAPACITY {
            mouth.send(hint()).unwrap();
        }
        assert_eq!(ear.next().await, first);
    }

    #[tokio::test]
    async fn who_waits_for_hints_is_not_woken_when_no_more_can_come() {
        let (mouth, mut ear) = embedded();
        drop(mouth);
        let is_woken = tokio::select! {
            biased;
            _ = ear.next() => true,
            () = std::future::ready(()) => false,
        };
        assert!(!is_woken);
    }

    #[tokio::test]
    async fn a_hint_without_a_worker_is_refused_so_that_it_is_kept() {
        let (mouth, ear) = embedded();
        drop(ear);
        assert!(matches!(mouth.send(hint()), Err(SendError::NoWorker)));
    }
}
