//! A site with everything that belongs to it: database, theme, uploads, releases, and a worker's desk that stays warm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use microblog_builder::build_site::{Control, Order, build_site};
use microblog_builder::{BuildError, Desk, DeskConfig};
use microblog_domain::media::{ImageVariant, stored_file};
use microblog_domain::{BuildMode, Clock as _, ContentHash, PostId, ReleaseId, RevisionNumber, SiteSettings};
use microblog_release::faults::Faults;
use microblog_release::{Error as ReleaseError, Finding, Options, ReleaseStore};
use microblog_store::images::{self, ImageWorker, MadeVariants};
use microblog_store::media::{self, MediaFile};
use microblog_store::publishing::{self, Intent};
use microblog_store::{Origin, StoreError, Transaction, posts, releases, settings};
use microblog_testkit::{DatabaseKind, TestClock, TestDatabase, a_post, fast_folder};
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::edits::{Build, Details, Edit, Round, ThemeFile, Upload};
use super::tree::{Tree, same, tree_of};

/// Where the database works. Connections come back to it wherever they are dropped, so every thread is to enter it.
pub(super) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

pub(super) struct Newsroom {
    database: TestDatabase,
    clock: TestClock,
    folder: TempDir,
    pub(super) desk: Desk,
    posts: Vec<PostId>,
    uploads: Vec<Upload>,
    late: Vec<Upload>,
    pinned: Option<ReleaseId>,
    /// What each release showed.
    shown: BTreeMap<ReleaseId, Tree>,
}

impl Newsroom {
    pub(super) fn open(database: DatabaseKind) -> Self {
        let database = RUNTIME.block_on(async {
            match database {
                DatabaseKind::Sqlite => TestDatabase::in_folder(fast_folder("microblog-database-")).await,
                DatabaseKind::Postgres => TestDatabase::postgres().await,
            }
        });
        let clock = TestClock::at("2026-03-01T12:00:00Z");
        let folder = fast_folder("microblog-newsroom-");
        for part in ["theme/templates", "theme/assets"] {
            std::fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        let desk = desk(&database, &folder, open_releases(&folder.path().join("build"), &clock, None).unwrap());
        let (posts, uploads, late) = (Vec::new(), Vec::new(), Vec::new());
        Self { database, clock, folder, desk, posts, uploads, late, pinned: None, shown: BTreeMap::new() }
    }

    /// Publishes the first posts, and builds the site.
    pub(super) fn begin_with(&mut self, first: &[Details]) -> Result<(), TestCaseError> {
        for details in first {
            self.create(details, true)?;
        }
        self.build(BuildMode::Incremental)?;
        self.compare()
    }

    /// Makes the edits, builds, and compares what readers see with what they should.
    pub(super) fn live_through(&mut self, round: &Round) -> Result<(), TestCaseError> {
        std::mem::take(&mut self.late).iter().for_each(|upload| self.store_bytes(upload.bytes));
        for edit in &round.edits {
            self.make(edit)?;
        }
        self.go_wrong(round.build)?;
        let mode = if matches!(round.build, Build::Full) { BuildMode::Full } else { BuildMode::Incremental };
        self.build(mode)?;
        self.compare()
    }

    /// Lets the site follow its posts again, whatever held it, and looks a last time at all of it.
    pub(super) fn close(mut self) -> Result<(), TestCaseError> {
        self.live_through(&Round { edits: vec![Edit::Unpin], build: Build::Incremental })?;
        let audit = self.desk.releases_mut().audit().unwrap();
        prop_assert_eq!(audit.flaws, vec![]);
        RUNTIME.block_on(self.database.store().close());
        Ok(())
    }

    fn create(&mut self, details: &Details, publish: bool) -> Result<(), TestCaseError> {
        let mut new = a_post().build();
        details.iter().for_each(|detail| detail.decide(&mut new.content));
        new.publish = publish;
        let saved = self.change(async |tx, origin| publishing::create(tx, new, origin).await)?;
        self.posts.extend(saved.map(|saved| saved.post.post.id));
        Ok(())
    }

    fn make(&mut self, edit: &Edit) -> Result<(), TestCaseError> {
        match edit {
            Edit::Create { details, publish } => self.create(details, *publish)?,
            Edit::Upload(upload) => self.upload(upload, true)?,
            Edit::UploadLate(upload) => self.upload(upload, false)?,
            Edit::DeleteUpload(index) => self.delete_upload(index)?,
            Edit::MakeVariants(number, dimensions) => self.make_variants(*number, *dimensions)?,
            Edit::Theme(file, variant) => self.change_theme(file, *variant),
            Edit::Wait(seconds) => drop(self.clock.advance(Duration::from_secs(*seconds))),
            Edit::Pin(index) => self.pin(Some(index))?,
            Edit::Unpin => self.pin(None)?,
            Edit::RollBackElsewhere(index) => self.roll_back_elsewhere(index),
            Edit::Settings(changes) => {
                let mut changed = self.settings();
                changes.iter().for_each(|change| change.decide(&mut changed));
                self.change(async |tx, origin| {
                    let version = settings::load(tx).await?.version;
                    settings::save(tx, version, &changed, origin).await
                })?;
            }
            Edit::PublishDue => {
                self.change(async |tx, origin| publishing::publish_due(tx, 100, origin).await)?;
            }
            Edit::Change(index, _)
            | Edit::Publish(index)
            | Edit::Unpublish(index)
            | Edit::Trash(index)
            | Edit::Restore(index)
            | Edit::RestoreRevision(index, _)
            | Edit::SetAside(index) => {
                if !self.posts.is_empty() {
                    self.change_post(*index.get(&self.posts), edit)?;
                }
            }
        }
        Ok(())
    }

    fn change_post(&self, id: PostId, edit: &Edit) -> Result<(), TestCaseError> {
        self.change(async |tx, origin| {
            let before = posts::get(tx, id).await?.post;
            match edit {
                Edit::Change(_, details) => {
                    let mut content = before.content;
                    details.iter().for_each(|detail| detail.decide(&mut content));
                    publishing::edit(tx, id, before.version, content, Intent::Keep, origin).await
                }
                Edit::Publish(_) => publishing::publish(tx, id, None, origin).await,
                Edit::Unpublish(_) => publishing::unpublish(tx, id, None, origin).await,
                Edit::Trash(_) => publishing::trash(tx, id, None, origin).await,
                Edit::Restore(_) => publishing::restore(tx, id, None, origin).await,
                Edit::RestoreRevision(_, number) => {
                    publishing::restore_revision(tx, id, RevisionNumber(*number), None, origin).await
                }
                _ => publishing::set_aside(tx, id, before.version, "it breaks builds", origin).await,
            }
        })
        .map(drop)
    }

    /// One transaction. What the rules refuse, or what is not there, is nothing that happened.
    fn change<T>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction, &Origin) -> Result<T, StoreError>,
    ) -> Result<Option<T>, TestCaseError> {
        let origin = Origin::system(self.clock.now());
        RUNTIME.block_on(async {
            let mut tx = self.database.store().begin().await.unwrap();
            match work(&mut tx, &origin).await {
                Ok(done) => tx.commit().await.map(|()| Some(done)).map_err(fail),
                Err(StoreError::Refused(_) | StoreError::NotFound) => tx.roll_back().await.map(|()| None).map_err(fail),
                Err(error) => Err(fail(error)),
            }
        })
    }

    fn settings(&self) -> SiteSettings {
        let saved =
            RUNTIME.block_on(async { settings::find(&mut *self.database.store().read().await?).await }).unwrap();
        saved.map_or_else(first_settings, |saved| saved.settings)
    }

    fn upload(&mut self, upload: &Upload, with_bytes: bool) -> Result<(), TestCaseError> {
        if with_bytes {
            self.store_bytes(upload.bytes);
        } else {
            self.late.push(*upload);
        }
        self.uploads.push(*upload);
        let is_picture = !upload.name.ends_with(".txt");
        let file = MediaFile {
            hash: ContentHash::of(upload.bytes),
            name: upload.name.to_owned(),
            content_type: if is_picture { "image/png" } else { "text/plain" }.to_owned(),
            size: upload.bytes.len() as u64,
            dimensions: is_picture.then_some((640, 480)),
        };
        self.change(async |tx, origin| media::add(tx, &file, origin).await).map(drop)
    }

    fn store_bytes(&self, bytes: &[u8]) {
        let stored = self.folder.path().join("media").join(stored_file(&ContentHash::of(bytes)));
        if !stored.exists() {
            std::fs::create_dir_all(stored.parent().unwrap()).unwrap();
            std::fs::write(stored, bytes).unwrap();
        }
    }

    /// Variants of the picture that is due, if any, of which it matters only that they are files.
    fn make_variants(&self, number: u32, dimensions: (u32, u32)) -> Result<(), TestCaseError> {
        let worker = ImageWorker { name: "maker", edition: 1 };
        let lease = Duration::from_secs(60);
        self.change(async |tx, origin| {
            let Some(claimed) = images::claim(tx, worker, lease, origin).await? else { return Ok(()) };
            let variants = (1..=number).map(|number| self.variant(&claimed.hash, 240 * number)).collect();
            images::keep(tx, &claimed, &MadeVariants { dimensions, variants }, origin).await.map(drop)
        })
        .map(drop)
    }

    fn variant(&self, original: &ContentHash, width: u32) -> ImageVariant {
        let bytes = format!("{original} {width} pixels wide");
        self.store_bytes(bytes.as_bytes());
        ImageVariant { width, height: width, hash: ContentHash::of(bytes.as_bytes()), size: bytes.len() as u64 }
    }

    fn delete_upload(&self, index: &Index) -> Result<(), TestCaseError> {
        if self.uploads.is_empty() {
            return Ok(());
        }
        let upload = index.get(&self.uploads);
        self.change(async |tx, origin| {
            let found = media::find(tx, &ContentHash::of(upload.bytes), upload.name).await?;
            media::delete(tx, found.ok_or(StoreError::NotFound)?.id, origin).await
        })
        .map(drop)
    }

    fn change_theme(&self, file: &ThemeFile, variant: Option<u8>) {
        let path = self.theme_file(file.path);
        match variant {
            Some(variant) => {
                let different = "different ".repeat(usize::from(variant));
                std::fs::write(path, file.source.replace("VARIANT", &different)).unwrap();
            }
            None => drop(std::fs::remove_file(path)),
        }
    }

    fn pin(&mut self, index: Option<&Index>) -> Result<(), TestCaseError> {
        let kept = self.desk.releases().releases().unwrap();
        self.pinned = index.filter(|_| !kept.is_empty()).map(|index| index.get(&kept).id);
        let pinned = self.pinned;
        self.change(async |tx, origin| match pinned {
            Some(release) => releases::pin(tx, release, origin).await,
            None => releases::unpin(tx, origin).await,
        })
        .map(drop)
    }

    fn roll_back_elsewhere(&mut self, index: &Index) {
        let mut elsewhere = self.open_releases(None).unwrap();
        let kept = elsewhere.releases().unwrap();
        if !kept.is_empty() && self.pinned.is_none() {
            elsewhere.roll_back(index.get(&kept).id).unwrap();
            self.note_shown(elsewhere.live().unwrap().id);
        }
    }

    /// The worker's process ended, and another one began.
    pub(super) fn restart(&mut self) {
        self.desk = desk(&self.database, &self.folder, self.open_releases(None).unwrap());
    }

    /// The releases once more, as another process would open them.
    pub(super) fn open_releases(&self, faults: Option<Arc<Faults>>) -> Result<ReleaseStore, ReleaseError> {
        open_releases(&self.build_folder(), &self.clock, faults)
    }

    /// The theme's file of this path.
    pub(super) fn theme_file(&self, path: &str) -> PathBuf {
        self.folder.path().join("theme").join(path)
    }

    /// A build that must succeed. One that would lose most of the pages is refused until somebody insists.
    fn build(&mut self, mode: BuildMode) -> Result<(), TestCaseError> {
        match build_site(&mut self.desk, Order { mode, lease: None }, &Control::default()) {
            Err(BuildError::Release(ReleaseError::Rejected(findings)))
                if mode == BuildMode::Incremental
                    && findings.iter().all(|finding| !finding.is_error() || is_loss(finding)) =>
            {
                self.build(BuildMode::Full)
            }
            Err(error) => Err(fail(error)),
            Ok(_) => {
                self.note_live();
                Ok(())
            }
        }
    }

    pub(super) fn note_live(&mut self) {
        if let Some(live) = self.desk.releases().live() {
            self.note_shown(live.id);
        }
    }

    fn note_shown(&mut self, release: ReleaseId) {
        self.shown.insert(release, tree_of(&self.build_folder()));
    }

    /// Readers see the release at which somebody holds the site, or else what a build from nothing shows.
    fn compare(&self) -> Result<(), TestCaseError> {
        let seen = tree_of(&self.build_folder());
        match self.pinned {
            Some(release) => same(&self.shown[&release], &seen, "while the site is held"),
            None => same(&self.tree_from_nothing()?, &seen, "after a build"),
        }
    }

    /// What a worker makes that has nothing but the database, the theme and the uploads.
    fn tree_from_nothing(&self) -> Result<Tree, TestCaseError> {
        let folder = fast_folder("microblog-from-nothing-");
        let mut desk =
            desk(&self.database, &self.folder, open_releases(folder.path(), &self.clock, None).map_err(fail)?);
        build_site(&mut desk, Order { mode: BuildMode::Full, lease: None }, &Control::default()).map_err(fail)?;
        Ok(tree_of(folder.path()))
    }

    pub(super) fn build_folder(&self) -> PathBuf {
        self.folder.path().join("build")
    }
}

fn desk(database: &TestDatabase, folder: &TempDir, releases: ReleaseStore) -> Desk {
    let config = DeskConfig {
        theme: Some(folder.path().join("theme")),
        media: folder.path().join("media"),
        first_settings: first_settings(),
    };
    Desk::new(config, database.store().clone(), releases, RUNTIME.handle().clone())
}

/// Small pages, so that few posts fill many.
fn first_settings() -> SiteSettings {
    SiteSettings { posts_per_page: 1, feed_items: 2, ..SiteSettings::default() }
}

fn open_releases(folder: &Path, clock: &TestClock, faults: Option<Arc<Faults>>) -> Result<ReleaseStore, ReleaseError> {
    let clock = Arc::new(clock.clone());
    ReleaseStore::open(folder, Options { clock, faults, grace: Duration::ZERO, keep: 4, ..Options::default() })
}

fn is_loss(finding: &Finding) -> bool {
    matches!(finding, Finding::PagesLost { .. })
}

fn fail(error: impl std::error::Error) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}
