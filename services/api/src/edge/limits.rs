//! How often clients may ask.
//!
//! Each allowance fills up again steadily, and may be spent at once. Where several services answer for one site, the
//! database counts for all of them ([`SharedLimits`]); if it can not, or with one service alone, each counts for itself,
//! by a monotonic clock, so that setting the machine's clock locks nobody out.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use microblog_config::{PerMinute, RateLimitSettings};
use microblog_domain::UserId;
use microblog_store::Store;

use super::shared_limits::SharedLimits;
use crate::error::ApiError;
use crate::metrics;

/// Time that only goes forward, counted from any moment; tests set it.
#[derive(Clone)]
pub struct Ticks(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Ticks {
    /// The machine's own.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let start = Instant::now();
        Self::new(move || start.elapsed())
    }

    /// What `elapsed` says.
    pub fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(elapsed))
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticks")
    }
}

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0)()
    }
}

/// Whose requests count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientKey {
    /// Somebody who is logged in, wherever they are and however many tokens they have.
    User(UserId),
    /// Somebody unknown.
    Network(IpAddr),
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {user}"),
            Self::Network(address) => write!(f, "network {address}"),
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Attempts to log in.
    LogIn,
    /// Builds asked for by hand.
    Builds,
    /// Requests of most clients.
    Api,
    /// Requests of owners.
    Owner,
}

type Limiter = RateLimiter<ClientKey, DefaultKeyedStateStore<ClientKey>, Ticks, NoOpMiddleware<Duration>>;

/// All allowances of all clients.
#[derive(Debug)]
pub struct Limiters {
    log_in: Limiter,
    builds: Limiter,
    api: Limiter,
    owner: Limiter,
    shared: Option<SharedLimits>,
}

impl Limiters {
    /// Everybody may ask as often as the settings say.
    #[must_use]
    pub fn new(settings: &RateLimitSettings, ticks: &Ticks) -> Self {
        let limiter =
            |PerMinute(count)| Limiter::new(Quota::per_minute(count), DefaultKeyedStateStore::default(), ticks.clone());
        Self {
            log_in: limiter(settings.login),
            builds: limiter(settings.builds),
            api: limiter(settings.api),
            owner: limiter(settings.owner),
            shared: None,
        }
    }

    /// The same, counted by the database where that counts.
    #[must_use]
    pub fn shared_in(self, store: &Store, settings: &RateLimitSettings) -> Self {
        Self { shared: SharedLimits::of(store, settings), ..self }
    }

    /// Spends one from the client's allowance, or says how long to wait.
    pub(crate) async fn spend(&self, allowance: Allowance, client: ClientKey) -> Result<(), ApiError> {
        let shared = match &self.shared {
            Some(shared) => shared.spend(allowance, client).await,
            None => None,
        };
        shared.unwrap_or_else(|| self.spend_here(allowance, client)).map_err(|wait| {
            metrics::rate_limited();
            tracing::warn!(target: "security", ?allowance, %client, "too many requests");
            ApiError::rate_limited(wait)
        })
    }

    /// Counts in this process alone; the error is how long to wait.
    fn spend_here(&self, allowance: Allowance, client: ClientKey) -> Result<(), Duration> {
        let limiter = self.of(allowance);
        limiter.check_key(&client).map_err(|refusal| refusal.wait_time_from(limiter.clock().now()))
    }

    /// Forgets clients whose allowances are full again. To be called now and then, or memory grows with their number.
    pub(crate) async fn forget_idle_clients(&self) {
        if let Some(shared) = &self.shared {
            shared.forget_idle_clients().await;
        }
        self.forget_idle_clients_here();
    }

    fn forget_idle_clients_here(&self) {
        for limiter in [&self.log_in, &self.builds, &self.api, &self.owner] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn of(&self, allowance: Allowance) -> &Limiter {
        match allowance {
            Allowance::LogIn => &self.log_in,
            Allowance::Builds => &self.builds,
            Allowance::Api => &self.api,
            Allowance::Owner => &self.owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn limiters() -> (Limiters, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = seconds.clone();
        let ticks = Ticks::new(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
        let settings = RateLimitSettings {
            login: PerMinute::new(5),
            builds: PerMinute::new(10),
            api: PerMinute::new(100),
            owner: PerMinute::new(10_000),
        };
        (Limiters::new(&settings, &ticks), seconds)
    }

    #[test]
    fn who_spent_the_allowance_waits_and_nobody_else() {
        let (limiters, seconds) = limiters();
        let [one, other] = ["203.0.113.1", "203.0.113.2"].map(|address| ClientKey::Network(address.parse().unwrap()));
        for _ in 0..5 {
            limiters.spend_here(Allowance::LogIn, one).unwrap();
        }
        assert_eq!(limiters.spend_here(Allowance::LogIn, one), Err(Duration::from_secs(12)));
        limiters.spend_here(Allowance::LogIn, other).unwrap();
        limiters.spend_here(Allowance::Api, one).unwrap();
        seconds.store(12, Ordering::Relaxed);
        limiters.spend_here(Allowance::LogIn, one).unwrap();
        assert!(limiters.spend_here(Allowance::LogIn, one).is_err());
    }

    #[test]
    fn clients_that_went_away_are_forgotten() {
        let (limiters, seconds) = limiters();
        for last in 0..200 {
            limiters.spend_here(Allowance::Api, ClientKey::Network(Ipv4(last))).unwrap();
        }
        assert_eq!(limiters.api.len(), 200);
        seconds.store(120, Ordering::Relaxed);
        limiters.forget_idle_clients_here();
        assert_eq!(limiters.api.len(), 0);
    }

    #[expect(non_snake_case, reason = "reads like the address that it makes")]
    fn Ipv4(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }
}
