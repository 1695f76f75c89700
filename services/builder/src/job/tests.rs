//! Builds that somebody or something stops, and what is told of a build.

use std::ffi::OsString;
use std::sync::Mutex;
use std::time::Duration;

use microblog_domain::{BuildMode, BuildState, Clock as _, PostStatus, SiteSettings};
use microblog_process::ErrorKeeper;
use microblog_queue::{BuildEvents, RetryPolicy, Waker};
use microblog_release::{Options, ReleaseStore};
use microblog_store::builds::{self, BuildRequest, Claim, leases};
use microblog_store::{Origin, errors, posts, publishing};
use microblog_testkit::{TestClock, TestDatabase, a_post};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::settle::{Ending, MOST_WARNINGS, told_warnings};
use super::watch::LOOK;
use super::*;
use crate::build_site::{Desk, DeskConfig, Piece};
use crate::quarantine::ProbeCommand;
use crate::worker::WorkerConfig;

/// A build that was claimed, and whose thread goes on until it is stopped.
struct Endless {
    database: TestDatabase,
    clock: TestClock,
    _folder: TempDir,
    worker: Worker,
    claimed: ClaimedBuild,
}

impl Endless {
    async fn begin(deadline: Duration) -> Self {
        let (database, clock) = (TestDatabase::new().await, TestClock::at("2026-03-01T12:00:00Z"));
        let folder = TempDir::with_prefix("microblog-builder-").unwrap();
        let config = WorkerConfig {
            lease_for: 3 * LOOK,
            deadline,
            retry: RetryPolicy { attempts: 1, ..RetryPolicy::default() },
            ..WorkerConfig::default()
        };
        let worker = worker(&database, &clock, &folder, config);
        let origin = Origin::system(clock.now());
        let mut tx = database.store().begin().await.unwrap();
        builds::ask(&mut tx, &BuildRequest::now(BuildMode::Incremental, &origin), &origin).await.unwrap();
        tx.commit().await.unwrap();
        let claimed = claim(&database, &clock).await.unwrap();
        Self { database, clock, _folder: folder, worker, claimed }
    }

    /// Watches over it until it ends, and stores how.
    async fn end(&self, stop: signal::Receiver<bool>) -> Build {
        self.end_of(stop, |control| {
            loop {
                control.check()?;
                std::thread::yield_now();
            }
        })
        .await
    }

    async fn end_of<W>(&self, mut stop: signal::Receiver<bool>, work: W) -> Build
    where
        W: FnOnce(&Control) -> Result<Built, BuildError> + Send + 'static,
    {
        let control = Arc::new(Control::default());
        let told = Arc::clone(&control);
        let thread = tokio::task::spawn_blocking(move || work(&told));
        let ClaimedBuild { build, lease } = &self.claimed;
        let end = watch::watch_over(&self.worker, lease, thread, &control, &stop).await;
        settle::settle(&self.worker, build, lease, end, &control, &mut stop).await;
        builds::get(&mut self.database.store().read().await.unwrap(), build.id).await.unwrap()
    }
}

fn worker(database: &TestDatabase, clock: &TestClock, folder: &TempDir, config: WorkerConfig) -> Worker {
    let releases = ReleaseStore::open(&folder.path().join("build"), Options::default()).unwrap();
    let first_settings = SiteSettings::default();
    let desk = DeskConfig { theme: None, media: folder.path().join("media"), first_settings };
    let desk = Arc::new(Mutex::new(Desk::new(desk, database.store().clone(), releases, Handle::current())));
    let (store, clock) = (database.store().clone(), Arc::new(clock.clone()));
    Worker::new(config, store, clock, BuildEvents::default(), Waker::default(), desk)
}

async fn claim(database: &TestDatabase, clock: &TestClock) -> Option<ClaimedBuild> {
    let mut tx = database.store().begin().await.unwrap();
    let claim = Claim { worker: "one of two".to_owned(), lease_for: Duration::from_secs(30) };
    let claimed = builds::claim(&mut tx, &claim, clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

const LONG: Duration = Duration::from_secs(900);

#[tokio::test]
async fn a_build_that_takes_too_long_is_stopped_and_says_which_setting_is_the_limit() {
    let endless = Endless::begin(Duration::ZERO).await;
    let (_keep, stop) = signal::channel(false);
    let build = endless.end(stop).await;
    assert_eq!(build.state, BuildState::Failed);
    assert!(build.error.unwrap().contains("build.deadline"));
    let store = endless.database.store();
    let keeper = ErrorKeeper::new(endless.worker.errors.clone(), store.clone(), Arc::new(endless.clock.clone()));
    keeper.store_now().await.unwrap();
    let told = errors::list(&mut store.read().await.unwrap(), None, None, 10).await.unwrap();
    assert_eq!((told.len(), told[0].code.as_str(), told[0].place.as_str()), (1, "deadline", "build"));
}

#[tokio::test]
async fn a_page_that_never_ends_is_given_up_and_the_next_try_looks_for_the_post_that_causes_it() {
    let mut endless = Endless::begin(LONG).await;
    endless.worker.config.page_limit = LOOK;
    endless.worker.config.stuck_after = LOOK;
    endless.worker.config.retry = RetryPolicy::default();
    let (_keep, stop) = signal::channel(false);
    let (let_it_end, end) = std::sync::mpsc::channel::<()>();
    let hangs = move |control: &Control| {
        let page = Piece::Page("a/index.html".parse().unwrap());
        control.guard(page, || end.recv().unwrap_err()).map(|_| Err(BuildError::Stopped))?
    };
    let build = endless.end_of(stop, hangs).await;
    drop(let_it_end);
    assert_eq!((build.state, build.attempt), (BuildState::Waiting, 1));
    assert_eq!(endless.worker.config.retry.caution(build.crashes), Caution::FindCulprit);
    assert!(build.error.unwrap().contains("a/index.html took longer"));
}

#[tokio::test]
async fn a_running_build_that_somebody_cancels_is_stopped() {
    let endless = Endless::begin(LONG).await;
    let mut tx = endless.database.store().begin().await.unwrap();
    let origin = Origin::system(endless.clock.now());
    builds::cancel(&mut tx, endless.claimed.build.id, &origin).await.unwrap();
    tx.commit().await.unwrap();
    let (_keep, stop) = signal::channel(false);
    assert_eq!(endless.end(stop).await.state, BuildState::Cancelled);
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_hands_its_build_back() {
    let endless = Endless::begin(LONG).await;
    let (_keep, stop) = signal::channel(true);
    let build = endless.end(stop).await;
    assert_eq!((build.state, build.attempt), (BuildState::Waiting, 0));
}

#[tokio::test]
async fn a_build_that_does_not_stop_in_time_with_its_worker_is_handed_back_too_and_is_no_crash() {
    let mut endless = Endless::begin(LONG).await;
    endless.worker.config.stuck_after = LONG;
    endless.worker.config.leave_after = LOOK;
    let (_keep, stop) = signal::channel(true);
    let (let_it_end, end) = std::sync::mpsc::channel::<()>();
    let never_looks = move |_: &Control| {
        end.recv().unwrap_err();
        Err(BuildError::Stopped)
    };
    let build = endless.end_of(stop, never_looks).await;
    drop(let_it_end);
    assert_eq!((build.state, build.attempt, build.crashes), (BuildState::Waiting, 0, 0));
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_stops_and_changes_nothing() {
    let endless = Endless::begin(LONG).await;
    let mut tx = endless.database.store().begin().await.unwrap();
    leases::bury(&mut tx, "one of two").await.unwrap();
    tx.commit().await.unwrap();
    let heir = claim(&endless.database, &endless.clock).await.unwrap();
    let (_keep, stop) = signal::channel(false);
    assert_eq!(endless.end(stop).await, heir.build);
}

#[tokio::test]
async fn an_end_that_was_stored_unheard_is_known_to_be_stored_until_another_worker_has_the_build() {
    let endless = Endless::begin(LONG).await;
    let ClaimedBuild { build, lease } = &endless.claimed;
    let failed = |kind| Ending::Failed(Failure { kind, code: "test", message: "it broke".to_owned() });
    let (outside, lasting) = (failed(FailureKind::Outside), failed(FailureKind::Lasting));
    for _ in 0..2 {
        let stored = settle::store(&endless.worker, build, lease, &outside).await.unwrap();
        assert_eq!(stored, Some(BuildState::Waiting));
    }
    endless.clock.advance(LONG);
    let heir = claim(&endless.database, &endless.clock).await.unwrap();
    assert_eq!(settle::store(&endless.worker, build, lease, &outside).await.unwrap(), None);
    for _ in 0..2 {
        let stored = settle::store(&endless.worker, &heir.build, &heir.lease, &lasting).await.unwrap();
        assert_eq!(stored, Some(BuildState::Failed));
    }
}

#[test]
fn of_very_many_warnings_the_first_are_told_and_the_others_counted() {
    let warnings: Vec<String> = (0..MOST_WARNINGS + 7).map(|number| format!("link {number}")).collect();
    let told = told_warnings(&warnings);
    assert_eq!(told[..MOST_WARNINGS], warnings[..MOST_WARNINGS]);
    assert!(told[MOST_WARNINGS].contains("7 more"), "{told:?}");
    assert_eq!(told_warnings(&warnings[..MOST_WARNINGS]), warnings[..MOST_WARNINGS]);
}

#[tokio::test]
async fn a_search_sets_posts_aside_only_while_its_build_is_not_taken_over() {
    for is_taken_over in [true, false] {
        let mut endless = Endless::begin(LONG).await;
        let mut tx = endless.database.store().begin().await.unwrap();
        let origin = Origin::system(endless.clock.now());
        let post = publishing::create(&mut tx, a_post().published().build(), &origin).await.unwrap().post;
        if is_taken_over {
            leases::bury(&mut tx, "one of two").await.unwrap();
        }
        tx.commit().await.unwrap();
        if is_taken_over {
            claim(&endless.database, &endless.clock).await.unwrap();
        }
        let crash = format!("echo {} {} 1; kill -s ABRT $$", post.post.id, post.post.version.0);
        endless.worker.config.probe =
            Some(ProbeCommand { program: "sh".into(), arguments: ["-c", &crash].map(OsString::from).to_vec() });
        let quarantine = Quarantine::new(&endless.worker, endless.claimed.lease, Handle::current());
        let search = move || quarantine.set_culprits_aside(&Control::default());
        let found = tokio::task::spawn_blocking(search).await.unwrap();
        let now = posts::get(&mut endless.database.store().read().await.unwrap(), post.post.id).await.unwrap();
        let expected = if is_taken_over { PostStatus::Published } else { PostStatus::Unpublishable };
        assert_eq!((now.post.status, found.is_err()), (expected, is_taken_over), "{found:?}");
    }
}
