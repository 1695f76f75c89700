//! Compressed siblings: made once for what changed, always of the very file beside them, gone with it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use microblog_domain::{ContentHash, ReleaseId};
use microblog_release::{Flaw, Options, ReleaseStore, Tidied};
use tempfile::tempdir;

use crate::site::{Site, options, path, publish, served, site, unfold};

fn text(what: &str) -> String {
    format!("{what} ").repeat(1_000)
}

/// Some pages that are worth compressing, and files that are not.
fn pages(count: usize) -> Site {
    let mut pages = site((0..count).map(|n| (format!("{n}/index.html"), text(&format!("page {n}")))));
    pages.insert("small.html".to_owned(), "small".to_owned());
    pages.insert("picture.png".to_owned(), text("picture"));
    pages
}

fn with(pages: &Site, name: &str, content: &str) -> Site {
    let mut pages = pages.clone();
    pages.insert(name.to_owned(), content.to_owned());
    pages
}

fn publish_and_tidy(store: &mut ReleaseStore, pages: &Site) {
    publish(store, pages).unwrap();
    store.tidy(&|| true).unwrap();
}

/// The files of the live tree that have a sibling. That it is right is seen by [`served`].
fn compressed(store: &Path) -> Vec<String> {
    let mut found = Vec::new();
    collect(&store.join("current"), &mut found);
    let names = found.iter().filter_map(|file| file.to_str().unwrap().strip_suffix(".gz"));
    let root = format!("{}/", store.join("current").to_str().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_prefix(&root)).map(str::to_owned).collect();
    names.sort();
    names
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// The siblings among the objects, by name, with what tells whether they were made anew.
fn made(store: &Path) -> BTreeMap<PathBuf, (u64, i64)> {
    let mut found = Vec::new();
    collect(&store.join("objects"), &mut found);
    found.retain(|file| file.extension().is_some_and(|extension| extension == "gz"));
    let identity = |file: PathBuf| {
        let metadata = fs::metadata(&file).unwrap();
        (file, (metadata.ino(), metadata.ctime_nsec()))
    };
    found.into_iter().map(identity).collect()
}

fn assert_whole(folder: &Path, pages: &Site) {
    assert_eq!(&served(folder), pages);
    assert_eq!(ReleaseStore::open(folder, options()).unwrap().audit().unwrap().flaws, []);
}

#[test]
fn text_that_is_worth_it_is_compressed_with_the_time_of_its_source() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &pages(3)).unwrap();
    assert_eq!(compressed(folder.path()), [""; 0], "going live does not wait for it");
    store.tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()), ["0/index.html", "1/index.html", "2/index.html"]);
    assert_whole(folder.path(), &pages(3));
    let file = |name| fs::metadata(folder.path().join("current/0").join(name)).unwrap();
    let (source, sibling) = (file("index.html"), file("index.html.gz"));
    assert_eq!((sibling.mtime(), sibling.mode()), (source.mtime(), source.mode()));
    assert!(sibling.len() * 4 < source.len());
}

#[test]
fn only_what_changed_is_compressed_and_all_trees_share_it() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish_and_tidy(&mut store, &pages(600));
    let first: Vec<(u64, i64)> = made(folder.path()).into_values().collect();
    let inodes = |made: &BTreeMap<PathBuf, (u64, i64)>| made.values().map(|(inode, _)| *inode).collect::<Vec<_>>();
    let first_inodes: Vec<u64> = first.iter().map(|(inode, _)| *inode).collect();
    for n in 0..4 {
        publish_and_tidy(&mut store, &with(&pages(600), "7/index.html", &text(&format!("changed {n}"))));
        assert_eq!(compressed(folder.path()).len(), 600, "whichever tree is live");
        let now = made(folder.path());
        let new = inodes(&now).iter().filter(|inode| !first_inodes.contains(inode)).count();
        assert_eq!((now.len(), new), (601 + n, 1 + n));
    }
    assert_whole(folder.path(), &with(&pages(600), "7/index.html", &text("changed 3")));
}

#[test]
fn a_change_takes_the_sibling_of_what_was_there_before() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    for n in 0..5 {
        publish_and_tidy(&mut store, &with(&pages(2), "0/index.html", &text(&n.to_string())));
    }
    publish(&mut store, &with(&pages(2), "0/index.html", &text("new"))).unwrap();
    assert_eq!(compressed(folder.path()), ["1/index.html"]);
    publish(&mut store, &with(&pages(2), "0/index.html", "small now")).unwrap();
    store.tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()), ["1/index.html"]);
    store.roll_back(ReleaseId(4)).unwrap();
    assert_eq!(compressed(folder.path()), ["1/index.html"]);
    store.tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()), ["0/index.html", "1/index.html"]);
    assert_whole(folder.path(), &with(&pages(2), "0/index.html", &text("3")));
    store.prune(1).unwrap();
    assert_eq!(made(folder.path()).len(), 2, "siblings go with their objects");
}

#[test]
fn a_sibling_goes_with_the_object_that_it_was_made_of_though_the_same_bytes_come_back() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let (page, other) = (pages(1), with(&pages(1), "0/index.html", &text("other")));
    publish_and_tidy(&mut store, &page);
    // Each lease keeps the tree that is live from being used.
    let first = store.lease().unwrap();
    publish(&mut store, &other).unwrap();
    let second = store.lease().unwrap();
    publish(&mut store, &with(&other, "more.html", "more")).unwrap();
    store.prune(1).unwrap();
    let _third = store.lease().unwrap();
    drop(second);
    publish(&mut store, &page).unwrap();
    drop(first);
    publish(&mut store, &with(&page, "more.html", "more")).unwrap();
    assert_eq!(compressed(folder.path()), [""; 0], "what lay there belonged to an object that is gone");
    assert_whole(folder.path(), &with(&page, "more.html", "more"));
    store.tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()), ["0/index.html"]);
    assert_whole(folder.path(), &with(&page, "more.html", "more"));
}

#[test]
fn it_is_broken_off_at_once_and_taken_up_again() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &pages(600)).unwrap();
    for patience in [0, 1, 20] {
        let asked = AtomicU64::new(0);
        let go_on = || asked.fetch_add(1, Ordering::SeqCst) < patience;
        assert_eq!(store.tidy(&go_on).unwrap(), Tidied::BrokenOff);
        assert_eq!(made(folder.path()).len(), 0);
    }
    for (before, after) in [(0, 256), (256, 512)] {
        let go_on = || made(folder.path()).len() == before;
        assert_eq!(store.tidy(&go_on).unwrap(), Tidied::BrokenOff);
        assert_eq!(made(folder.path()).len(), after, "what was made stays, a round at a time");
        assert_whole(folder.path(), &pages(600));
    }
    assert_eq!(store.tidy(&|| true).unwrap(), Tidied::Done);
    assert_eq!(compressed(folder.path()).len(), 600);
}

#[test]
fn a_store_that_was_opened_anew_finds_what_is_missing() {
    let folder = tempdir().unwrap();
    let open = || ReleaseStore::open(folder.path(), options()).unwrap();
    publish_and_tidy(&mut open(), &pages(300));
    let first = made(folder.path());
    fs::remove_file(folder.path().join("current/5/index.html.gz")).unwrap();
    publish(&mut open(), &with(&pages(300), "new.html", &text("new"))).unwrap();
    open().tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()).len(), 301);
    let now = made(folder.path());
    assert!(first.iter().all(|(name, (inode, _))| now[name].0 == *inode), "nothing was made twice");
}

#[test]
fn a_file_that_somebody_put_there_is_left_alone() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let plain = with(&pages(2), "data.json", &format!("[{}1]", "1, ".repeat(900)));
    let with_own = with(&plain, "data.json.gz", "made by hand");
    for round in 0..3 {
        publish_and_tidy(&mut store, &plain);
        assert_eq!(compressed(folder.path()), ["0/index.html", "1/index.html", "data.json"], "round {round}");
        publish_and_tidy(&mut store, &with_own);
        assert_whole(folder.path(), &with_own);
        publish_and_tidy(
            &mut store,
            &with(&with_own, "data.json", &format!("[{}]", text("1,").trim_end().trim_end_matches(','))),
        );
        assert_eq!(fs::read_to_string(folder.path().join("current/data.json.gz")).unwrap(), "made by hand");
    }
}

#[test]
fn a_folder_may_come_where_a_sibling_was() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let page = with(&pages(1), "x.html", &text("x"));
    let below = with(&page, "x.html.gz/y/index.html", &text("below"));
    for _ in 0..4 {
        publish_and_tidy(&mut store, &page);
        assert_eq!(compressed(folder.path()), ["0/index.html", "x.html"]);
        publish_and_tidy(&mut store, &below);
        assert_eq!(compressed(folder.path()), ["0/index.html", "x.html.gz/y/index.html"]);
        assert_whole(folder.path(), &below);
    }
}

#[test]
fn a_tree_that_somebody_reads_under_a_lease_gets_no_new_names() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &pages(3)).unwrap();
    let lease = store.lease().unwrap();
    store.tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()), [""; 0]);
    drop(lease);
    store.tidy(&|| true).unwrap();
    assert_eq!(compressed(folder.path()).len(), 3);
}

#[test]
fn nothing_is_compressed_where_it_is_turned_off_and_nothing_stale_is_kept() {
    let folder = tempdir().unwrap();
    publish_and_tidy(&mut ReleaseStore::open(folder.path(), options()).unwrap(), &pages(3));
    let mut store = ReleaseStore::open(folder.path(), Options { compress: false, ..options() }).unwrap();
    for n in 0..4 {
        publish_and_tidy(&mut store, &with(&pages(3), "1/index.html", &text(&n.to_string())));
        assert!(!compressed(folder.path()).contains(&"1/index.html".to_owned()));
        assert_whole(folder.path(), &with(&pages(3), "1/index.html", &text(&n.to_string())));
    }
}

#[test]
fn a_sibling_that_is_damaged_is_found_and_made_anew() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish_and_tidy(&mut store, &pages(3));
    let other = fs::read(folder.path().join("current/2/index.html.gz")).unwrap();
    for wrong in [b"".as_slice(), b"nonsense", &other] {
        let place = folder.path().join("current/1/index.html.gz");
        fs::set_permissions(&place, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&place, wrong).unwrap();
        let flaws = store.audit().unwrap().flaws;
        let content = ContentHash::of(text("page 1").as_bytes());
        assert_eq!(flaws, [Flaw::Sibling { path: path("1/index.html"), content }]);
        store.mend(&flaws).unwrap();
        assert_eq!(store.audit().unwrap().flaws, []);
        assert_eq!(unfold(&fs::read(&place).unwrap()).unwrap(), text("page 1").as_bytes());
        assert_eq!((store.live().unwrap().id, store.releases().unwrap().len()), (ReleaseId(1), 1));
    }
}

#[test]
fn after_a_power_cut_siblings_that_are_right_stay_and_others_go_without_anybody_being_moved() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    for n in 0..3 {
        publish_and_tidy(&mut store, &with(&pages(3), "changing.html", &text(&n.to_string())));
    }
    drop(store);
    let first = made(folder.path());
    let live = fs::read_link(folder.path().join("current")).unwrap();
    // A name that came to the disk while that of the object did not, and one that belongs to another file.
    for stray in ["0/index.html.gz", "small.html.gz"] {
        let stray = folder.path().join("current").join(stray);
        drop(fs::remove_file(&stray));
        fs::write(&stray, "stray").unwrap();
    }
    let flaws = ReleaseStore::open(folder.path(), options()).unwrap().audit().unwrap().flaws;
    assert!(matches!(flaws[..], [Flaw::StraySiblings { names: 2, .. }]), "{flaws:?}");
    fs::remove_file(folder.path().join("st/boot")).unwrap();
    symlink("another start", folder.path().join("st/boot")).unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    assert_eq!(fs::read_link(folder.path().join("current")).unwrap(), live);
    assert_eq!(compressed(folder.path()), ["1/index.html", "2/index.html", "changing.html"]);
    for n in 2..6 {
        publish_and_tidy(&mut store, &with(&pages(3), "changing.html", &text(&n.to_string())));
        assert_eq!(compressed(folder.path()).len(), 4);
    }
    assert!(first.keys().take(2).all(|name| made(folder.path()).contains_key(name)));
    assert_whole(folder.path(), &with(&pages(3), "changing.html", &text("5")));
}

#[test]
fn strays_are_taken_away_by_mending() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish_and_tidy(&mut store, &pages(2));
    let place = folder.path().join("current/0/index.html.gz");
    fs::remove_file(&place).unwrap();
    fs::copy(folder.path().join("current/1/index.html.gz"), &place).unwrap();
    let flaws = store.audit().unwrap().flaws;
    assert_eq!(flaws.len(), 1);
    store.mend(&flaws).unwrap();
    assert_eq!(compressed(folder.path()), ["0/index.html", "1/index.html"]);
    assert_whole(folder.path(), &pages(2));
}

#[test]
fn siblings_are_no_files_of_a_release_whose_manifest_was_lost() {
    let folder = tempdir().unwrap();
    let own = with(&pages(3), "1/index.html.gz", "made by hand");
    publish_and_tidy(&mut ReleaseStore::open(folder.path(), options()).unwrap(), &own);
    fs::remove_dir_all(folder.path().join("m")).unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    assert_eq!(store.live().unwrap().totals.files, own.len() as u64);
    assert_whole(folder.path(), &own);
    for n in 0..4 {
        let changed = with(&own, "0/index.html", &text(&n.to_string()));
        publish_and_tidy(&mut store, &changed);
        assert_whole(folder.path(), &changed);
    }
}
