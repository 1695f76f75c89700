//! The store is interrupted before every single change of the file system that an operation makes. Whatever the moment:
//! readers see the old site or the new one, opening again repairs, and nothing is left behind.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use microblog_domain::ReleaseId;
use microblog_release::faults::{Fault, Faults};
use microblog_release::{Error, Options, ReleaseStore, Result};
use rustix::io::Errno;
use tempfile::TempDir;

use crate::site::{Site, object_count, options, publish, served, site};

/// What is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    FirstPublish,
    Publish,
    RollBack,
    Prune,
    Tidy,
}

const ALL: [Operation; 5] =
    [Operation::FirstPublish, Operation::Publish, Operation::RollBack, Operation::Prune, Operation::Tidy];

/// The site after so many publishes: pages come, change, go, and become folders and files again. Some are large enough to
/// be compressed.
fn version(n: u64) -> Site {
    let mut files =
        site([("index.html".to_owned(), format!("front {n}")), ("same.html".to_owned(), "same".to_owned())]);
    files.insert(format!("{}/only/index.html", n % 4), format!("post {n}"));
    files.insert("large.html".to_owned(), format!("large {} ", n / 2).repeat(200));
    files.insert(format!("{}/large.html", n % 3), "large as ever ".repeat(100));
    files.insert(
        if n.is_multiple_of(2) { "turn".to_owned() } else { "turn/index.html".to_owned() },
        "file or folder".to_owned(),
    );
    files
}

impl Operation {
    /// The releases before the operation.
    fn prepare(self, folder: &Path) -> Site {
        let count = if self == Self::FirstPublish { 0 } else { 7 };
        if count == 0 {
            return Site::new();
        }
        let mut store = ReleaseStore::open(folder, options()).unwrap();
        for n in 1..=count {
            publish(&mut store, &version(n)).unwrap();
            if n < count {
                store.tidy(&|| true).unwrap();
            }
        }
        version(count)
    }

    fn run(self, store: &mut ReleaseStore) -> Result<()> {
        match self {
            Self::FirstPublish => publish(store, &version(1)).map(drop),
            Self::Publish => publish(store, &version(8)).map(drop),
            Self::RollBack => store.roll_back(ReleaseId(4)).map(drop),
            Self::Prune => store.prune(1).map(drop),
            Self::Tidy => store.tidy(&|| true),
        }
    }

    /// The site after the operation.
    fn outcome(self) -> Site {
        match self {
            Self::FirstPublish => version(1),
            Self::Publish => version(8),
            Self::RollBack => version(4),
            Self::Prune | Self::Tidy => version(7),
        }
    }

    /// Does it again after an interruption, unless it is done.
    fn run_again(self, folder: &Path) {
        let mut store = ReleaseStore::open(folder, options()).unwrap();
        if self != Self::RollBack || served(folder) != self.outcome() {
            self.run(&mut store).unwrap();
        }
    }
}

/// Where temporary stores lie: in memory if possible, as there are thousands of them.
fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

fn with(faults: &Arc<Faults>) -> Options {
    Options { faults: Some(Arc::clone(faults)), ..options() }
}

fn open_and_run(operation: Operation, folder: &Path, faults: &Arc<Faults>) -> Result<()> {
    ReleaseStore::open(folder, with(faults)).and_then(|mut store| operation.run(&mut store))
}

/// How many changes of the file system the operation makes, and how many objects it leaves.
fn undisturbed(operation: Operation) -> (u64, usize) {
    let folder = temporary();
    operation.prepare(folder.path());
    let faults = Arc::new(Faults::counting());
    open_and_run(operation, folder.path(), &faults).unwrap();
    assert_eq!(served(folder.path()), operation.outcome());
    assert_whole(folder.path());
    (faults.made(), object_count(folder.path()))
}

/// Nothing temporary is left, and every file is what its manifest says.
fn assert_whole(folder: &Path) {
    assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 0, "tmp is empty");
    assert!(fs::symlink_metadata(folder.join("current.next")).is_err());
    assert!(fs::symlink_metadata(folder.join("st/writing")).is_err());
    let mut store = ReleaseStore::open(folder, options()).unwrap();
    assert_eq!(store.audit().unwrap().flaws, []);
}

/// What readers see now; before anything was opened for the first time, that is nothing.
fn seen(folder: &Path) -> Site {
    if folder.join("current").exists() { served(folder) } else { Site::new() }
}

#[test]
fn an_interruption_at_any_moment_leaves_the_old_site_or_the_new_one() {
    for operation in ALL {
        let (changes, objects) = undisturbed(operation);
        for at in 0..changes {
            let folder = temporary();
            let old = operation.prepare(folder.path());
            let stopped = open_and_run(operation, folder.path(), &Arc::new(Faults::new(at, Fault::Stop)));
            let context = format!("{operation:?} stopped at {at} of {changes}: {stopped:?}");
            let left = seen(folder.path());
            assert!(left == old || left == operation.outcome(), "{context}: {left:?}");
            // The repair may be interrupted as well.
            for again in [at % 3, at % 11, at % 31] {
                let faults = Arc::new(Faults::new(again, Fault::Stop));
                drop(ReleaseStore::open(folder.path(), with(&faults)));
                assert_eq!(seen(folder.path()), left, "{context}, its repair at {again}");
            }
            drop(ReleaseStore::open(folder.path(), options()).unwrap());
            assert_eq!(served(folder.path()), left, "{context}, repaired");
            assert_whole(folder.path());
            operation.run_again(folder.path());
            assert_eq!(served(folder.path()), operation.outcome(), "{context}, done again");
            assert_eq!(object_count(folder.path()), objects, "{context}, done again");
            assert_whole(folder.path());
        }
    }
}

#[test]
fn a_change_that_fails_at_any_moment_fails_the_release_and_nothing_else() {
    for operation in ALL {
        let (changes, objects) = undisturbed(operation);
        for errno in [Errno::NOSPC, Errno::IO] {
            for at in 0..changes {
                let folder = temporary();
                let old = operation.prepare(folder.path());
                let failed = open_and_run(operation, folder.path(), &Arc::new(Faults::new(at, Fault::Fail(errno))));
                let context = format!("{operation:?} failed at {at} of {changes}: {failed:?}");
                let expected = match &failed {
                    Ok(()) | Err(Error::NotDurable { .. }) => operation.outcome(),
                    Err(_) => old,
                };
                assert_eq!(seen(folder.path()), expected, "{context}");
                operation.run_again(folder.path());
                assert_eq!(served(folder.path()), operation.outcome(), "{context}, done again");
                assert_eq!(object_count(folder.path()), objects, "{context}, done again");
                assert_whole(folder.path());
            }
        }
    }
}

#[test]
fn a_large_release_that_several_threads_write_is_undone_as_well() {
    let folder = temporary();
    let old = site((0..1_500).map(|n| (format!("old/{n}/index.html"), n.to_string())));
    let new = site((0..1_500).map(|n| (format!("{}/{n}/index.html", n % 7), n.to_string())));
    publish(&mut ReleaseStore::open(folder.path(), options()).unwrap(), &old).unwrap();
    for at in [0, 100, 3_000, 4_500, 5_000, 7_000, 8_500, 10_000] {
        let faults = Arc::new(Faults::new(at, Fault::Stop));
        let stopped = ReleaseStore::open(folder.path(), with(&faults)).and_then(|mut store| publish(&mut store, &new));
        assert!(stopped.is_err(), "stopped at {at} of {}", faults.made());
        assert_eq!(served(folder.path()), old);
        drop(ReleaseStore::open(folder.path(), options()).unwrap());
        assert_eq!((served(folder.path()), object_count(folder.path())), (old.clone(), 1_500), "stopped at {at}");
        assert_whole(folder.path());
    }
    publish(&mut ReleaseStore::open(folder.path(), options()).unwrap(), &new).unwrap();
    assert_eq!(served(folder.path()), new);
}

#[test]
fn bringing_the_other_trees_up_to_date_can_be_broken_off() {
    let folder = temporary();
    let files = site((0..3_000).map(|n| (format!("{n}/index.html"), n.to_string())));
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &files).unwrap();
    let asked = AtomicU64::new(0);
    store.tidy(&|| asked.fetch_add(1, Ordering::SeqCst) < 16).unwrap();
    assert_whole(folder.path());
    for n in 0..4 {
        let changed = Site::from([("0/index.html".to_owned(), format!("changed {n}"))]);
        let expected: Site = files.clone().into_iter().chain(changed).collect();
        publish(&mut store, &expected).unwrap();
        assert_eq!(served(folder.path()), expected);
    }
    assert_whole(folder.path());
}

/// Run as root: `mount` makes a disk that is really full.
#[test]
#[ignore = "needs the right to mount"]
fn a_disk_that_is_really_full_harms_nobody() {
    for limit in ["size=600k,nr_inodes=10k", "size=100m,nr_inodes=250"] {
        let folder = temporary();
        let mount = |arguments: &[&str]| assert!(Command::new("mount").args(arguments).status().unwrap().success());
        let place = folder.path().to_str().unwrap();
        mount(&["-t", "tmpfs", "-o", limit, "tmpfs", place]);
        let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
        publish(&mut store, &version(1)).unwrap();
        let too_much = site((0..500).map(|n| (format!("{n}/index.html"), "x".repeat(4_000))));
        for _ in 0..3 {
            let error = publish(&mut store, &too_much).unwrap_err();
            assert!(matches!(error, Error::NoSpace { .. }), "{error}");
            assert_eq!(served(folder.path()), version(1));
        }
        drop(store);
        let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
        mount(&["-o", "remount,size=100m,nr_inodes=20k", place]);
        publish(&mut store, &too_much).unwrap();
        assert_eq!(served(folder.path()), too_much);
        assert_eq!(store.audit().unwrap().flaws, []);
        drop(store);
        assert!(Command::new("umount").arg(place).status().unwrap().success());
    }
}

#[test]
fn a_full_disk_is_told_as_such() {
    let folder = temporary();
    let faults = Arc::new(Faults::new(40, Fault::Fail(Errno::NOSPC)));
    let error = open_and_run(Operation::FirstPublish, folder.path(), &faults).unwrap_err();
    assert!(matches!(error, Error::NoSpace { .. }), "{error}");
    assert!(error.to_string().contains("make room"), "{error}");
}

/// The process that is killed: told by the file `plan` in its working folder what to do and when to die.
#[test]
#[ignore = "started by the test below"]
fn victim() {
    let plan = fs::read_to_string("plan").unwrap();
    let (operation, at) = plan.split_once(' ').unwrap();
    let operation = ALL[operation.parse::<usize>().unwrap()];
    let faults = Arc::new(Faults::new(at.parse().unwrap(), Fault::Kill));
    open_and_run(operation, Path::new("store"), &faults).unwrap();
}

#[test]
fn a_process_that_is_killed_leaves_the_old_site_or_the_new_one() {
    for (index, operation) in ALL.into_iter().enumerate() {
        let (changes, objects) = undisturbed(operation);
        for at in (index as u64..changes).step_by(9) {
            let folder = temporary();
            let store = folder.path().join("store");
            let old = operation.prepare(&store);
            fs::write(folder.path().join("plan"), format!("{index} {at}")).unwrap();
            let died = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "crash::victim", "--ignored"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&died.status), Some(9), "{operation:?} at {at}");
            let left = seen(&store);
            assert!(left == old || left == operation.outcome(), "{operation:?} killed at {at}: {left:?}");
            drop(ReleaseStore::open(&store, options()).unwrap());
            assert_eq!(served(&store), left, "{operation:?} killed at {at}, repaired");
            operation.run_again(&store);
            assert_eq!((served(&store), object_count(&store)), (operation.outcome(), objects));
            assert_whole(&store);
        }
    }
}
