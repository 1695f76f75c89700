//! Readers, in threads and in another process, while releases go live one after another.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use microblog_domain::ReleaseId;
use microblog_release::{Options, ReleaseStore};
use tempfile::tempdir;

use crate::site::{Site, activated, options, publish, served, site};

/// A release in which every file says which release it is of; some files come and go.
fn release(n: u64) -> Site {
    let files = ALL_PATHS.into_iter().filter(|path| has(n, path)).map(|path| (path, format!("{n:06} {path}")));
    site(files)
}

const ALL_PATHS: [&str; 6] =
    ["index.html", "always/index.html", "even/index.html", "odd/index.html", "turn", "turn/index.html"];

fn has(n: u64, path: &str) -> bool {
    match path {
        "even/index.html" | "turn" => n.is_multiple_of(2),
        "odd/index.html" | "turn/index.html" => !n.is_multiple_of(2),
        _ => true,
    }
}

/// The release that a file is of; nothing if there is no such file.
fn read(store: &Path, path: &str) -> Option<u64> {
    match fs::read_to_string(store.join("current").join(path)) {
        Ok(text) => {
            let (number, rest) = text.split_once(' ').unwrap();
            assert_eq!(rest, path, "the file is whole");
            Some(number.parse().unwrap())
        }
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) =>
        {
            None
        }
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Bounds of what is live: at least `least`, at most `most`.
struct Live {
    least: AtomicU64,
    most: AtomicU64,
    stop: AtomicBool,
}

impl Live {
    /// Reads until told to stop. Each answer must be that of a release that was live during the request.
    fn check_reads(&self, store: &Path) -> u64 {
        let mut reads = 0;
        while !self.stop.load(Ordering::SeqCst) {
            for path in ALL_PATHS {
                let least = self.least.load(Ordering::SeqCst);
                let answer = read(store, path);
                let most = self.most.load(Ordering::SeqCst);
                match answer {
                    Some(n) => assert!((least..=most).contains(&n), "{path} is of {n}, live were {least} to {most}"),
                    None => assert!((least..=most).any(|n| !has(n, path)), "{path} is missing in {least} to {most}"),
                }
                reads += 1;
            }
        }
        reads
    }
}

/// A process of its own, which reads until the file `stop` is there. Releases never go backwards.
#[test]
#[ignore = "started by the test below"]
fn reader() {
    let mut newest = 0;
    while !Path::new("stop").exists() {
        for path in ALL_PATHS {
            let Some(n) = read(Path::new("store"), path) else { continue };
            assert!(n >= newest && has(n, path), "{path} is of {n} after {newest}");
            newest = n;
        }
    }
}

/// The other process; it never outlives the test, however that ends.
struct ReaderProcess(Child);

impl ReaderProcess {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.args(["--exact", "readers::reader", "--ignored"]).current_dir(folder).spawn().unwrap())
    }
}

impl Drop for ReaderProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Stops the reading threads, also when the publishing one fails.
struct StopReaders<'a>(&'a Live);

impl Drop for StopReaders<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

fn read_during(activations: u64, grace: Duration) {
    let folder = tempdir().unwrap();
    let place = folder.path().join("store");
    let mut store = ReleaseStore::open(&place, Options { grace, ..options() }).unwrap();
    publish(&mut store, &release(1)).unwrap();
    let mut process = ReaderProcess::start(folder.path());
    let live = Live { least: AtomicU64::new(1), most: AtomicU64::new(1), stop: AtomicBool::new(false) };
    std::thread::scope(|threads| {
        let readers = [(); 3].map(|()| threads.spawn(|| live.check_reads(&place)));
        let stop = StopReaders(&live);
        for n in 2..=activations {
            live.most.store(n, Ordering::SeqCst);
            publish(&mut store, &release(n)).unwrap();
            live.least.store(n, Ordering::SeqCst);
        }
        drop(stop);
        assert!(readers.map(|reader| reader.join().unwrap()).into_iter().all(|reads| reads > activations));
    });
    fs::write(folder.path().join("stop"), "").unwrap();
    assert!(process.0.wait().unwrap().success(), "the other process met an error or a mixture");
}

/// With a grace of 100 ms, at which no reader was ever seen to meet the next release early.
#[test]
fn readers_meet_no_error_and_no_mixture_in_a_thousand_releases() {
    read_during(1_000, Duration::from_millis(100));
}

#[test]
fn a_leased_tree_stays_as_it_is_while_releases_go_live() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &release(1)).unwrap();
    let lease = store.lease().unwrap();
    for n in 2..=8 {
        publish(&mut store, &release(n)).unwrap();
    }
    assert_eq!((lease.release(), served(folder.path())), (ReleaseId(1), release(8)));
    for (path, text) in release(1) {
        assert_eq!(fs::read_to_string(lease.folder().join(path)).unwrap(), text);
    }
    drop(lease);
    for n in 9..=12 {
        activated(publish(&mut store, &release(n)).unwrap());
        assert_eq!(served(folder.path()), release(n));
    }
}
