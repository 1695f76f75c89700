//! Promise 2: a reader is served from exactly one release at any moment, through the web server that is used for real, and
//! a copy is exactly one release.
//!
//! `MICROBLOG_TEST_ACTIVATIONS` is the number of releases that go live under the readers' hands (1,000).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use microblog_domain::Fingerprint;
use microblog_release::{Checks, Options, Page, PageLoss, ReleaseStore};
use tempfile::{TempDir, tempdir};

use crate::nginx::{Nginx, content};
use crate::program::{microblog, run};

/// What readers ask for, and the file that answers.
const PAGES: [(&str, &str); 7] = [
    ("/", "index.html"),
    ("/404.html", "404.html"),
    ("/always/", "always/index.html"),
    ("/even/", "even/index.html"),
    ("/odd/", "odd/index.html"),
    ("/feed.json", "feed.json"),
    ("/thirds/deep/below/", "thirds/deep/below/index.html"),
];

/// How long readers may take to come to what is there to be read.
const PATIENCE: Duration = Duration::from_secs(60);

fn activations() -> u64 {
    let set = std::env::var_os("MICROBLOG_TEST_ACTIVATIONS");
    set.and_then(|count| count.to_str()?.parse().ok()).unwrap_or(1_000)
}

/// Posts are added and removed with each release.
fn has(release: u64, file: &str) -> bool {
    match file.split('/').next() {
        Some("even") => release.is_multiple_of(2),
        Some("odd") => !release.is_multiple_of(2),
        Some("thirds") => !release.is_multiple_of(3),
        _ => true,
    }
}

/// A page that says nothing but which release it is of, so often that it is worth compressing.
fn text(release: u64) -> String {
    format!("[{}]", vec![release.to_string(); 1_000].join(","))
}

/// The release of a page, which must be whole.
fn release_of(page: &str) -> Option<u64> {
    let (first, _) = page.strip_prefix('[')?.split_once(',')?;
    first.parse().ok().filter(|release| text(*release) == page)
}

/// The files of a release.
fn files(release: u64) -> BTreeMap<&'static str, String> {
    let files = PAGES.into_iter().map(|(_, file)| file).filter(|file| has(release, file));
    files.map(|file| (file, text(release))).collect()
}

fn publish(store: &mut ReleaseStore, release: u64) {
    let checks = Checks { page_loss: PageLoss::Any, ..Checks::new("https://example.org".parse().unwrap()) };
    let draft = store.draft(checks).unwrap();
    for (file, text) in files(release) {
        let page = Page { bytes: text.as_bytes(), fingerprint: Fingerprint::of(text.as_bytes()), author_links: &[] };
        draft.put(&file.parse().unwrap(), page).unwrap();
    }
    for (gone, _) in draft.live().iter().filter(|(file, _)| !has(release, file.as_str())) {
        draft.remove(&gone).unwrap();
    }
    draft.verify().unwrap().commit().unwrap();
}

/// The full grace, and so many trees that it need not be waited for long.
fn options() -> Options {
    Options { grace: Duration::from_millis(100), trees: 8, ..Options::default() }
}

/// Bounds of what is live, widened before a release goes live and narrowed after it did.
struct Live {
    least: AtomicU64,
    most: AtomicU64,
    stop: AtomicBool,
    /// How many answers came compressed.
    compressed: AtomicU64,
}

impl Live {
    fn new() -> Self {
        let compressed = AtomicU64::new(0);
        Self { least: AtomicU64::new(1), most: AtomicU64::new(1), stop: AtomicBool::new(false), compressed }
    }

    /// Reads over one connection until told to stop. Each answer must be that of a release that was live meanwhile.
    fn read(&self, nginx: &Nginx, encoding: &str) -> u64 {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut reads = 0;
        while !self.stop.load(Ordering::SeqCst) {
            for (address, file) in PAGES {
                let least = self.least.load(Ordering::SeqCst);
                let answer = agent.get(nginx.url(address)).header("accept-encoding", encoding).call().unwrap();
                let status = answer.status().as_u16();
                let (encoded, text) = content(answer);
                self.compressed.fetch_add(u64::from(encoded.is_some()), Ordering::SeqCst);
                let most = self.most.load(Ordering::SeqCst);
                let is_right = match status {
                    200 => release_of(&text).is_some_and(|of| (least..=most).contains(&of)),
                    404 => release_of(&text).is_some() && (least..=most).any(|release| !has(release, file)),
                    _ => false,
                };
                assert!(is_right, "{address}: {status} {text:?} while {least} to {most} were live");
                reads += 1;
            }
        }
        reads
    }
}

impl Live {
    /// Makes the releases live one after another, each of them compressed in part, and some to the end.
    fn publish_all(&self, store: &mut ReleaseStore, releases: u64) {
        for release in 2..=releases {
            self.most.store(release, Ordering::SeqCst);
            publish(store, release);
            self.least.store(release, Ordering::SeqCst);
            if release.is_multiple_of(8) {
                store.tidy(&|| true).unwrap();
                self.wait_for_compressed();
            } else {
                let asked = AtomicU64::new(0);
                store.tidy(&|| asked.fetch_add(1, Ordering::SeqCst) < release * 7 % 23).unwrap();
            }
        }
    }

    /// Waits until readers got an answer that was compressed.
    fn wait_for_compressed(&self) {
        let (before, deadline) = (self.compressed.load(Ordering::SeqCst), Instant::now() + PATIENCE);
        while self.compressed.load(Ordering::SeqCst) == before {
            assert!(Instant::now() < deadline, "no answer is compressed");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Stops the readers, also when publishing fails.
struct StopReaders<'a>(&'a Live);

impl Drop for StopReaders<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

fn read_while_releases_go_live(options: Options, releases: u64) {
    // In memory if possible: what is tested is the order of things, not how long a disk takes to make them durable.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { tempdir() }.unwrap();
    let mut store = ReleaseStore::open(&folder.path().join("build"), options).unwrap();
    publish(&mut store, 1);
    let nginx = Nginx::start(&folder.path().join("build"));
    let live = Live::new();
    let reads: u64 = std::thread::scope(|threads| {
        let read = |encoding| live.read(&nginx, encoding);
        let readers = ["identity", "gzip", "identity", "gzip"].map(|encoding| threads.spawn(move || read(encoding)));
        let stop = StopReaders(&live);
        live.publish_all(&mut store, releases);
        drop(stop);
        readers.map(|reader| reader.join().unwrap()).into_iter().sum()
    });
    assert!(reads > releases, "only {reads} answers");
    assert_eq!(store.audit().unwrap().flaws, []);
}

#[test]
fn every_answer_of_nginx_is_of_a_release_that_was_live_at_that_moment() {
    read_while_releases_go_live(options(), activations());
}

#[test]
fn every_answer_is_of_a_live_release_with_the_trees_and_the_grace_that_are_shipped() {
    read_while_releases_go_live(Options::default(), activations() / 20);
}

/// The release of a copied folder, which must be all of it and nothing else.
fn release_of_copy(folder: &Path) -> u64 {
    let release = release_of(&fs::read_to_string(folder.join("index.html")).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|it| it.file_type().is_file()) {
        let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        found.insert(name, fs::read_to_string(entry.path()).unwrap());
    }
    // The mark by which the next copy knows that it may replace this one.
    found.retain(|name, _| !name.starts_with('.'));
    let expected = files(release).into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    assert_eq!(found, expected, "a copy of release {release}");
    release
}

fn copy(build: &Path, to: &Path, words: &[&str]) -> Command {
    let mut command = microblog();
    command.arg("--set").arg(format!("build.dir={}", build.display())).args(["releases", "copy"]);
    command.arg(to).args(words);
    command
}

#[test]
fn a_copy_is_exactly_one_release_however_many_go_live_meanwhile() {
    let folder = tempdir().unwrap();
    let (build, to) = (folder.path().join("build"), folder.path().join("copy"));
    let mut store = ReleaseStore::open(&build, options()).unwrap();
    publish(&mut store, 1);
    let published = AtomicU64::new(1);
    std::thread::scope(|threads| {
        let copying = threads.spawn(|| {
            for words in [["--json"].as_slice(), &["--json", "--link"]].into_iter().cycle().take(100) {
                let least = published.load(Ordering::SeqCst);
                run(&mut copy(&build, &to, words));
                assert!(release_of_copy(&to) >= least);
            }
        });
        // Hundreds, and as many more as it takes.
        for release in 2.. {
            publish(&mut store, release);
            published.store(release, Ordering::SeqCst);
            if release > 300 && copying.is_finished() {
                break;
            }
        }
        copying.join().unwrap();
    });
}

#[test]
fn a_kept_release_can_be_copied_and_nobodys_files_are_replaced() {
    let folder = tempdir().unwrap();
    let (build, to) = (folder.path().join("build"), folder.path().join("copy"));
    let mut store = ReleaseStore::open(&build, options()).unwrap();
    (1..=8).for_each(|release| publish(&mut store, release));
    for release in [3, 8, 5] {
        let said = run(&mut copy(&build, &to, &["--release", &release.to_string(), "--json"]));
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((said["release"].as_u64(), release_of_copy(&to)), (Some(release), release));
    }
    let times = ["index.html"].map(|file| {
        let modified = |folder: &Path| fs::metadata(folder.join(file)).unwrap().modified().unwrap();
        run(&mut copy(&build, &to, &[]));
        (modified(&to), modified(&build.join("current")))
    });
    assert!(times.iter().all(|(copied, live)| copied == live), "rsync goes by the time");
    let foreign = folder.path().join("thesis");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.txt"), "years of work").unwrap();
    for (to, words, reason) in
        [(&foreign, [].as_slice(), "choose a new or empty folder"), (&to, &["--release", "99"], "is not kept")]
    {
        let output = copy(&build, to, words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{said}");
    }
    assert_eq!(fs::read_to_string(foreign.join("thesis.txt")).unwrap(), "years of work");
    assert_eq!(release_of_copy(&to), 8);
}
