//! How often clients may ask all services of a site together, as the database counts it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use microblog_config::{PerMinute, RateLimitSettings};
use microblog_store::rate_limits::{self, Quota, Spent};
use microblog_store::{Store, in_time};

use super::limits::{Allowance, ClientKey};

const MINUTE: Duration = Duration::from_secs(60);
/// A request waits no longer than this to be counted.
const TIME_LIMIT: Duration = Duration::from_millis(500);

/// All allowances of all clients, in the database.
#[derive(Debug)]
pub(crate) struct SharedLimits {
    store: Store,
    settings: RateLimitSettings,
    /// Said once, not with every request.
    has_failed: AtomicBool,
}

impl SharedLimits {
    /// Nothing if the database does not count.
    pub(crate) fn of(store: &Store, settings: &RateLimitSettings) -> Option<Self> {
        let limits = || Self { store: store.clone(), settings: *settings, has_failed: AtomicBool::new(false) };
        rate_limits::are_counted(store).then(limits)
    }

    /// Spends one; the inner error is how long to wait. Nothing if the database can not be asked: a client must not be
    /// locked out for that, nor everybody be let in.
    pub(crate) async fn spend(&self, allowance: Allowance, client: ClientKey) -> Option<Result<(), Duration>> {
        let (kind, quota) = self.quota(allowance);
        let client = client.to_string();
        let spend = rate_limits::spend(&self.store, kind, &client, quota);
        let spent = match tokio::time::timeout(TIME_LIMIT, spend).await {
            Ok(Ok(spent)) => spent,
            Ok(Err(error)) => return self.failed(&error.to_string()),
            Err(_) => return self.failed("it did not answer in time"),
        };
        self.has_failed.store(false, Ordering::Relaxed);
        Some(match spent {
            Spent::Yes => Ok(()),
            Spent::NotBefore(wait) => Err(wait),
        })
    }

    fn failed<T>(&self, error: &str) -> Option<T> {
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "the database can not count requests; each service counts for itself meanwhile");
        }
        None
    }

    /// Or the table grows with the number of clients.
    pub(crate) async fn forget_idle_clients(&self) {
        if let Err(error) = in_time(rate_limits::forget_idle(&self.store)).await {
            tracing::warn!(%error, "clients that went away could not be forgotten; trying again in a minute");
        }
    }

    fn quota(&self, allowance: Allowance) -> (&'static str, Quota) {
        let (kind, PerMinute(count)) = match allowance {
            Allowance::LogIn => ("login", self.settings.login),
            Allowance::Builds => ("builds", self.settings.builds),
            Allowance::Api => ("api", self.settings.api),
            Allowance::Owner => ("owner", self.settings.owner),
        };
        (kind, Quota { full_after: MINUTE, size: count.get() })
    }
}
