//! What runs beside the requests: passing jobs on, publishing on time, watching over the certificate, and forgetting what
//! is over.
//!
//! Each of them may run in any number of processes at once: what it does is one transaction, which does nothing if
//! another process was first.

use std::sync::Arc;
use std::time::Duration;

use microblog_process::Tasks;
use microblog_queue::{HintSender, Relay};
use microblog_store::in_time;

use crate::scheduler::publish_on_time;
use crate::state::AppState;
use crate::{certificate, change};

/// How often the house is kept.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Starts them. Jobs are passed on to `builder`.
pub fn start_tasks(tasks: &mut Tasks, app: &Arc<AppState>, builder: HintSender) {
    let relay = Relay::new(app.store.clone(), builder, Arc::clone(&app.clock), app.waker.clone());
    tasks.start_endless("the relay", relay.run());
    tasks.start_endless("the scheduler", publish_on_time(Arc::clone(app)));
    tasks.start_endless("the watch over the certificate", certificate::watch(Arc::clone(app)));
    tasks.start_endless("housekeeping", keep_house(Arc::clone(app)));
}

/// Forgets, now and then, what is over: sessions that ended, answers that nobody will ask for again, clients that went
/// away.
async fn keep_house(app: Arc<AppState>) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    loop {
        ticks.tick().await;
        app.limiters.forget_idle_clients().await;
        if let Err(error) = in_time(change::forget_what_is_over(&app)).await {
            tracing::warn!(%error, "what is over could not be forgotten; trying again in a minute");
        }
    }
}
