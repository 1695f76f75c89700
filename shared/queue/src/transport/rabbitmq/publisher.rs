//! Sending hints so that the broker has confirmed them, or so that we know that it has not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, ConnectionStatus};
use tokio::sync::watch;
use tokio::time::{timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::breaker::{Breaker, BreakerState, Chance};
use super::error::BrokerError;
use super::link::{self, Link, LinkState, Purpose, Role};
use super::session::{ANSWER_LIMIT, Session};
use super::{Address, message, topology};
use crate::hint::Hint;
use crate::metrics;
use crate::transport::{Condition, SendError};

/// A broker that is well confirms within milliseconds; one whose disk is busy, within a second.
const CONFIRM_LIMIT: Duration = Duration::from_secs(3);
/// How long a batch waits for a connection that is being made.
const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// Sends hints to the queue.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    outlet: watch::Receiver<Option<Outlet>>,
    link: watch::Receiver<Link>,
    breaker: Arc<Mutex<Breaker>>,
    _upkeep: Arc<AbortOnDropHandle<()>>,
}

/// What may be sent at a time, and the right to do so once.
#[derive(Debug)]
pub(crate) enum Go {
    Batch,
    One,
}

impl Publisher {
    pub(super) fn start(address: Arc<Address>) -> Self {
        let (state, link) = LinkState::new(Purpose::SendHints);
        let (to_outlet, outlet) = watch::channel(None);
        let breaker = Arc::new(Mutex::new(Breaker::default()));
        metrics::breaker_is(BreakerState::Closed);
        let role = Publishing { outlet: to_outlet, breaker: Arc::clone(&breaker) };
        let upkeep = AbortOnDropHandle::new(tokio::spawn(link::keep_up(address, role, state)));
        Self { outlet, link, breaker, _upkeep: Arc::new(upkeep) }
    }

    /// Asks the breaker; it may say when to come again.
    pub(crate) fn ask(&self) -> Result<Go, Duration> {
        let now = Instant::now();
        let mut breaker = self.breaker();
        let chance = breaker.ask(now);
        metrics::breaker_is(breaker.state());
        match chance {
            Chance::Free => Ok(Go::Batch),
            Chance::Probe => Ok(Go::One),
            Chance::NotBefore(until) => Err(until - now),
        }
    }

    /// Sends hints; tells for each, in the same order, what became of it.
    pub(crate) async fn send(&self, hints: &[Hint]) -> Vec<Result<(), SendError>> {
        let sent = match self.outlet().await {
            Ok(outlet) => outlet.publish(hints).await,
            Err(error) => vec![Err(error); hints.len()],
        };
        self.count(&sent);
        sent
    }

    /// How it is.
    pub(crate) fn condition(&self) -> Condition {
        let is_blocked = self.outlet.borrow().as_ref().is_some_and(Outlet::is_blocked);
        match &*self.link.borrow() {
            Link::Up if is_blocked => Condition::Blocked,
            Link::Up if self.breaker().state() == BreakerState::Open => Condition::Suspended,
            Link::Up => Condition::Up,
            Link::Connecting => Condition::Connecting,
            Link::Down(error) => Condition::Down(error.clone()),
        }
    }

    async fn outlet(&self) -> Result<Outlet, SendError> {
        let mut outlet = self.outlet.clone();
        if let Ok(Ok(outlet)) = timeout(CONNECT_LIMIT, outlet.wait_for(Option::is_some)).await
            && let Some(outlet) = &*outlet
        {
            return Ok(outlet.clone());
        }
        match &*self.link.borrow() {
            Link::Down(error) => Err(SendError::Broker(error.clone())),
            Link::Connecting | Link::Up => Err(SendError::Broker(BrokerError::Silent)),
        }
    }

    fn count(&self, sent: &[Result<(), SendError>]) {
        let failed = sent.iter().filter(|sent| sent.is_err()).count();
        metrics::published(sent.len() - failed, failed);
        let mut breaker = self.breaker();
        if failed > 0 {
            breaker.failed(Instant::now());
        } else {
            breaker.succeeded();
        }
        metrics::breaker_is(breaker.state());
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps an outlet open.
struct Publishing {
    outlet: watch::Sender<Option<Outlet>>,
    breaker: Arc<Mutex<Breaker>>,
}

impl Role for Publishing {
    async fn work(&mut self, session: &Session, state: &mut LinkState) -> BrokerError {
        match timeout(ANSWER_LIMIT, session.channel.confirm_select(ConfirmSelectOptions::default())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return BrokerError::of_session(&error),
            Err(_) => return BrokerError::Silent,
        }
        let outlet = Outlet {
            channel: session.channel.clone(),
            connection: session.connection.status().clone(),
            is_broken: CancellationToken::new(),
        };
        let is_broken = outlet.is_broken.clone();
        self.encourage();
        self.outlet.send_replace(Some(outlet));
        state.up();
        let error = tokio::select! {
            error = session.ended() => error,
            () = is_broken.cancelled() => BrokerError::Lost { reason: "a message was not confirmed".to_owned() },
        };
        self.outlet.send_replace(None);
        error
    }
}

impl Publishing {
    fn encourage(&self) {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        breaker.encourage();
        metrics::breaker_is(breaker.state());
    }
}

/// A channel that confirms.
#[derive(Debug, Clone)]
struct Outlet {
    channel: Channel,
    connection: ConnectionStatus,
    /// Cancelled by whoever finds out that it is.
    is_broken: CancellationToken,
}

impl Outlet {
    fn is_blocked(&self) -> bool {
        self.connection.blocked()
    }

    async fn publish(&self, hints: &[Hint]) -> Vec<Result<(), SendError>> {
        if self.is_blocked() {
            // The library would keep them until the broker takes them, on top of those that it keeps already.
            return vec![Err(SendError::Blocked); hints.len()];
        }
        let deadline = tokio::time::Instant::now() + CONFIRM_LIMIT;
        let publishing = hints.iter().map(|hint| timeout_at(deadline, self.publish_one(hint)));
        let sent = join_all(publishing).await.into_iter();
        let mut sent: Vec<_> = sent.map(|sent| sent.unwrap_or_else(|_| Err(self.no_answer()))).collect();
        if sent.iter().any(|sent| matches!(sent, Err(SendError::Unroutable))) {
            // The library can not always tell which message of a batch came back.
            sent.fill(Err(SendError::Unroutable));
        }
        if sent.iter().any(|sent| sent.as_ref().is_err_and(SendError::ends_connection)) {
            self.is_broken.cancel();
        }
        sent
    }

    async fn publish_one(&self, hint: &Hint) -> Result<(), SendError> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (body, properties) = (message::body(hint.build), message::properties(hint));
        let confirmation = async {
            self.channel.basic_publish("".into(), topology::BUILDS.into(), options, &body, properties).await?.await
        };
        match confirmation.await {
            Ok(Confirmation::Ack(None)) => Ok(()),
            Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) => Err(SendError::Unroutable),
            Ok(Confirmation::Nack(None)) => Err(SendError::Refused),
            Ok(Confirmation::NotRequested) => Err(SendError::NotConfirmed),
            Err(error) => Err(SendError::Broker(BrokerError::of_session(&error))),
        }
    }

    fn no_answer(&self) -> SendError {
        if self.is_blocked() { SendError::Blocked } else { SendError::NotConfirmed }
    }
}
