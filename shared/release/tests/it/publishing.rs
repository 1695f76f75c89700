//! What publishing, going back and pruning do, as seen from outside.

use std::path::Path;
use std::sync::Arc;

use microblog_domain::{Fingerprint, ReleaseId};
use microblog_release::faults::Faults;
use microblog_release::{Adopt, Committed, Error, Options, Origin, Page, Put, ReleaseReader, ReleaseStore, Tidied};
use tempfile::tempdir;

use crate::site::{Site, activated, checks, object_count, options, page, path, publish, served, site};

#[test]
fn what_is_published_is_served() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    assert_eq!((store.live(), served(folder.path())), (None, site::<&str, &str>([])));
    let first = site([("index.html", "1"), ("a/index.html", "1"), ("feed.xml", "<feed/>")]);
    let second = site([("index.html", "2"), ("b/c/index.html", "2"), ("feed.xml", "<feed/>")]);
    let third = site([("index.html", "3"), ("b", "3"), ("a/b/c", "3")]);
    for (number, expected) in (1..).zip([&first, &second, &third, &first]) {
        let activated = activated(publish(&mut store, expected).unwrap());
        assert_eq!(activated.release.id, ReleaseId(number));
        assert_eq!(activated.release.totals.files, expected.len() as u64);
        assert_eq!(served(folder.path()), *expected);
    }
}

#[test]
fn a_change_touches_only_what_differs() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let mut files = site((0..500).map(|n| (format!("{n}/index.html"), format!("post {n}"))));
    publish(&mut store, &files).unwrap();
    store.tidy(&|| true).unwrap();
    for round in 0..4 {
        files.insert("7/index.html".to_owned(), format!("round {round}"));
        let draft = store.draft(checks()).unwrap();
        assert_eq!(draft.fingerprint(&path("8/index.html")), Some(Fingerprint::of(b"post 8")));
        let put = draft.put(&path("7/index.html"), page(&files["7/index.html"])).unwrap();
        assert_eq!(put, Put::Changed);
        let activated = activated(draft.verify().unwrap().commit().unwrap());
        assert_eq!(activated.release.changed, 1);
        assert_eq!(served(folder.path()), files);
        // Each tree lags behind by as many releases as there are trees, so it has had the rest by then.
        assert!(round < 2 || activated.entries_touched == 1, "{}", activated.entries_touched);
    }
}

#[test]
fn nothing_new_is_no_release() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let files = site([("index.html", "1")]);
    publish(&mut store, &files).unwrap();
    assert_eq!(publish(&mut store, &files).unwrap(), Committed::Unchanged(ReleaseId(1)));
}

#[test]
fn new_inputs_with_old_bytes_are_remembered() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &site([("index.html", "1")])).unwrap();
    let draft = store.draft(checks()).unwrap();
    let same = Page { fingerprint: Fingerprint::of(b"other inputs"), ..page("1") };
    assert_eq!(draft.put(&path("index.html"), same).unwrap(), Put::Unchanged);
    draft.verify().unwrap().commit().unwrap();
    assert_eq!(object_count(folder.path()), 1);
    drop(store);
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let draft = store.draft(checks()).unwrap();
    assert_eq!(draft.fingerprint(&path("index.html")), Some(Fingerprint::of(b"other inputs")));
}

#[test]
fn any_kept_release_can_be_gone_back_to_and_no_other() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let version =
        |n: u64| site([("index.html".to_owned(), format!("{n}")), (format!("{n}/index.html"), "x".to_owned())]);
    for n in 1..=8 {
        publish(&mut store, &version(n)).unwrap();
    }
    let kept: Vec<u64> = store.releases().unwrap().iter().map(|release| release.id.0).collect();
    assert_eq!(kept, [8, 7, 6, 5, 4]);
    assert!(matches!(store.roll_back(ReleaseId(3)), Err(Error::UnknownRelease { .. })));
    assert!(matches!(store.roll_back(ReleaseId(9)), Err(Error::UnknownRelease { .. })));
    assert_eq!(store.roll_back(ReleaseId(8)).unwrap(), Committed::Unchanged(ReleaseId(8)));
    let back = activated(store.roll_back(ReleaseId(4)).unwrap());
    assert_eq!((back.release.id, back.release.origin), (ReleaseId(9), Origin::RolledBackTo(ReleaseId(4))));
    assert_eq!(served(folder.path()), version(4));
    store.roll_back(ReleaseId(8)).unwrap();
    assert_eq!(served(folder.path()), version(8));
    assert_eq!(ReleaseReader::open(folder.path()).unwrap().releases().unwrap(), store.releases().unwrap());
}

#[test]
fn what_no_kept_release_names_is_removed() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    for n in 0..20 {
        publish(
            &mut store,
            &site([("index.html".to_owned(), format!("{}", n % 3)), (format!("{n}.txt"), format!("{n}"))]),
        )
        .unwrap();
    }
    // Three texts of the front page; the five newest of the others.
    assert_eq!(object_count(folder.path()), 3 + 5);
    assert_eq!(store.prune(1).unwrap(), 4);
    assert_eq!(object_count(folder.path()), 2);
}

#[test]
fn a_draft_that_is_dropped_leaves_nothing() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    publish(&mut store, &site([("index.html", "1")])).unwrap();
    let draft = store.draft(checks()).unwrap();
    draft.put(&path("index.html"), page("2")).unwrap();
    drop(draft);
    let draft = store.draft(checks()).unwrap();
    draft.put(&path("index.html"), page("3")).unwrap();
    draft.put(&path("index.html"), page("4")).unwrap();
    draft.discard().unwrap();
    store.prune(5).unwrap();
    assert_eq!((served(folder.path()), object_count(folder.path())), (site([("index.html", "1")]), 1));
}

#[test]
fn files_from_elsewhere_are_taken_in_by_link_or_copy() {
    let folder = tempdir().unwrap();
    let source = tempdir().unwrap();
    let picture = source.path().join("picture.jpg");
    std::fs::write(&picture, "picture").unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let draft = store.draft(checks()).unwrap();
    draft.put_file(&path("linked.jpg"), &picture, Adopt::Link, Fingerprint::default()).unwrap();
    draft.put_file(&path("copied.jpg"), &picture, Adopt::Copy, Fingerprint::default()).unwrap();
    draft.verify().unwrap().commit().unwrap();
    std::fs::write(&picture, "changed").unwrap();
    assert_eq!(served(folder.path()), site([("linked.jpg", "changed"), ("copied.jpg", "picture")]));
}

#[test]
fn a_store_of_many_releases_is_whole_before_and_after_its_manifest_is_made_anew() {
    let folder = tempdir().unwrap();
    let faults = Arc::new(Faults::counting());
    let mut store = ReleaseStore::open(folder.path(), counting(&faults)).unwrap();
    for n in 1..=520 {
        let before = faults.made();
        publish(&mut store, &site([("index.html".to_owned(), n.to_string())])).unwrap();
        let changes = faults.made() - before;
        assert!(changes < 60, "release {n} paid for others with {changes} changes");
        if n > 495 {
            store.tidy(&|| true).unwrap();
            assert_eq!(store.audit().unwrap().flaws, [], "release {n}");
        }
    }
    let bases = std::fs::read_dir(folder.path().join("m")).unwrap();
    let is_base = |name: &str| name.starts_with("base-");
    assert_eq!(bases.filter(|name| is_base(&name.as_ref().unwrap().file_name().to_string_lossy())).count(), 1);
}

/// Options for stores that count what they change.
fn counting(faults: &Arc<Faults>) -> Options {
    Options { keep: 2, compress: false, faults: Some(Arc::clone(faults)), ..options() }
}

/// A large site whose pages all change, and small releases after it, until the large change is about to be let go.
fn publish_until_much_is_let_go(folder: &Path) -> Site {
    let mut store = ReleaseStore::open(folder, Options { keep: 2, compress: false, ..options() }).unwrap();
    let pages =
        |text: &str| site((0..2_000).map(|n| (format!("{n:04}/{}.html", "x".repeat(200)), format!("{text} {n}"))));
    for text in ["old", "new"] {
        publish(&mut store, &pages(text)).unwrap();
        store.tidy(&|| true).unwrap();
    }
    pages("new")
}

#[test]
fn what_is_let_go_of_is_removed_in_rounds_that_a_publish_waits_for_one_of() {
    let folder = tempdir().unwrap();
    let mut files = publish_until_much_is_let_go(folder.path());
    let faults = Arc::new(Faults::counting());
    let mut store = ReleaseStore::open(folder.path(), counting(&faults)).unwrap();
    let mut edit = |store: &mut ReleaseStore, text: &str| {
        let before = faults.made();
        files.insert("edit.html".to_owned(), text.to_owned());
        publish(store, &files).unwrap();
        let kept: Vec<u64> = store.releases().unwrap().iter().map(|release| release.id.0).collect();
        (faults.made() - before, kept)
    };
    let usual = edit(&mut store, "1").0;
    for text in ["2", "3", "4"] {
        let (changes, kept) = edit(&mut store, text);
        assert!(changes < usual + 100, "{changes} changes for one edit, usually {usual}");
        assert_eq!(kept.len(), 2);
    }
    for _ in 0..2 {
        let before = faults.made();
        assert_eq!(store.tidy(&|| false).unwrap(), Tidied::BrokenOff);
        assert!(faults.made() - before < 600, "{}", faults.made() - before);
    }
    assert!(object_count(folder.path()) > 2_100, "something is left");
    // Whoever opens the store next knows what is left.
    drop(store);
    let mut store = ReleaseStore::open(folder.path(), counting(&faults)).unwrap();
    assert_eq!(store.last_repair(), None);
    assert_eq!(store.tidy(&|| true).unwrap(), Tidied::Done);
    assert_eq!(object_count(folder.path()), 2_000 + 2);
    assert_eq!(store.audit().unwrap().flaws, []);
}

#[test]
fn what_was_about_to_be_removed_and_is_wanted_again_stays() {
    let folder = tempdir().unwrap();
    let mut files = publish_until_much_is_let_go(folder.path());
    let mut store = ReleaseStore::open(folder.path(), counting(&Arc::new(Faults::counting()))).unwrap();
    for n in 0..3 {
        files.insert("edit.html".to_owned(), n.to_string());
        publish(&mut store, &files).unwrap();
    }
    assert_eq!(store.tidy(&|| false).unwrap(), Tidied::BrokenOff);
    for (path, text) in &mut files {
        *text = text.replace("new", if path.as_str() < "1500" { "old" } else { "new" });
    }
    publish(&mut store, &files).unwrap();
    while store.tidy(&|| true).unwrap() != Tidied::Done {}
    assert_eq!(store.audit().unwrap().flaws, []);
    assert_eq!(served(folder.path()), files);
}
