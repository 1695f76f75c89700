//! Who wants to publish does not wait for what is done in the background, and what is broken off goes on where it was.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use microblog_release::faults::Faults;
use microblog_release::{Options, ReleaseStore, Tidied};
use tempfile::tempdir;

use crate::site::{Site, lose_power, options, publish, served, site};

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn pages(front: &str) -> Site {
    let mut pages = site((0..600).map(|n| (format!("{n}/index.html"), format!("page {n} ").repeat(200))));
    pages.insert("index.html".to_owned(), front.to_owned());
    pages
}

/// Tidies until a sync is under way that does not end, as on a slow disk; then somebody wants to publish.
fn publish_while_the_disk_is_slow(folder: &Path, options: Options) {
    publish(&mut ReleaseStore::open(folder, options.clone()).unwrap(), &pages("old")).unwrap();
    let faults = Arc::new(Faults::with_slow_sync(0));
    let mut store =
        ReleaseStore::open(folder, Options { faults: Some(Arc::clone(&faults)), ..options.clone() }).unwrap();
    let (sender, tidied) = mpsc::channel();
    let slow = Arc::clone(&faults);
    thread::spawn(move || {
        let tidied = store.tidy(&|| !slow.is_syncing()).unwrap();
        sender.send((store, tidied)).unwrap();
    });
    // Fails if tidying does not end before the disk is done.
    let (mut store, tidied) = tidied.recv_timeout(PATIENCE).unwrap();
    assert_eq!(tidied, Tidied::BrokenOff);
    assert!(faults.is_syncing());
    publish(&mut store, &pages("new")).unwrap();
    assert_eq!(served(folder), pages("new"));
    let mut other = ReleaseStore::open(folder, Options { lock_wait: Duration::ZERO, ..options }).unwrap();
    publish(&mut other, &pages("newer")).unwrap();
    faults.end_sync();
    assert_eq!(store.tidy(&|| true).unwrap(), Tidied::Done);
    assert_eq!(served(folder), pages("newer"));
    assert_eq!(store.audit().unwrap().flaws, []);
}

/// No tree lags so far that it is brought up to date in the background: there are only siblings to be made.
fn siblings_only() -> Options {
    Options { far: u64::MAX, ..options() }
}

fn until_nothing_temporary_is_left(folder: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while fs::read_dir(folder.join("tmp")).unwrap().count() > 0 {
        assert!(Instant::now() < deadline, "something temporary is left");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_publish_does_not_wait_until_siblings_are_durable() {
    let folder = tempdir().unwrap();
    publish_while_the_disk_is_slow(folder.path(), siblings_only());
    until_nothing_temporary_is_left(folder.path());
    assert!(folder.path().join("current/599/index.html.gz").exists());
}

#[test]
fn a_publish_does_not_wait_until_trees_that_lag_are_durable() {
    let folder = tempdir().unwrap();
    publish_while_the_disk_is_slow(folder.path(), Options { far: 0, compress: false, ..options() });
    until_nothing_temporary_is_left(folder.path());
}

#[test]
fn siblings_that_somebody_cleared_away_before_they_had_their_place_are_made_again() {
    let folder = tempdir().unwrap();
    publish(&mut ReleaseStore::open(folder.path(), siblings_only()).unwrap(), &pages("old")).unwrap();
    let faults = Arc::new(Faults::with_slow_sync(0));
    let slow = Options { faults: Some(Arc::clone(&faults)), ..siblings_only() };
    let mut store = ReleaseStore::open(folder.path(), slow).unwrap();
    let tidied = thread::spawn(move || store.tidy(&|| true).unwrap());
    let deadline = Instant::now() + PATIENCE;
    while !faults.is_syncing() {
        assert!(Instant::now() < deadline, "siblings are made durable");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 256);
    let mut other = ReleaseStore::open(folder.path(), siblings_only()).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    other.tidy(&|| true).unwrap();
    faults.end_sync();
    assert_eq!(tidied.join().unwrap(), Tidied::Done);
    assert_eq!(other.audit().unwrap().flaws, []);
    assert_eq!(served(folder.path()), pages("old"));
}

/// Tidies, and is interrupted each time that it asked so often whether to go on. Publishes in between. Tells how often it
/// had to be begun.
fn tidy_in_small_steps(store: &mut ReleaseStore, files: &mut Site, patience: u64) -> u64 {
    for begun in 1..300 {
        let asked = AtomicU64::new(0);
        if store.tidy(&|| asked.fetch_add(1, Ordering::SeqCst) < patience).unwrap() == Tidied::Done {
            return begun;
        }
        if begun % 5 == 0 {
            files.insert("front.html".to_owned(), begun.to_string());
            files.remove(&format!("{begun}.html"));
            files.insert(format!("new/{begun}.html"), "new".to_owned());
            publish(store, files).unwrap();
        }
    }
    panic!("it never comes to the end");
}

#[test]
fn comparing_trees_after_a_power_cut_is_broken_off_at_once_and_goes_on_where_it_was() {
    for name in [|n| format!("{n}.html"), |n| format!("{n}/index.html")] {
        let folder = tempdir().unwrap();
        let options = Options { compress: false, ..options() };
        let mut files = site((0..4_000).map(|n: u64| (name(n), n.to_string())));
        publish(&mut ReleaseStore::open(folder.path(), options.clone()).unwrap(), &files).unwrap();
        lose_power(folder.path());
        let mut store = ReleaseStore::open(folder.path(), options).unwrap();
        let begun = tidy_in_small_steps(&mut store, &mut files, 3);
        assert!(begun > 10, "it was interrupted only {begun} times");
        assert_eq!(store.audit().unwrap().flaws, []);
        for n in 0..3 {
            files.insert("front.html".to_owned(), format!("last {n}"));
            publish(&mut store, &files).unwrap();
            assert_eq!(served(folder.path()), files);
        }
        assert_eq!(store.audit().unwrap().flaws, []);
    }
}
