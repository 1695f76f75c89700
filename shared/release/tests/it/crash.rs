//! The store is interrupted before every single change of the file system that an operation makes. Whatever the moment:
//! readers see the old site or the new one, opening again repairs, and nothing is left behind.
//!
//! Real processes are killed before every ninth change; `MICROBLOG_TEST_KILL_STEP=1` kills before every one.

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
    /// One that brings a spare tree along.
    LargePublish,
    /// Three edits in a row, and what is tidied after them.
    Edits,
    RollBack,
    Prune,
    /// Brings every tree up to date.
    Tidy,
    /// Puts a damaged file, a damaged live tree and a damaged standby tree right.
    Mend,
    /// Another process takes note of what was done, and finds that the link which readers follow was removed.
    CatchUp,
    /// The same when it finds that states and objects were removed, and salvages what is live.
    Salvage,
}

const ALL: [Operation; 10] = [
    Operation::FirstPublish,
    Operation::Publish,
    Operation::LargePublish,
    Operation::Edits,
    Operation::RollBack,
    Operation::Prune,
    Operation::Tidy,
    Operation::Mend,
    Operation::CatchUp,
    Operation::Salvage,
];

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
    /// Trees are far from the live release at once where bringing them up is what is tested.
    fn options(self) -> Options {
        let far = if matches!(self, Self::LargePublish | Self::Edits | Self::Tidy) { 0 } else { options().far };
        Options { far, ..options() }
    }

    /// The releases before the operation.
    fn prepare(self) -> Before {
        let folder = temporary();
        let site = if self == Self::FirstPublish { Site::new() } else { self.publish_seven(folder.path()) };
        Before { folder, site }
    }

    /// What readers see afterwards.
    fn publish_seven(self, folder: &Path) -> Site {
        let mut store = ReleaseStore::open(folder, options()).unwrap();
        for n in 1..=7 {
            publish(&mut store, &version(n)).unwrap();
            if n < 7 {
                store.tidy(&|| true).unwrap();
            }
        }
        if self == Self::Mend {
            do_damage(folder);
        }
        served(folder)
    }

    fn run(self, folder: &Path, store: &mut ReleaseStore) -> Result<()> {
        match self {
            Self::FirstPublish => publish(store, &version(1)).map(drop),
            Self::Publish | Self::LargePublish => publish(store, &version(8)).map(drop),
            Self::Edits => {
                let live = store.live().map_or(0, |live| live.id.0);
                (live + 1..=10).try_for_each(|n| publish(store, &version(n)).map(drop))?;
                store.tidy(&|| true).map(drop)
            }
            Self::RollBack => store.roll_back(ReleaseId(4)).map(drop),
            Self::Prune => store.prune(1).map(drop),
            Self::Tidy => store.tidy(&|| true).map(drop),
            Self::Mend => {
                let flaws = store.audit()?.flaws;
                store.mend(&flaws).map(drop)
            }
            Self::CatchUp => {
                fs::remove_file(folder.join("current")).unwrap();
                store.catch_up()
            }
            Self::Salvage => {
                // Whoever is killed while salvaging does not find all of it again.
                let _ = fs::remove_dir_all(folder.join("st"));
                let _ = fs::remove_dir_all(folder.join("objects"));
                store.catch_up()
            }
        }
    }

    /// The site after the operation.
    fn outcome(self) -> Site {
        match self {
            Self::FirstPublish => version(1),
            Self::Publish | Self::LargePublish => version(8),
            Self::Edits => version(10),
            Self::RollBack => version(4),
            Self::Prune | Self::Tidy | Self::CatchUp | Self::Salvage => version(7),
            Self::Mend => Site::from_iter(
                [("index.html".to_owned(), "damage".to_owned())]
                    .into_iter()
                    .chain(version(7).into_iter().filter(|(path, _)| path != "index.html")),
            ),
        }
    }

    /// Whether readers may see this in the middle of the operation.
    fn may_be_seen(self, seen: &Site, old: &Site) -> bool {
        let meanwhile = match self {
            Self::Edits => vec![version(8), version(9)],
            Self::CatchUp => vec![Site::new()],
            _ => Vec::new(),
        };
        seen == old || *seen == self.outcome() || meanwhile.contains(seen)
    }

    /// What readers see after a repair that found them with `left`.
    fn repaired(self, left: Site) -> Site {
        if self == Self::CatchUp { self.outcome() } else { left }
    }

    /// Does it again after an interruption, unless it is done.
    fn run_again(self, folder: &Path) {
        let mut store = ReleaseStore::open(folder, self.options()).unwrap();
        if self != Self::RollBack || served(folder) != self.outcome() {
            self.run(folder, &mut store).unwrap();
        }
    }
}

/// A store before an operation, made once and copied for each interruption.
struct Before {
    folder: TempDir,
    /// What readers see.
    site: Site,
}

impl Before {
    fn copy_to(&self, folder: &Path) {
        let from = self.folder.path().join(".");
        assert!(Command::new("cp").arg("-a").arg(from).arg(folder).status().unwrap().success());
    }

    fn copy(&self) -> TempDir {
        let copy = temporary();
        self.copy_to(copy.path());
        copy
    }
}

/// Changes the bytes of a file of the live release, and takes a name from each tree that holds it.
fn do_damage(folder: &Path) {
    let live = folder.join("current/index.html");
    fs::set_permissions(&live, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    fs::write(&live, "damage").unwrap();
    fs::remove_file(folder.join("current/same.html")).unwrap();
    fs::remove_dir_all(folder.join("current/3")).unwrap();
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
    let options = Options { faults: Some(Arc::clone(faults)), ..operation.options() };
    ReleaseStore::open(folder, options).and_then(|mut store| operation.run(folder, &mut store))
}

/// How many changes of the file system the operation makes, and how many objects it leaves.
fn undisturbed(operation: Operation, before: &Before) -> (u64, usize) {
    let folder = before.copy();
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
        let before = operation.prepare();
        let (changes, objects) = undisturbed(operation, &before);
        for at in 0..changes {
            let (folder, old) = (before.copy(), before.site.clone());
            let stopped = open_and_run(operation, folder.path(), &Arc::new(Faults::new(at, Fault::Stop)));
            let context = format!("{operation:?} stopped at {at} of {changes}: {stopped:?}");
            let left = seen(folder.path());
            assert!(operation.may_be_seen(&left, &old), "{context}: {left:?}");
            let repaired = operation.repaired(left.clone());
            // The repair may be interrupted as well.
            for again in [at % 3, at % 11, at % 31] {
                let faults = Arc::new(Faults::new(again, Fault::Stop));
                drop(ReleaseStore::open(folder.path(), with(&faults)));
                let seen = seen(folder.path());
                assert!(seen == left || seen == repaired, "{context}, its repair at {again}: {seen:?}");
            }
            drop(ReleaseStore::open(folder.path(), options()).unwrap());
            assert_eq!(served(folder.path()), repaired, "{context}, repaired");
            if operation != Operation::Mend {
                assert_whole(folder.path());
            }
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
        let before = operation.prepare();
        let (changes, objects) = undisturbed(operation, &before);
        for errno in [Errno::NOSPC, Errno::IO] {
            for at in 0..changes {
                let (folder, old) = (before.copy(), before.site.clone());
                let failed = open_and_run(operation, folder.path(), &Arc::new(Faults::new(at, Fault::Fail(errno))));
                let context = format!("{operation:?} failed at {at} of {changes}: {failed:?}");
                let left = seen(folder.path());
                match &failed {
                    Ok(()) => assert_eq!(left, operation.outcome(), "{context}"),
                    Err(Error::NotDurable { .. }) => assert_ne!(left, old, "{context}"),
                    Err(_) if matches!(operation, Operation::Edits | Operation::Mend | Operation::CatchUp) => {
                        assert!(operation.may_be_seen(&left, &old), "{context}");
                    }
                    Err(_) => assert_eq!(left, old, "{context}"),
                }
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

/// From one change that a process is killed before to the next.
fn kill_step() -> usize {
    std::env::var_os("MICROBLOG_TEST_KILL_STEP").and_then(|step| step.to_str()?.parse().ok()).unwrap_or(9)
}

#[test]
fn a_process_that_is_killed_leaves_the_old_site_or_the_new_one() {
    let mut kills = 0;
    for (index, operation) in ALL.into_iter().enumerate() {
        let before = operation.prepare();
        let (changes, objects) = undisturbed(operation, &before);
        // Each operation begins elsewhere, so that all of its kinds of changes are met.
        for at in (index as u64 % kill_step() as u64..changes).step_by(kill_step()) {
            kills += 1;
            let folder = temporary();
            let store = folder.path().join("store");
            fs::create_dir(&store).unwrap();
            before.copy_to(&store);
            let old = before.site.clone();
            fs::write(folder.path().join("plan"), format!("{index} {at}")).unwrap();
            let died = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "crash::victim", "--ignored"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&died.status), Some(9), "{operation:?} at {at}");
            let left = seen(&store);
            assert!(operation.may_be_seen(&left, &old), "{operation:?} killed at {at}: {left:?}");
            drop(ReleaseStore::open(&store, options()).unwrap());
            assert_eq!(served(&store), operation.repaired(left), "{operation:?} killed at {at}, repaired");
            operation.run_again(&store);
            assert_eq!((served(&store), object_count(&store)), (operation.outcome(), objects));
            assert_whole(&store);
        }
    }
    println!("{kills} kills");
}
