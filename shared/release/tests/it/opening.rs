//! Opening what is no store, what is in use, what was damaged, and what survived a power cut.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use microblog_domain::{InstallationId, ReleaseId, Timestamp};
use microblog_release::{Committed, Damage, Error, Flaw, Options, ReleaseReader, ReleaseStore};
use tempfile::tempdir;

use crate::site::{activated, checks, lose_power, object_count, options, page, path, publish, served, site};

#[test]
fn a_missing_folder_is_made() {
    let folder = tempdir().unwrap();
    let store = folder.path().join("not/yet/there");
    ReleaseStore::open(&store, options()).unwrap();
    assert_eq!(served(&store), site::<&str, &str>([]));
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let error = ReleaseStore::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, Error::NotAStore { .. }) && error.to_string().contains("thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let file = folder.path().join("thesis.tex");
    assert!(matches!(ReleaseStore::open(&file, options()), Err(Error::Io { .. })));
}

#[test]
fn another_process_that_changes_the_store_is_named() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let draft = store.draft(checks()).unwrap();
    let patience = Options { lock_wait: Duration::ZERO, ..options() };
    let error = ReleaseStore::open(folder.path(), patience.clone()).unwrap_err();
    assert!(matches!(&error, Error::Locked { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    drop(draft);
    ReleaseStore::open(folder.path(), patience).unwrap();
}

#[test]
fn a_lock_that_somebody_removed_keeps_nobody_out_and_still_lets_one_in_at_a_time() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    activated(publish(&mut store, &site([("index.html", "1")])).unwrap());
    fs::remove_file(folder.path().join("lock")).unwrap();
    let mut other = ReleaseStore::open(folder.path(), Options { lock_wait: Duration::ZERO, ..options() }).unwrap();
    assert_eq!(other.live().unwrap().id, ReleaseId(1));
    let draft = store.draft(checks()).unwrap();
    assert!(matches!(other.draft(checks()), Err(Error::Locked { .. })));
    drop(draft);
    other.draft(checks()).unwrap();
}

#[test]
fn two_processes_take_turns_and_see_what_the_other_did() {
    let folder = tempdir().unwrap();
    let mut one = ReleaseStore::open(folder.path(), options()).unwrap();
    let mut other = ReleaseStore::open(folder.path(), options()).unwrap();
    for n in 0..10_u64 {
        let store = if n.is_multiple_of(3) { &mut one } else { &mut other };
        let files = site([("index.html".to_owned(), n.to_string()), (format!("{n}.html"), n.to_string())]);
        assert_eq!(activated(publish(store, &files).unwrap()).release.id, ReleaseId(n + 1));
        assert_eq!(served(folder.path()), files);
    }
    assert_eq!(ReleaseReader::open(folder.path()).unwrap().live().unwrap().id, ReleaseId(10));
}

#[test]
fn settings_that_can_not_work_are_refused() {
    let folder = tempdir().unwrap();
    for wrong in [Options { trees: 1, ..options() }, Options { keep: 0, ..options() }] {
        assert!(matches!(ReleaseStore::open(folder.path(), wrong), Err(Error::Options(_))));
    }
}

#[test]
fn nothing_but_the_live_release_is_trusted_after_a_reboot() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), Options { far: 0, ..options() }).unwrap();
    let version = |n: u64| site([("index.html".to_owned(), n.to_string()), (format!("{n}/index.html"), n.to_string())]);
    for n in 1..=4 {
        publish(&mut store, &version(n)).unwrap();
    }
    store.tidy(&|| true).unwrap();
    drop(store);
    lose_power(folder.path());
    // What a power cut can do to trees that were not live: names lost, names that should be gone, old content.
    let live = fs::read_link(folder.path().join("current")).unwrap();
    for tree in 0..3 {
        let tree = folder.path().join(format!("trees/{tree}"));
        if !tree.ends_with(&live) {
            fs::remove_file(tree.join("index.html")).unwrap();
            fs::create_dir_all(tree.join("stray/folder")).unwrap();
            fs::write(tree.join("stray/index.html"), "stray").unwrap();
        }
    }
    fs::write(folder.path().join("m/d-5"), "").unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    assert_eq!((store.live().unwrap().id, served(folder.path())), (ReleaseId(4), version(4)));
    assert_eq!(store.last_repair().unwrap().undone, Some(ReleaseId(5)));
    for n in 5..=8 {
        publish(&mut store, &version(n)).unwrap();
        assert_eq!(served(folder.path()), version(n));
    }
    assert_eq!(store.audit().unwrap().flaws, []);
}

#[test]
fn readers_are_sent_to_a_whole_tree_if_the_live_one_was_damaged() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let files = site([("index.html", "1"), ("a/index.html", "1")]);
    publish(&mut store, &files).unwrap();
    fs::remove_file(folder.path().join("current/a/index.html")).unwrap();
    let flaws = store.audit().unwrap().flaws;
    assert_eq!(flaws, [Flaw::LiveTree { names: 1 }]);
    assert_eq!(store.mend(&flaws).unwrap(), Committed::Unchanged(ReleaseId(1)));
    assert_eq!(served(folder.path()), files);
    fs::remove_file(folder.path().join("current/a/index.html")).unwrap();
    drop(store);
    lose_power(folder.path());
    ReleaseStore::open(folder.path(), options()).unwrap();
    assert_eq!(served(folder.path()), files);
}

#[test]
fn a_damaged_file_is_found_and_written_anew_by_the_next_build() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let files = site([("index.html", "right"), ("other.html", "other")]);
    publish(&mut store, &files).unwrap();
    let live = folder.path().join("current/index.html");
    let mut permissions = fs::metadata(&live).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&live, permissions).unwrap();
    fs::write(&live, "wrong").unwrap();
    let flaw = Flaw::File { path: path("index.html"), release: ReleaseId(1), damage: Damage::Altered };
    let flaws = store.audit().unwrap().flaws;
    assert_eq!(flaws, [flaw]);
    store.mend(&flaws).unwrap();
    assert_eq!(store.audit().unwrap().flaws, []);
    publish(&mut store, &files).unwrap();
    assert_eq!(served(folder.path()), files);
    assert_eq!(store.audit().unwrap().flaws, []);
}

#[test]
fn a_lost_manifest_costs_the_history_and_never_the_site() {
    let version = |n: u64| site([("index.html".to_owned(), n.to_string()), (format!("{n}/index.html"), n.to_string())]);
    for lost in ["m/d-1", "m/d-3", "m/d-4", "m"] {
        let folder = tempdir().unwrap();
        let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
        for n in 1..=4 {
            publish(&mut store, &version(n)).unwrap();
        }
        drop(store);
        let lost = folder.path().join(lost);
        if lost.is_dir() {
            fs::remove_dir_all(&lost).unwrap();
        } else {
            fs::remove_file(&lost).unwrap();
            fs::write(&lost, "zeroes").unwrap();
        }
        let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
        assert_eq!(served(folder.path()), version(4), "{lost:?}");
        for n in 5..=14 {
            publish(&mut store, &version(n)).unwrap();
            assert_eq!(served(folder.path()), version(n), "{lost:?}");
        }
        assert_eq!(store.audit().unwrap().flaws, [], "{lost:?}");
        assert_eq!(store.releases().unwrap().len(), 5, "{lost:?}");
        store.roll_back(ReleaseId(11)).unwrap();
        assert_eq!(served(folder.path()), version(11), "{lost:?}");
    }
}

/// Takes away what a name stands for, or with a star all that it holds.
fn take_away(store: &Path, what: &str) {
    let folder = store.join(what.trim_end_matches("/*"));
    fs::remove_dir_all(&folder).unwrap();
    if what.ends_with("/*") {
        fs::create_dir(&folder).unwrap();
    }
}

#[test]
fn what_somebody_removes_from_an_open_store_is_there_again_with_the_next_build() {
    let version = |n: u64| {
        site([
            ("index.html".to_owned(), n.to_string()),
            ("large.html".to_owned(), "large ".repeat(1_000)),
            (format!("{n}/index.html"), n.to_string()),
        ])
    };
    for lost in ["objects", "objects/*", "tmp", "m", "m/*", "st", "st/*", "trees", "trees/*"] {
        for is_open in [true, false] {
            let folder = tempdir().unwrap();
            let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
            for n in 1..=4 {
                publish(&mut store, &version(n)).unwrap();
                store.tidy(&|| true).unwrap();
            }
            take_away(folder.path(), lost);
            if is_open {
                store.catch_up().unwrap();
            } else {
                store = ReleaseStore::open(folder.path(), options()).unwrap();
            }
            if !lost.starts_with("trees") {
                assert_eq!(served(folder.path()), version(4), "{lost}");
            }
            for n in 5..=9 {
                publish(&mut store, &version(n)).unwrap();
                assert_eq!(served(folder.path()), version(n), "{lost}");
                store.tidy(&|| true).unwrap();
                assert_eq!(store.audit().unwrap().flaws, [], "{lost}");
            }
            store.prune(1).unwrap();
            // Each file, and the compressed sibling of one.
            assert_eq!(object_count(folder.path()), 4, "{lost}");
        }
    }
}

#[test]
fn a_store_belongs_to_the_installation_that_built_there_first() {
    let folder = tempdir().unwrap();
    let [ours, theirs] = [1, 2].map(|second| InstallationId::generate(Timestamp::from_second(second).unwrap()));
    let open = |installation| ReleaseStore::open(folder.path(), Options { installation, ..options() });
    let files = site([("index.html", "ours")]);
    publish(&mut open(None).unwrap(), &files).unwrap();
    let mut store = open(Some(ours)).unwrap();
    publish(&mut open(Some(ours)).unwrap(), &site([("index.html", "also ours")])).unwrap();

    let error = open(Some(theirs)).unwrap_err();
    assert!(matches!(&error, Error::OtherInstallation { .. }), "{error}");
    assert!(error.to_string().contains("releases adopt"), "{error}");
    let mut looking = open(None).unwrap();
    assert!(looking.check_owner(ours).is_ok());
    assert!(matches!(looking.check_owner(theirs), Err(Error::OtherInstallation { .. })));

    // A store whose states were lost under it is still ours.
    fs::remove_dir_all(folder.path().join("st")).unwrap();
    store.catch_up().unwrap();
    assert!(matches!(open(Some(theirs)), Err(Error::OtherInstallation { .. })));

    looking.adopt(theirs).unwrap();
    open(Some(theirs)).unwrap();
    assert!(matches!(store.draft(checks()), Err(Error::OtherInstallation { .. })), "who had it is told, too");
    assert_eq!(served(folder.path()), site([("index.html", "also ours")]));
}

#[test]
fn files_can_be_read_by_servers_and_each_release_has_a_second_of_its_own() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let mut seconds = std::collections::HashSet::new();
    for text in ["aa", "bb", "cc"] {
        publish(&mut store, &site([("index.html", text)])).unwrap();
        let file = fs::metadata(folder.path().join("current/index.html")).unwrap();
        assert_eq!(file.mode() & 0o222, 0, "nobody may change it");
        assert_ne!(file.mode() & 0o400, 0);
        assert!(seconds.insert(file.mtime()), "two releases within one second");
    }
    // The same content has the same second again, so that caches stay valid.
    store.roll_back(ReleaseId(1)).unwrap();
    assert!(seconds.contains(&fs::metadata(folder.path().join("current/index.html")).unwrap().mtime()));
    assert_eq!(object_count(folder.path()), 3);
}

#[test]
fn an_error_keeps_a_release_from_going_live_and_a_warning_does_not() {
    let folder = tempdir().unwrap();
    let mut store = ReleaseStore::open(folder.path(), options()).unwrap();
    let html = "<a href='/gone/'>";
    let draft = store.draft(checks()).unwrap();
    draft.put(&path("index.html"), page(html)).unwrap();
    let Err(Error::Rejected(findings)) = draft.verify() else { panic!("a broken link of the theme is an error") };
    assert!(findings[0].to_string().contains("/gone/"), "{}", findings[0]);
    assert_eq!(object_count(folder.path()), 0);
    let draft = store.draft(checks()).unwrap();
    let author_links = ["/gone/".to_owned()];
    draft.put(&path("index.html"), microblog_release::Page { author_links: &author_links, ..page(html) }).unwrap();
    let verified = draft.verify().unwrap();
    assert_eq!(verified.warnings().len(), 1);
    verified.commit().unwrap();
    assert_eq!(served(folder.path()), site([("index.html", html)]));
}

#[test]
fn a_store_that_is_lost_under_an_open_handle_is_found_or_made_again() {
    let folder = tempdir().unwrap();
    let build = folder.path().join("build");
    let mut store = ReleaseStore::open(&build, options()).unwrap();
    let files = site([("index.html", "hello")]);
    publish(&mut store, &files).unwrap();

    for n in 0..4 {
        let files = site([("index.html", n.to_string().as_str())]);
        publish(&mut store, &files).unwrap();
    }
    fs::remove_file(build.join("current")).unwrap();
    store.catch_up().unwrap();
    assert_eq!(served(&build), site([("index.html", "3")]));
    publish(&mut store, &files).unwrap();
    assert_eq!(served(&build), files);

    fs::remove_dir_all(build.join("current").canonicalize().unwrap()).unwrap();
    store.catch_up().unwrap();
    publish(&mut store, &files).unwrap();
    assert_eq!(served(&build), files);
    let audit = ReleaseStore::open(&build, options()).unwrap().audit().unwrap();
    assert_eq!(audit.flaws, []);

    fs::remove_dir_all(&build).unwrap();
    store.catch_up().unwrap();
    publish(&mut store, &files).unwrap();
    assert_eq!(served(&build), files);
}
