//! How the process is told to stop: Ctrl+C, or SIGTERM as service managers send it.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// What was heard so far.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    signals: u32,
    first: Option<Order>,
}

/// Who told the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Somebody at the keyboard, who waits.
    Interrupt,
    /// A service manager, which may have told those who send requests at the same time.
    Terminate,
}

/// Hears all signals from the moment that it is made. Clones hear the same.
#[derive(Debug, Clone)]
pub(crate) struct Signals(watch::Receiver<Heard>);

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (heard, receiver) = watch::channel(Heard::default());
        tokio::spawn(async move {
            loop {
                let order = tokio::select! {
                    _ = interrupt.recv() => Order::Interrupt,
                    _ = terminate.recv() => Order::Terminate,
                };
                heard.send_modify(|heard| {
                    heard.signals += 1;
                    heard.first = heard.first.or(Some(order));
                });
            }
        });
        Ok(Self(receiver))
    }

    /// Is ready when the process was told to stop.
    pub(crate) async fn first(&mut self) -> Order {
        self.heard(1).await.first.unwrap_or(Order::Interrupt)
    }

    /// Is ready when it was told again: whoever tells twice does not want to wait.
    pub(crate) async fn second(&mut self) {
        self.heard(2).await;
    }

    /// Whether it was told to stop.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.borrow().signals > 0
    }

    async fn heard(&mut self, signals: u32) -> Heard {
        match self.0.wait_for(|heard| heard.signals >= signals).await {
            Ok(heard) => *heard,
            // The task that listens lives as long as the runtime.
            Err(_) => std::future::pending().await,
        }
    }
}
