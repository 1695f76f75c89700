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
use microblog_store::in_time;

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
    let (mut rounds, mut seen, mut trouble) = (tokio::time::interval(ROUND), None::<Seen>, Trouble::default());
    loop {
        rounds.tick().await;
        let wanted = wanted(&app).await;
        if let Some(gone) = seen.take_if(|seen| !seen.is_of(wanted.as_ref())) {
            metrics::certificate_is_gone(&gone.host);
        }
        let Some(endpoint) = wanted.filter(|_| !seen.as_ref().is_some_and(|seen| seen.is_good_at(app.clock.now())))
        else {
            continue;
        };
        match handshake::expiry(&endpoint).await {
            Ok(expiry) => {
                metrics::certificate_expires(&endpoint.host, expiry);
                seen = Some(Seen { host: endpoint.host, at: Instant::now(), expiry });
                trouble.is_over();
            }
            Err(error) => tell(&mut trouble, &endpoint, &error),
        }
    }
}

/// A certificate that could be looked at.
struct Seen {
    host: String,
    at: Instant,
    expiry: Timestamp,
}

impl Seen {
    fn is_of(&self, endpoint: Option<&Endpoint>) -> bool {
        endpoint.is_some_and(|endpoint| endpoint.host == self.host)
    }

    /// Whether it need not be looked at again yet.
    fn is_good_at(&self, now: Timestamp) -> bool {
        self.at.elapsed() < LOOK_EVERY && self.expiry.duration_since(now) > RENEWED_BEFORE
    }
}

/// Where the certificate is to be looked at now, if anywhere; the owner may move the site at any time.
async fn wanted(app: &AppState) -> Option<Endpoint> {
    let settings = async { app.site(&mut *app.store.read().await?).await };
    endpoint(&in_time(settings).await.ok()?.settings, &app.certificate)
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
    use super::*;

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
}
