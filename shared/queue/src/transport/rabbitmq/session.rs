//! One connection with one channel and everything declared, from its beginning to its end.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::{Channel, Connection, Event};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::dial::dial;
use super::error::BrokerError;
use super::wire::WireHandle;
use super::{Address, topology};

/// For whatever the broker does at once when it is well.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection that can be used.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) channel: Channel,
    pub(super) connection: Connection,
    wire: WireHandle,
}

impl Session {
    /// Connects, and sees to it that there is everything that we use.
    pub(super) async fn open(address: &Address, purpose: &str) -> Result<Self, BrokerError> {
        let (connection, wire) = dial(address, purpose).await?;
        let channel = match timeout(ANSWER_LIMIT, connection.create_channel()).await {
            Ok(Ok(channel)) => channel,
            failed => {
                wire.cut();
                return Err(failed.map_or(BrokerError::Silent, |made| {
                    made.map_or_else(|error| BrokerError::of_session(&error), |_| BrokerError::Silent)
                }));
            }
        };
        let session = Self { channel, connection, wire };
        topology::declare(&session.channel).await?;
        Ok(session)
    }

    /// Ends it, and tells the broker so before the runtime may end.
    pub(super) async fn close(self) {
        let _ = timeout(FAREWELL, self.connection.close(200, "done".into())).await;
    }

    /// Waits until the channel or the connection has ended, and tells why.
    pub(super) async fn ended(&self) -> BrokerError {
        let mut events = Box::pin(self.connection.events_listener());
        let told = async {
            loop {
                match events.next().await {
                    Some(Event::Error(error)) => return BrokerError::of_session(&error),
                    Some(_) => {}
                    None => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            biased;
            error = told => error,
            () = self.wire.gone() => BrokerError::Lost { reason: "it was closed".to_owned() },
        }
    }
}

/// The library says good-bye when it is let go of; a peer that does not listen is not waited for.
impl Drop for Session {
    fn drop(&mut self) {
        let wire = self.wire.clone();
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                let _ = timeout(FAREWELL, wire.gone()).await;
                wire.cut();
            })),
            Err(_) => wire.cut(),
        }
    }
}
