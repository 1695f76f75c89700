//! The tasks of the process, from their start to their common end.
//!
//! When one of them ends, however it does, all are told to stop: half a service would look healthy and publish nothing.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long the tasks may take to end when they were told to; then they are left behind. Container engines wait for ten
/// seconds before they kill, of which draining takes one before; closing the database takes one at most behind,
/// and the last traces and log lines one together.
pub const GRACE: Duration = Duration::from_secs(6);

/// Tasks that run side by side.
#[derive(Debug)]
pub struct Tasks {
    stopper: watch::Sender<bool>,
    running: Vec<(&'static str, JoinHandle<anyhow::Result<()>>)>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { stopper: watch::Sender::new(false), running: Vec::new() }
    }

    /// Becomes true when all are to stop.
    #[must_use]
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.stopper.subscribe()
    }

    /// Is ready when all are to stop.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        is_true(self.stop())
    }

    /// Starts a task that ends when it is told to stop.
    pub fn start<E>(&mut self, name: &'static str, work: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Into<anyhow::Error>,
    {
        let others = StopOthers(self.stopper.clone());
        let task = tokio::spawn(async move {
            let _others = others;
            work.await.map_err(Into::into)
        });
        self.running.push((name, task));
    }

    /// Starts a task that knows no end: it is dropped when all stop.
    pub fn start_endless(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stopped();
        self.start(name, async move {
            tokio::select! {
                () = work => Err(anyhow!("it ended by itself")),
                () = stopped => Ok(()),
            }
        });
    }

    /// Waits until `signal` says so or one of them ends; then stops all.
    ///
    /// # Errors
    /// Names the first that went wrong.
    pub async fn run_until(self, signal: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        let told = tokio::select! {
            told = signal => told,
            () = self.stopped() => Ok(()),
        };
        tracing::info!("stopping: finishing what is under way");
        self.stopper.send_replace(true);
        let deadline = Instant::now() + GRACE;
        let mut result = told;
        for (name, task) in self.running {
            let ended = end_of(name, task, deadline).await;
            result = result.and(ended);
        }
        result
    }
}

async fn end_of(name: &str, task: JoinHandle<anyhow::Result<()>>, deadline: Instant) -> anyhow::Result<()> {
    match tokio::time::timeout_at(deadline, task).await {
        Ok(Ok(ended)) => ended.with_context(|| format!("{name} has failed")),
        Ok(Err(crash)) => Err(anyhow!(crash).context(format!("{name} has crashed; see the log"))),
        Err(_) => {
            tracing::warn!(
                "{name} did not stop in time and is cut off; what it did is taken up again at the next start"
            );
            Ok(())
        }
    }
}

/// Tells the others when the task that holds it ends.
struct StopOthers(watch::Sender<bool>);

impl Drop for StopOthers {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

async fn is_true(mut value: watch::Receiver<bool>) {
    // An error means that nobody is left to tell, which is an end, too.
    let _ = value.wait_for(|is_true| *is_true).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use super::*;

    async fn told(stopped: impl Future<Output = ()>) -> Result<(), Infallible> {
        stopped.await;
        Ok(())
    }

    #[tokio::test]
    async fn a_task_that_crashes_stops_the_others_and_is_named() {
        let mut tasks = Tasks::new();
        tasks.start("the site", told(tasks.stopped()));
        tasks.start_endless("the relay", async { panic!("a mistake") });
        let error = tasks.run_until(pending()).await.unwrap_err();
        assert!(format!("{error:#}").contains("the relay has crashed"), "{error:#}");
    }

    #[tokio::test]
    async fn a_signal_stops_all_and_is_no_failure() {
        let mut tasks = Tasks::new();
        tasks.start("the site", told(tasks.stopped()));
        tasks.start_endless("the relay", pending());
        tasks.run_until(async { Ok(()) }).await.unwrap();
    }
}
