//! Keeping a link to the broker up for as long as the process lives.
//!
//! The AMQP library can recover connections, but neither a channel that the broker closed nor a consumer that it
//! cancelled. So nothing is recovered: at every end, whatever it was, everything is built anew.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use microblog_telemetry::Trouble;
use tokio::sync::watch;

use super::Address;
use super::error::BrokerError;
use super::session::Session;
use crate::metrics;

const FIRST_REST: Duration = Duration::from_millis(100);
/// Short enough that service is back well within ten seconds of the broker's return.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What a link is for. Each has a connection of its own: a broker that is short of memory stops reading from those that
/// publish, and what consumers acknowledge must still be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SendHints,
    ReceiveHints,
    SendEvents,
    ReceiveEvents,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SendHints => "send_hints",
            Self::ReceiveHints => "receive_hints",
            Self::SendEvents => "send_events",
            Self::ReceiveEvents => "receive_events",
        }
    }
}

/// How a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// It is being made for the first time.
    Connecting,
    /// It does its work.
    Up,
    /// It is tried again and again.
    Down(BrokerError),
}

/// Says how a link is.
#[derive(Debug)]
pub(super) struct LinkState {
    purpose: Purpose,
    state: watch::Sender<Link>,
    trouble: Trouble,
}

impl LinkState {
    pub(super) fn new(purpose: Purpose) -> (Self, watch::Receiver<Link>) {
        metrics::link_is_up(purpose, false);
        let (state, receiver) = watch::channel(Link::Connecting);
        (Self { purpose, state, trouble: Trouble::default() }, receiver)
    }

    /// It does its work from now on.
    pub(super) fn up(&mut self) {
        if self.trouble.is_over() {
            tracing::info!(link = self.purpose.as_str(), "the broker is there again");
        }
        metrics::link_is_up(self.purpose, true);
        self.state.send_replace(Link::Up);
    }

    /// It ended. Each new reason is logged once. Tells whether it was up.
    fn down(&mut self, error: BrokerError) -> bool {
        if self.trouble.is_news(&error) {
            tracing::warn!(link = self.purpose.as_str(), %error, "the link to the broker is down; trying again");
        }
        metrics::link_is_up(self.purpose, false);
        self.state.send_replace(Link::Down(error)) == Link::Up
    }
}

/// What is done with a link.
pub(super) trait Role: Send {
    /// Works for as long as that is possible; tells why it no longer is. Says that the link is up once it works.
    fn work(&mut self, session: &Session, state: &mut LinkState) -> impl Future<Output = BrokerError> + Send;
}

/// Keeps a link up until it is dropped.
pub(super) async fn keep_up(address: Arc<Address>, mut role: impl Role, mut state: LinkState) {
    let mut rest = FIRST_REST;
    loop {
        let error = match Session::open(&address, state.purpose.as_str()).await {
            Ok(session) => role.work(&session, &mut state).await,
            Err(error) => error,
        };
        if state.down(error) {
            rest = FIRST_REST;
        }
        tokio::time::sleep(rest).await;
        rest = rest.saturating_mul(2).min(LONGEST_REST);
    }
}
