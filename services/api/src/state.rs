//! What every handler may use.

use std::fmt;
use std::sync::Arc;

use microblog_config::{AlertSettings, AuthSettings, CertificateWatch, ServerSettings, Settings};
use microblog_domain::{Clock, SiteSettings, Version};
use microblog_process::{ErrorReports, Recent};
use microblog_queue::{BuildEvents, QueueStatus, Waker};
use microblog_store::settings::StoredSettings;
use microblog_store::{Connection, MediaFolder, Store, StoreError, settings};
use microblog_telemetry::Recorder;

use crate::auth::Passwords;
use crate::edge::{Limiters, Ticks};
use crate::health::Health;
use crate::json_api::preview::PreviewTheme;

/// The state as handlers get it.
pub(crate) type App = Arc<AppState>;

/// The services and settings that the API is made of.
pub struct AppState {
    /// Posts, users, jobs: everything that is kept.
    pub store: Store,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// How often clients may ask.
    pub limiters: Limiters,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Limits of requests, and whom to believe about clients.
    pub server: ServerSettings,
    /// Logging in.
    pub auth: AuthSettings,
    /// Who may tell of alerts.
    pub alerts: AlertSettings,
    /// Where the bytes of uploads are.
    pub media: MediaFolder,
    /// Where to look at the certificate of the site.
    pub certificate: CertificateWatch,
    /// What the site is like until its owner saves settings.
    pub first_settings: SiteSettings,
    /// How previews look.
    pub preview: PreviewTheme,
    /// What was counted.
    pub recorder: Recorder,
    /// What probes examine.
    pub health: Health,
    /// When the metrics of the installation were last read.
    pub installation: Recent<()>,
    /// Told of whatever goes wrong.
    pub errors: ErrorReports,
    /// Tells whoever watches a build that there is something new.
    pub events: BuildEvents,
    /// Tells whether jobs can be passed on.
    pub queue: QueueStatus,
    /// Wakes whoever passes jobs on to the builder, after a change that needs a build was committed.
    pub waker: Waker,
}

impl AppState {
    /// The state of a process with these settings; the fields that others share are to be replaced by theirs.
    #[must_use]
    pub fn new(settings: &Settings, store: Store, clock: Arc<dyn Clock>, ticks: &Ticks, recorder: Recorder) -> Self {
        let limiters = Limiters::new(&settings.rate_limit, ticks).shared_in(&store, &settings.rate_limit);
        Self {
            store,
            clock,
            limiters,
            passwords: Passwords::default(),
            server: settings.server.clone(),
            auth: settings.auth.clone(),
            alerts: settings.alerts.clone(),
            media: MediaFolder::new(settings.data.media_dir()),
            certificate: settings.monitor.certificate.clone(),
            first_settings: settings.site.clone(),
            preview: PreviewTheme::new(settings.site_server.theme.clone()),
            recorder,
            health: Health::new(settings, true),
            installation: Recent::default(),
            errors: ErrorReports::default(),
            events: BuildEvents::default(),
            queue: QueueStatus::default(),
            waker: Waker::default(),
        }
    }
}

impl AppState {
    /// The settings of the site: those that its owner saved, or else those that it began with.
    pub(crate) async fn site(&self, conn: &mut Connection) -> Result<StoredSettings, StoreError> {
        let mut site = settings::load(conn).await?;
        if site.version == Version(0) {
            site.settings = self.first_settings.clone();
        }
        Ok(site)
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").finish_non_exhaustive()
    }
}
