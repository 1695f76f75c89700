//! A database, a release store, and a worker between them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use microblog_builder::{Desk, DeskConfig, Worker, WorkerConfig};
use microblog_domain::{BuildMode, PostId, SiteSettings, Version};
use microblog_queue::{BuildEvents, Waker};
use microblog_release::{Options, ReleaseStore};
use microblog_store::builds::{self, Build, BuildRequest};
use microblog_store::publishing::{self, Intent, NewPost, Saved};
use microblog_store::{Origin, Store};
use microblog_testkit::{DatabaseKind, TestClock, TestDatabase};
use tempfile::TempDir;
use tokio::runtime::Handle;

pub(crate) struct Workshop {
    desk: Arc<Mutex<Desk>>,
    pub(crate) database: TestDatabase,
    pub(crate) clock: TestClock,
    pub(crate) folder: TempDir,
    pub(crate) worker: Worker,
}

impl Workshop {
    pub(crate) async fn new() -> Self {
        Self::on(DatabaseKind::Sqlite).await
    }

    pub(crate) async fn on(database: DatabaseKind) -> Self {
        Self::with(TestDatabase::of(database).await)
    }

    pub(crate) fn with(database: TestDatabase) -> Self {
        let clock = TestClock::at("2026-03-01T12:00:00Z");
        let folder = TempDir::with_prefix("microblog-builder-").unwrap();
        let (worker, desk) = worker(database.store(), &clock, folder.path());
        Self { desk, database, clock, folder, worker }
    }

    /// The worker's process ended, and another one began.
    pub(crate) fn restart(&mut self) {
        (self.worker, self.desk) = worker(self.database.store(), &self.clock, self.folder.path());
    }

    /// What the worker works at.
    pub(crate) fn worker_desk(&self) -> Arc<Mutex<Desk>> {
        Arc::clone(&self.desk)
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::system(microblog_domain::Clock::now(&self.clock))
    }

    pub(crate) async fn create(&self, post: NewPost) -> Saved {
        let mut tx = self.database.store().begin().await.unwrap();
        let saved = publishing::create(&mut tx, post, &self.origin()).await.unwrap();
        tx.commit().await.unwrap();
        saved
    }

    pub(crate) async fn edit(&self, post: &Saved, change: impl FnOnce(&mut microblog_domain::PostContent)) -> Saved {
        let mut content = post.post.post.content.clone();
        change(&mut content);
        let mut tx = self.database.store().begin().await.unwrap();
        let (id, version): (PostId, Version) = (post.post.post.id, post.post.post.version);
        let saved = publishing::edit(&mut tx, id, version, content, Intent::Keep, &self.origin()).await.unwrap();
        tx.commit().await.unwrap();
        saved
    }

    pub(crate) async fn trash(&self, post: &Saved) {
        let mut tx = self.database.store().begin().await.unwrap();
        publishing::trash(&mut tx, post.post.post.id, None, &self.origin()).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn ask(&self, mode: BuildMode) -> Build {
        let mut tx = self.database.store().begin().await.unwrap();
        let build = builds::ask(&mut tx, &BuildRequest::now(mode, &self.origin()), &self.origin()).await.unwrap();
        tx.commit().await.unwrap();
        build
    }

    /// Works off everything that is due.
    pub(crate) async fn work(&self) {
        while self.worker.work_once().await.unwrap() {}
    }

    pub(crate) async fn build(&self, id: microblog_domain::BuildId) -> Build {
        builds::get(&mut self.database.store().read().await.unwrap(), id).await.unwrap()
    }

    /// What readers get for a file, if it is there.
    pub(crate) fn read(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("build/current").join(file)).ok()
    }

    /// Every file that readers can get, with its content.
    pub(crate) fn tree(&self) -> Vec<(PathBuf, Vec<u8>)> {
        tree_of(&self.folder.path().join("build/current"))
    }

    /// What a worker makes that begins with nothing.
    pub(crate) async fn tree_from_nothing(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = TempDir::with_prefix("microblog-from-nothing-").unwrap();
        std::os::unix::fs::symlink(self.folder.path().join("media"), folder.path().join("media")).unwrap();
        let (worker, _) = worker(self.database.store(), &self.clock, folder.path());
        self.ask(BuildMode::Incremental).await;
        assert!(worker.work_once().await.unwrap());
        tree_of(&folder.path().join("build/current"))
    }
}

fn worker(store: &Store, clock: &TestClock, folder: &Path) -> (Worker, Arc<Mutex<Desk>>) {
    let options = Options { clock: Arc::new(clock.clone()), grace: std::time::Duration::ZERO, ..Options::default() };
    let releases = ReleaseStore::open(&folder.join("build"), options).unwrap();
    let config = DeskConfig {
        theme: Some(folder.join("theme")),
        media: folder.join("media"),
        first_settings: SiteSettings { posts_per_page: 2, ..SiteSettings::default() },
    };
    let desk = Arc::new(Mutex::new(Desk::new(config, store.clone(), releases, Handle::current())));
    let worker = Worker::new(
        WorkerConfig {
            name: "the only one".to_owned(),
            lease_for: std::time::Duration::from_millis(300),
            tidy_again: std::time::Duration::from_millis(20),
            ..WorkerConfig::default()
        },
        store.clone(),
        Arc::new(clock.clone()),
        BuildEvents::default(),
        Waker::default(),
        Arc::clone(&desk),
    );
    (worker, desk)
}

fn tree_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![folder.canonicalize().unwrap()];
    let root = open[0].clone();
    while let Some(folder) = open.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push((path.strip_prefix(&root).unwrap().to_owned(), std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
