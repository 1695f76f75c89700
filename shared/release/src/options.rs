//! How a store is to be run.

use std::sync::Arc;
use std::time::Duration;

use microblog_domain::{Clock, InstallationId, SystemClock};

use crate::error::{Error, Result};

/// How a store is to be run. The defaults suit a site of any size.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many complete trees there are, at least 2. With the grace it bounds how often one can publish for ever:
    /// `trees - 1` times per `grace`. A store that was made with more keeps more.
    pub trees: usize,
    /// How long a tree that is no longer live is left alone: longer than any `open()` of a reader can take.
    pub grace: Duration,
    /// A tree that lags behind by more bytes of manifest than this is far: it is brought up in the background, and a
    /// release is brought to another if there is one. The default is some five hundred files, or twenty milliseconds.
    pub far: u64,
    /// How many releases one can go back to, the live one included; at least 1.
    pub keep: usize,
    /// How long to wait while another process changes the store.
    pub lock_wait: Duration,
    /// How long to wait for walkers that hold a lease on every standby tree.
    pub lease_wait: Duration,
    /// Whether text gets compressed siblings, in [`ReleaseStore::tidy`](crate::ReleaseStore::tidy). Those that are there
    /// stay as long as the files that they belong to.
    pub compress: bool,
    /// Who builds here. A store that belongs to another installation is refused; one that belongs to nobody belongs to this
    /// one from then on. Nothing for those who only look at releases, or change what is kept of them.
    pub installation: Option<InstallationId>,
    /// Tells when a release was activated.
    pub clock: Arc<dyn Clock>,
    /// Counts, fails or stops at changes of the file system.
    #[cfg(feature = "fault-injection")]
    pub faults: Option<Arc<crate::faults::Faults>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trees: 3,
            grace: Duration::from_millis(250),
            far: 64 * 1024,
            keep: 10,
            lock_wait: Duration::from_secs(10),
            lease_wait: Duration::from_secs(30),
            compress: true,
            installation: None,
            clock: Arc::new(SystemClock),
            #[cfg(feature = "fault-injection")]
            faults: None,
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<()> {
        if !(2..=16).contains(&self.trees) {
            return Err(Error::Options("release.trees must be from 2 to 16: one is live while another is written"));
        }
        if self.keep == 0 {
            return Err(Error::Options("release.keep must be at least 1: the live release is one of them"));
        }
        Ok(())
    }
}
