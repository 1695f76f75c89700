//! What no fault injected into a process can show: power that goes, and disks that are really full.
//!
//! `MICROBLOG_TEST_POWER_CUTS` is the number of cuts, and of fillings (20).

use std::fs;
use std::path::Path;
use std::sync::Arc;

use microblog_domain::ReleaseId;
use microblog_release::faults::{Fault, Faults};
use microblog_release::{Error, Options, ReleaseStore, Result};

use crate::disk::{FileSystem, LoopDisk, is_left_out};
use crate::site::{Site, options, publish, served, site};

fn rounds() -> u64 {
    std::env::var_os("MICROBLOG_TEST_POWER_CUTS").and_then(|cuts| cuts.to_str()?.parse().ok()).unwrap_or(20)
}

/// A number below `bound`, different for each round and the same for each run.
fn varied(round: u64, bound: u64) -> u64 {
    ((round + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % bound
}

/// Pages may be as old as four changes.
const FIRST: u64 = 5;

/// The site at its n-th change: most pages stay, some change, some come and go.
fn version(n: u64) -> Site {
    let mut files = site((0..60).map(|page| {
        let last_change = if page % 5 == n % 5 { n } else { n - (n + 5 - page % 5) % 5 };
        (format!("{}/{page}/index.html", page % 7), format!("page {page} of {last_change} ").repeat(100))
    }));
    files.insert("index.html".to_owned(), format!("{n}"));
    files.insert(format!("coming/and/going/{}/index.html", n % 3), format!("{n}"));
    files
}

/// Which version readers see, all of it.
fn version_seen(folder: &Path) -> u64 {
    let seen = served(folder);
    let n = seen["index.html"].parse().unwrap();
    assert_eq!(seen, version(n));
    n
}

/// Every tree is far at once, so that everything there is to do is done in each round.
fn busy(faults: Option<Arc<Faults>>) -> Options {
    Options { far: 0, faults, ..options() }
}

/// The versions that readers may see.
#[derive(Debug, Clone, Copy)]
struct Versions {
    /// The last one that was said to be live.
    acknowledged: u64,
    /// The one that was to become live since; the same if there was none.
    under_way: u64,
}

impl Versions {
    /// Makes a version live.
    fn change<T>(&mut self, to: u64, activate: impl FnOnce() -> Result<T>) -> Result<()> {
        self.under_way = to;
        activate()?;
        self.acknowledged = to;
        Ok(())
    }

    fn include(self, seen: u64) -> bool {
        seen == self.acknowledged || seen == self.under_way
    }
}

/// Publishes three versions, tidies and goes back, until something fails.
fn work(folder: &Path, faults: Arc<Faults>, versions: &mut Versions) -> Result<()> {
    let mut store = ReleaseStore::open(folder, busy(Some(faults)))?;
    let newest = versions.acknowledged + 3;
    for n in newest - 2..=newest {
        versions.change(n, || publish(&mut store, &version(n)))?;
    }
    store.tidy(&|| true)?;
    let live = store.live().map_or(0, |live| live.id.0);
    versions.change(newest - 1, || store.roll_back(ReleaseId(live - 1)))?;
    versions.change(newest, || store.roll_back(ReleaseId(live)))?;
    store.prune(2).map(drop)
}

/// How many compressed copies readers may get. That each is right is seen by [`served`].
fn compressed(folder: &Path) -> usize {
    let pages = (0..60).map(|page| folder.join(format!("current/{}/{page}/index.html.gz", page % 7)));
    pages.filter(|copy| copy.exists()).count()
}

/// Every file is whole, and nothing lies there that no kept release has.
fn assert_whole_and_without_leaks(store: &mut ReleaseStore, folder: &Path) {
    let audit = store.audit().unwrap();
    assert_eq!(audit.flaws, []);
    assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 0);
    let folders = fs::read_dir(folder.join("objects")).unwrap();
    let names = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let objects = names.filter(|name| !name.as_ref().unwrap().file_name().to_string_lossy().ends_with(".gz")).count();
    assert_eq!(objects as u64, audit.files, "objects without a release");
}

#[test]
fn a_power_cut_at_any_moment_leaves_a_release_that_was_live_and_a_store_that_goes_on() {
    if is_left_out("what a power cut leaves") {
        return;
    }
    let disk = FileSystem::chosen().small_disk();
    let folder = disk.folder();
    publish(&mut ReleaseStore::open(&folder, busy(None)).unwrap(), &version(FIRST)).unwrap();
    let mut versions = Versions { acknowledged: FIRST, under_way: FIRST };
    let (mut cut_short, mut copies) = (0, 0);
    for round in 0..rounds() {
        let faults = Arc::new(Faults::new(varied(round, 1_400), Fault::Stop));
        let stopped = work(&folder, faults, &mut versions);
        cut_short += u64::from(stopped.is_err());
        let before = version_seen(&folder);
        if varied(round, 7) < 4 {
            disk.sync_a_neighbour();
        }
        disk.lose_power();
        let mut store = ReleaseStore::open(&folder, busy(None)).unwrap();
        let seen = version_seen(&folder);
        assert!(versions.include(seen), "round {round}: {seen} after {before}, of {versions:?}, {stopped:?}");
        copies += compressed(&folder);
        let next = versions.acknowledged.max(versions.under_way) + 1;
        versions.change(next, || publish(&mut store, &version(next))).unwrap();
        assert_eq!(version_seen(&folder), next);
        store.tidy(&|| true).unwrap();
        assert_whole_and_without_leaks(&mut store, &folder);
    }
    assert!(copies > 0, "no compressed copy was there after a cut");
    assert!(cut_short * 2 > rounds(), "only {cut_short} cuts came in the middle of something");
}

/// Takes all but some room, of one kind or the other.
fn fill(disk: &LoopDisk, store: &ReleaseStore, of_bytes: bool, left: u64) {
    let ballast = disk.root().join("ballast");
    fs::create_dir(&ballast).unwrap();
    let space = store.space().unwrap();
    if of_bytes {
        let taken = usize::try_from(space.free_bytes.saturating_sub(left * 1024)).unwrap();
        // What does not fit any more shall be missing, too.
        let _ = fs::write(ballast.join("bytes"), vec![1; taken]);
    } else {
        for number in 0..space.free_inodes.saturating_sub(1 + left) {
            fs::write(ballast.join(number.to_string()), "").unwrap();
        }
    }
}

#[test]
fn a_disk_that_is_full_at_any_moment_fails_the_release_and_harms_nobody() {
    if is_left_out("a disk that is full") {
        return;
    }
    for of_bytes in [true, false] {
        let disk = LoopDisk::new("24M", &["-N", "1500", "-m", "0"]);
        let folder = disk.folder();
        let mut store = ReleaseStore::open(&folder, busy(None)).unwrap();
        publish(&mut store, &version(FIRST)).unwrap();
        let (mut n, mut refused) = (FIRST, 0);
        for round in 0..rounds() {
            store.tidy(&|| true).unwrap();
            fill(&disk, &store, of_bytes, varied(round, 160));
            match publish(&mut store, &version(n + 1)) {
                Ok(_) => n += 1,
                Err(error @ Error::NoSpace { .. }) => {
                    refused += 1;
                    assert!(error.to_string().contains("make room"), "{error}");
                }
                Err(error) => panic!("a full disk is told as something else: {error}"),
            }
            assert_eq!(version_seen(&folder), n, "round {round}, of bytes: {of_bytes}");
            fs::remove_dir_all(disk.root().join("ballast")).unwrap();
            if round % 2 == 0 {
                store = ReleaseStore::open(&folder, busy(None)).unwrap();
            }
            n += 1;
            publish(&mut store, &version(n)).unwrap();
            assert_eq!(version_seen(&folder), n);
            assert_whole_and_without_leaks(&mut store, &folder);
        }
        assert!(refused > 0, "the disk never was full");
        drop(store);
    }
}
