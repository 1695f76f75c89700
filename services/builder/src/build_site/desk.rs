//! What a worker keeps between builds: the site in memory, and how far it has read.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use microblog_domain::{BuildId, ChangeSeq, FilePath, ReleaseId, SiteSettings, Timestamp};
use microblog_release::ReleaseStore;
use microblog_site::{PageKey, Site};
use microblog_store::Store;
use tokio::runtime::Handle;

use super::BuildError;
use super::media::MediaFiles;
use super::render::Sources;

/// Where a worker finds what is not in the database.
#[derive(Debug, Clone)]
pub struct DeskConfig {
    /// A folder with templates and assets that replace the default theme's.
    pub theme: Option<PathBuf>,
    /// The folder of the uploads, by hash.
    pub media: PathBuf,
    /// The settings of a site whose owner has not saved any.
    pub first_settings: SiteSettings,
}

/// A worker's desk.
#[derive(Debug)]
pub struct Desk {
    pub(super) config: DeskConfig,
    pub(super) store: Store,
    pub(super) runtime: Handle,
    pub(super) releases: ReleaseStore,
    pub(super) memory: Option<Memory>,
}

/// The site as far as it has been read.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) site: Site,
    /// Every change up to this one is in.
    pub(super) seen: ChangeSeq,
    /// The build that it was last read for, if that had a row in the database.
    pub(super) landmark: Option<Landmark>,
    pub(super) settings: SiteSettings,
    pub(super) theme: ThemeStamp,
    /// Uploads and their variants.
    pub(super) media: MediaFiles,
    /// The release that shows the site as it was when `dirty` was empty.
    pub(super) shown_by: Option<ReleaseId>,
    /// What may differ from that release.
    pub(super) dirty: Dirty,
}

/// A fact that stands in a database from then on, and in no backup that is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Landmark {
    pub(super) build: BuildId,
    pub(super) taken_at: Option<Timestamp>,
}

/// Pages and uploads that the live release may show differently.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    pub(super) pages: BTreeSet<PageKey>,
    pub(super) media: BTreeSet<FilePath>,
}

/// Tells whether a file of the theme was changed: path, size and time of each. The time is that of any change of the
/// file, which whoever copies a file together with its times can not set.
pub(super) type ThemeStamp = Vec<(PathBuf, u64, (i64, i64))>;

impl Desk {
    /// A desk with nothing on it.
    #[must_use]
    pub fn new(config: DeskConfig, store: Store, releases: ReleaseStore, runtime: Handle) -> Self {
        Self { config, store, runtime, releases, memory: None }
    }

    /// The releases on disk.
    #[must_use]
    pub fn releases(&self) -> &ReleaseStore {
        &self.releases
    }

    /// The releases on disk, to change them.
    pub fn releases_mut(&mut self) -> &mut ReleaseStore {
        &mut self.releases
    }

    /// The site as far as it has been read, the releases, and where texts and uploads come from.
    pub(super) fn parts(&mut self) -> Result<(&Memory, &mut ReleaseStore, Sources<'_>), BuildError> {
        let memory = self.memory.as_ref().ok_or(BuildError::Stopped)?;
        let sources = Sources { store: &self.store, runtime: &self.runtime, media: &self.config.media };
        Ok((memory, &mut self.releases, sources))
    }

    /// Notes that readers see the site as it is in memory, but for the uploads that were left out.
    pub(super) fn settled(&mut self, left_out: BTreeSet<FilePath>) {
        let live = self.releases.live().map(|live| live.id);
        if let Some(memory) = &mut self.memory {
            memory.shown_by = live;
            memory.dirty = Dirty { pages: BTreeSet::new(), media: left_out };
        }
    }
}

/// Looks at every file of the theme's folder; nothing if there is none.
pub(super) fn theme_stamp(folder: Option<&PathBuf>) -> ThemeStamp {
    let mut stamp = Vec::new();
    let mut open: Vec<PathBuf> = folder.into_iter().cloned().collect();
    while let Some(folder) = open.pop() {
        let items = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for item in items {
            // A link is as old as it is, whatever happens to the file that it leads to.
            match std::fs::metadata(item.path()) {
                Ok(metadata) if metadata.is_dir() => open.push(item.path()),
                Ok(metadata) => {
                    stamp.push((item.path(), metadata.len(), (metadata.ctime(), metadata.ctime_nsec())));
                }
                Err(_) => {}
            }
        }
    }
    stamp.sort_unstable();
    stamp
}
