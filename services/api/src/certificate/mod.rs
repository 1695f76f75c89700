//! Until when the certificate of the public address is valid, looked at once an hour for the metrics.
//!
//! Whoever renews it may have failed without a word, and readers are the last who should find out. What the certificate
//! says counts, not whether anybody trusts it: that is for the browsers. Start reading at [`watch`].

mod handshake;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use microblog_config::CertificateWatch;
use microblog_domain::{SiteSettings, Timestamp};
use microblog_process::Trouble;
use microblog_store::{StoreError, in_time};

use self::handshake::{CertificateError, Endpoint};
use crate::metrics;
use crate::state::AppState;

/// How often it is looked whether the owner has moved the site, and again at a certificate that could not be seen or is
/// about to expire: who renews it wants to see that it is done.
const ROUND: Duration = Duration::from_secs(30);
/// How often a certificate is looked at that is valid for long.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// It should have been renewed by then.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Watches over it, for the life of the process.
pub(crate) async fn watch(app: Arc<AppState>) {
    let (mut rounds, mut watch) = (tokio::time::interval(ROUND), Watch::default());
    loop {
        rounds.tick().await;
        // While the database does not say where the site is, it is where it was.
        if let Ok(wanted) = wanted(&app).await {
            watch.look(wanted, app.clock.now()).await;
        }
    }
}

/// What is known of the certificate.
#[derive(Debug, Default)]
struct Watch {
    seen: Option<Seen>,
    trouble: Trouble,
}

impl Watch {
    /// Looks at the certificate there, if it is time to.
    async fn look(&mut self, wanted: Option<Endpoint>, now: Timestamp) {
        if let Some(gone) = self.seen.take_if(|seen| !seen.is_of(wanted.as_ref())) {
            metrics::certificate_is_gone(&gone.endpoint.host);
        }
        let is_good = |endpoint: &Endpoint| self.seen.as_ref().is_some_and(|seen| seen.is_good(endpoint, now));
        let Some(endpoint) = wanted.filter(|endpoint| !is_good(endpoint)) else { return };
        match handshake::expiry(&endpoint).await {
            Ok(expiry) => {
                metrics::certificate_expires(&endpoint.host, expiry);
                self.seen = Some(Seen { endpoint, at: Instant::now(), expiry });
                self.trouble.is_over();
            }
            Err(error) => tell(&mut self.trouble, &endpoint, &error),
        }
    }
}

/// A certificate that could be looked at.
#[derive(Debug)]
struct Seen {
    endpoint: Endpoint,
    at: Instant,
    expiry: Timestamp,
}

impl Seen {
    fn is_of(&self, endpoint: Option<&Endpoint>) -> bool {
        endpoint.is_some_and(|endpoint| endpoint.host == self.endpoint.host)
    }

    /// Whether it need not be looked at again yet.
    fn is_good(&self, endpoint: &Endpoint, now: Timestamp) -> bool {
        let is_fresh = self.at.elapsed() < LOOK_EVERY && self.expiry.duration_since(now) > RENEWED_BEFORE;
        is_fresh && self.endpoint == *endpoint
    }
}

/// Where the certificate is to be looked at now, if anywhere; the owner may move the site at any time.
async fn wanted(app: &AppState) -> Result<Option<Endpoint>, StoreError> {
    let site = in_time(async { app.site(&mut *app.store.read().await?).await }).await?;
    Ok(endpoint(&site.settings, &app.certificate))
}

fn endpoint(site: &SiteSettings, watch: &CertificateWatch) -> Option<Endpoint> {
    let (host, port) = site.base_url.tls_endpoint()?;
    let address = match watch {
        CertificateWatch::Off => return None,
        CertificateWatch::Auto => format!("{host}:{port}"),
        CertificateWatch::At(address) => address.clone(),
    };
    Some(Endpoint { host: host.to_owned(), address })
}

fn tell(trouble: &mut Trouble, endpoint: &Endpoint, error: &CertificateError) {
    if trouble.is_news(error) {
        tracing::warn!(
            %error, host = endpoint.host, address = endpoint.address,
            "the certificate of the site can not be looked at; monitor.certificate says where to ask, or not to"
        );
    }
}

#[cfg(test)]
mod tests {
    use microblog_config::{Settings, Sources};
    use microblog_telemetry::Recorder;
    use microblog_testkit::{TestClock, TestDatabase};

    use super::*;
    use crate::Ticks;

    fn site(base_url: &str) -> SiteSettings {
        SiteSettings { base_url: base_url.parse().unwrap(), ..SiteSettings::default() }
    }

    #[test]
    fn the_certificate_of_the_public_address_is_asked_for_there_or_where_the_setting_says() {
        let address = |base_url, watch| endpoint(&site(base_url), &watch).map(|endpoint| endpoint.address);
        let elsewhere = || CertificateWatch::At("127.0.0.1:8443".to_owned());
        assert_eq!(address("https://example.org/blog", CertificateWatch::Auto).unwrap(), "example.org:443");
        assert_eq!(address("https://example.org:444", CertificateWatch::Auto).unwrap(), "example.org:444");
        assert_eq!(address("https://example.org", elsewhere()).unwrap(), "127.0.0.1:8443");
        assert_eq!(address("https://example.org", CertificateWatch::Off), None);
        assert_eq!(address("http://example.org", elsewhere()), None);
    }

    /// A certificate that is good for a year was seen there.
    fn seen_at(address: &str) -> Watch {
        let endpoint = Endpoint { host: "example.org".to_owned(), address: address.to_owned() };
        let expiry = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365);
        Watch { seen: Some(Seen { endpoint, at: Instant::now(), expiry }), trouble: Trouble::default() }
    }

    #[tokio::test]
    async fn a_certificate_is_looked_at_again_where_the_site_has_moved_to_and_forgotten_without_one() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let there = Endpoint { host: "example.org".to_owned(), address: taken };
        let mut watch = seen_at(&there.address);
        watch.look(Some(there.clone()), Timestamp::UNIX_EPOCH).await;
        assert!(watch.seen.is_some() && !watch.trouble.is_over(), "it is good for an hour");
        let mut watch = seen_at("127.0.0.1:1");
        watch.look(Some(there), Timestamp::UNIX_EPOCH).await;
        assert!(watch.seen.is_some() && watch.trouble.is_over(), "nobody answers there");
        watch.look(None, Timestamp::UNIX_EPOCH).await;
        assert!(watch.seen.is_none());
    }

    #[tokio::test]
    async fn a_database_that_is_away_does_not_say_that_the_site_has_no_certificate() {
        let database = TestDatabase::new().await;
        let settings = Settings::load(&Sources::default()).unwrap();
        let recorder = Recorder::of_this_process().unwrap();
        let (store, clock) = (database.store().clone(), Arc::new(TestClock::new()));
        let app = AppState::new(&settings, store, clock, &Ticks::of_this_machine(), recorder);
        assert_eq!(wanted(&app).await.unwrap(), None);
        database.store().close().await;
        assert!(wanted(&app).await.is_err());
    }
}
