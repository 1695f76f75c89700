//! How often clients may ask.
//!
//! Each allowance fills up again steadily, and may be spent at once. Time is monotonic, so that setting the machine's
//! clock locks nobody out.

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

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Attempts to log in.
    LogIn,
    /// Builds and roll-backs asked for by hand.
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
        }
    }

    /// Spends one from the client's allowance, or says how long to wait.
    pub(crate) fn spend(&self, allowance: Allowance, client: ClientKey) -> Result<(), ApiError> {
        let limiter = self.of(allowance);
        limiter.check_key(&client).map_err(|refusal| {
            metrics::rate_limited();
            tracing::warn!(target: "security", ?allowance, "too many requests");
            ApiError::rate_limited(refusal.wait_time_from(limiter.clock().now()))
        })
    }

    /// Forgets clients whose allowances are full again. To be called now and then, or memory grows with their number.
    pub fn forget_idle_clients(&self) {
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
            limiters.spend(Allowance::LogIn, one).unwrap();
        }
        assert!(limiters.spend(Allowance::LogIn, one).unwrap_err().detail().contains("12 s"));
        limiters.spend(Allowance::LogIn, other).unwrap();
        limiters.spend(Allowance::Api, one).unwrap();
        seconds.store(12, Ordering::Relaxed);
        limiters.spend(Allowance::LogIn, one).unwrap();
        assert!(limiters.spend(Allowance::LogIn, one).is_err());
    }

    #[test]
    fn clients_that_went_away_are_forgotten() {
        let (limiters, seconds) = limiters();
        for last in 0..200 {
            limiters.spend(Allowance::Api, ClientKey::Network(Ipv4(last))).unwrap();
        }
        assert_eq!(limiters.api.len(), 200);
        seconds.store(120, Ordering::Relaxed);
        limiters.forget_idle_clients();
        assert_eq!(limiters.api.len(), 0);
    }

    #[expect(non_snake_case, reason = "reads like the address that it makes")]
    fn Ipv4(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }
}
