//! What most tests begin with.

use std::time::Duration;

use microblog_domain::{AmqpUrl, BuildId, QueueUrl, Timestamp};
use microblog_queue::{Condition, Hint, HintReceiver, HintSender, Queue, QueueStatus, SendError};
use microblog_testkit::{Proxy, TestBroker, eventually};

/// A broker behind a proxy.
pub(crate) struct Line {
    pub(crate) broker: TestBroker,
    pub(crate) proxy: Proxy,
}

impl Line {
    pub(crate) async fn new() -> Self {
        Self::to(TestBroker::new().await).await
    }

    /// A line to a broker that no other test uses meanwhile.
    pub(crate) async fn alone() -> Self {
        Self::to(TestBroker::alone().await).await
    }

    async fn to(broker: TestBroker) -> Self {
        let proxy = Proxy::to(broker.url().port()).await;
        Self { broker, proxy }
    }

    /// The queue at the other end of the line.
    pub(crate) fn queue(&self) -> Queue {
        queue_at(self.broker.url_through(self.proxy.port()))
    }
}

pub(crate) fn queue_at(url: AmqpUrl) -> Queue {
    Queue::at(&QueueUrl::Amqp(url), None, "a test")
}

pub(crate) fn hint() -> Hint {
    Hint { build: BuildId::generate(Timestamp::UNIX_EPOCH), request_id: None, trace: None }
}

/// Sends a hint, as soon as the breaker lets it; once.
pub(crate) async fn try_to_send(sender: &HintSender, hint: &Hint) -> Result<(), SendError> {
    let permit = loop {
        match sender.permit() {
            Ok(permit) => break permit,
            Err(rest) => tokio::time::sleep(rest).await,
        }
    };
    sender.send(permit, std::slice::from_ref(hint)).await.remove(0)
}

/// Sends a hint until it is confirmed, as the relay does.
pub(crate) async fn send(sender: &HintSender, hint: &Hint) {
    eventually("the hint is confirmed", async || try_to_send(sender, hint).await.is_ok()).await;
}

/// The next hint.
pub(crate) async fn heard(receiver: &mut HintReceiver) -> Hint {
    tokio::time::timeout(Duration::from_secs(60), receiver.next()).await.expect("a hint within a minute")
}

/// A new hint gets through, whatever else does.
pub(crate) async fn gets_through(sender: &HintSender, receiver: &mut HintReceiver) {
    let hint = hint();
    send(sender, &hint).await;
    while heard(receiver).await != hint {
        receiver.settle();
    }
    receiver.settle();
}

/// Waits until the end is up.
pub(crate) async fn up(status: &QueueStatus) {
    eventually("the end is up", async || status.condition() == Condition::Up).await;
}

/// Waits until the end is down, and tells why.
pub(crate) async fn down(status: &QueueStatus) -> String {
    let mut reason = None;
    eventually("the end is down", async || {
        if let Condition::Down(error) = status.condition() {
            reason = Some(error.to_string());
        }
        reason.is_some()
    })
    .await;
    reason.unwrap()
}
