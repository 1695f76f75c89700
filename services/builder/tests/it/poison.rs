//! Posts that crash the renderer, met by a real builder that is started again whenever it ends, as service managers do.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use microblog_domain::{BuildState, PostId, PostStatus};
use microblog_store::posts::{self, StoredPost};
use microblog_store::publishing::{self, Intent};
use microblog_store::{builds, errors};
use microblog_testkit::{DatabaseKind, a_post, eventually};

use crate::workshop::Workshop;

/// Generous, since test machines are busy.
const PATIENCE: Duration = Duration::from_secs(120);
const SOUND: &str = "2026/03/sound/index.html";

/// A builder that is never down for long.
struct Builder<'a> {
    shop: &'a Workshop,
    process: Child,
    /// How often it had to be started again.
    restarts: u32,
}

impl<'a> Builder<'a> {
    fn start(shop: &'a Workshop) -> Self {
        Self { shop, process: start(shop), restarts: 0 }
    }

    async fn run_until(&mut self, file: &str, is_there: impl Fn(Option<&str>) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there(self.shop.read(file).as_deref()) {
            assert!(Instant::now() < deadline, "{file} is not as it should be; restarts: {}", self.restarts);
            if self.process.try_wait().unwrap().is_some() {
                self.process = start(self.shop);
                self.restarts += 1;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Builder<'_> {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn start(shop: &Workshop) -> Child {
    start_with(shop, "build.page_limit=1s")
}

fn start_with(shop: &Workshop, page_limit: &str) -> Child {
    let folder = shop.folder.path();
    let setting = |key: &str, value: &Path| format!("{key}={}", value.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_microblog-builder"));
    for setting in [
        format!("database.url={}", shop.database.url()),
        setting("data.dir", &folder.join("data")),
        setting("build.dir", &folder.join("build")),
        "builder.listen=127.0.0.1:0".to_owned(),
        "builder.name=the only one".to_owned(),
        page_limit.to_owned(),
        "log.format=json".to_owned(),
    ] {
        command.arg("--set").arg(setting);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn post(shop: &Workshop, id: PostId) -> StoredPost {
    posts::get(&mut shop.database.store().read().await.unwrap(), id).await.unwrap()
}

/// Publishes a post that does what `fault` says, and another one; waits until the other one is live. Tells what its
/// author is told, and how often the builder ended.
async fn set_aside(fault: &str) -> (String, u32) {
    set_aside_on(DatabaseKind::Sqlite, fault).await
}

async fn set_aside_on(database: DatabaseKind, fault: &str) -> (String, u32) {
    let shop = Workshop::on(database).await;
    let bad = shop.create(a_post().titled("Bad").saying(&format!("microblog-fault:{fault}")).published().build()).await;
    shop.create(a_post().titled("Sound").published().build()).await;
    let mut builder = Builder::start(&shop);
    builder.run_until(SOUND, |page| page.is_some()).await;
    let restarts = builder.restarts;
    let stored = post(&shop, bad.post.post.id).await;
    assert_eq!(stored.post.status, PostStatus::Unpublishable);
    assert_eq!(shop.read("2026/03/bad/index.html"), None);

    mend(&shop, &stored).await;
    builder.run_until("2026/03/bad/index.html", |page| page.is_some_and(|page| page.contains("mended"))).await;
    wait_until_all_is_settled(&shop).await;
    wait_until_it_is_told(&shop, &stored).await;
    (stored.set_aside_reason.unwrap(), restarts)
}

/// Operators find the post, and the builds that it broke, among the errors.
async fn wait_until_it_is_told(shop: &Workshop, stored: &StoredPost) {
    let (place, reason) = (format!("post {}", stored.post.id), stored.set_aside_reason.clone().unwrap());
    eventually("the post is among the errors", async || {
        let found = errors::list(&mut shop.database.store().read().await.unwrap(), None, None, 100).await.unwrap();
        found.iter().any(|error| error.code == "post_set_aside" && error.place == place && error.message == reason)
    })
    .await;
}

async fn mend(shop: &Workshop, stored: &StoredPost) {
    let mut content = stored.post.content.clone();
    content.markdown = "mended".to_owned();
    let mut tx = shop.database.store().begin().await.unwrap();
    let (id, version) = (stored.post.id, stored.post.version);
    publishing::edit(&mut tx, id, version, content, Intent::Keep, &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn wait_until_all_is_settled(shop: &Workshop) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut conn = shop.database.store().read().await.unwrap();
        let builds = builds::list(&mut conn, None, 100).await.unwrap();
        assert!(builds.iter().all(|build| build.state != BuildState::Failed), "{builds:#?}");
        if builds.iter().all(|build| build.state.is_final()) {
            return;
        }
        assert!(Instant::now() < deadline, "{builds:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_panics_is_set_aside_with_what_it_said() {
    let (reason, restarts) = set_aside("panic").await;
    assert_eq!(reason, "rendering it crashes the program: the post wished for it");
    assert_eq!(restarts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_kills_the_process_is_set_aside_after_two_deaths() {
    let (reason, restarts) = set_aside("abort").await;
    assert!(reason.contains("signal 6"), "{reason}");
    assert_eq!(restarts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_on_a_database_server_that_kills_the_process_is_set_aside_after_two_deaths() {
    let (reason, restarts) = set_aside_on(DatabaseKind::Postgres, "abort").await;
    assert!(reason.contains("signal 6"), "{reason}");
    assert_eq!(restarts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_overflows_the_stack_is_set_aside() {
    let (reason, _) = set_aside("overflow").await;
    assert!(reason.contains("stack"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_never_ends_is_set_aside_and_the_process_begins_anew_by_itself() {
    let (reason, restarts) = set_aside("hang").await;
    assert_eq!(reason, "rendering it takes longer than 1s");
    assert_eq!(restarts, 0, "its id stays the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_builder_that_is_told_to_stop_ends_although_its_build_does_not_and_hands_it_back() {
    let shop = Workshop::new().await;
    let saved = shop.create(a_post().titled("Bad").saying("microblog-fault:hang").published().build()).await;
    let build = async || shop.build(saved.build.unwrap()).await;
    let mut builder = start_with(&shop, "build.page_limit=10m");
    eventually("the build has begun", async || build().await.state == BuildState::Running).await;
    let pid = builder.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    let mut ended = None;
    eventually("the process has ended", async || {
        ended = builder.try_wait().unwrap();
        ended.is_some()
    })
    .await;
    assert!(ended.unwrap().success());
    let build = build().await;
    assert_eq!((build.state, build.attempt, build.crashes), (BuildState::Waiting, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_is_stopped_by_a_signal_blames_nobody() {
    let shop = Workshop::new().await;
    shop.create(a_post().titled("Slow").saying("microblog-fault:hang").published().build()).await;
    for signal in ["TERM", "INT", "HUP"] {
        let mut search = probe(&shop);
        let mut line = String::new();
        BufReader::new(search.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it begins with the post");
        let pid = search.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        assert!(!search.wait().unwrap().success());
    }
    let mut search = probe(&shop);
    drop(search.stdin.take());
    assert_eq!(search.wait().unwrap().code(), Some(1), "it ends with whoever asked, in the middle of a post");
}

/// The process that looks for posts which crash the renderer.
fn probe(shop: &Workshop) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_microblog-builder"));
    command.arg("--set").arg(format!("database.url={}", shop.database.url())).arg("probe");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}
