//! Any sequence of operations does what a simple model in memory does, byte for byte.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use microblog_domain::ReleaseId;
use microblog_release::{Committed, Error, Options, ReleaseStore, Tidied};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::site::{Site, checks, options, page, path, served};

/// Some of these exclude others: a path is a file or a folder.
const PATHS: [&str; 10] = [
    "index.html",
    "a",
    "a/b",
    "a/b/c",
    "d/e/index.html",
    "d/f",
    "g/h/i/j",
    "g/h.xml",
    // Where the compressed sibling of the first would lie.
    "index.html.gz",
    "index.html.gz/k",
];
/// So many more paths, in folders of a few.
const MANY: usize = 140;

fn path_of(number: usize) -> String {
    PATHS.get(number).map_or_else(|| format!("many/{}/{number}.html", number % 9), |path| (*path).to_owned())
}

/// The last two are worth compressing.
static TEXTS: LazyLock<[String; 6]> = LazyLock::new(|| {
    let large = |content: &str| format!("<z>{}</z>", content.repeat(500));
    let small = str::to_owned;
    [small("<x/>"), small("<y/>"), small("<longer>text</longer>"), small(""), large("one "), large("two ")]
});

#[derive(Debug, Clone)]
enum Step {
    /// Puts or removes some files, and publishes.
    Publish(Vec<(usize, Option<usize>)>),
    /// Puts or removes more files than are seen to at once.
    PublishMany(Option<usize>),
    RollBack(u64),
    Prune(usize),
    Abandon(usize, usize),
    /// With so many answers that it may go on.
    Tidy(u64),
    Reopen(usize, u64),
}

fn patience() -> impl Strategy<Value = u64> {
    prop_oneof![0..6_u64, 0..40_u64, Just(u64::MAX)]
}

fn step() -> impl Strategy<Value = Step> {
    let file = (0..PATHS.len(), proptest::option::weighted(0.7, 0..TEXTS.len()));
    prop_oneof![
        6 => proptest::collection::vec(file, 1..5).prop_map(Step::Publish),
        1 => proptest::option::weighted(0.7, 0..3_usize).prop_map(Step::PublishMany),
        2 => (0..8_u64).prop_map(Step::RollBack),
        1 => (1..5_usize).prop_map(Step::Prune),
        1 => (0..PATHS.len(), 0..TEXTS.len()).prop_map(|(path, text)| Step::Abandon(path, text)),
        3 => patience().prop_map(Step::Tidy),
        1 => (1..5_usize, patience()).prop_map(|(keep, patience)| Step::Reopen(keep, patience)),
    ]
}

/// What the store should be.
struct Model {
    releases: BTreeMap<u64, Site>,
    keep: usize,
}

impl Model {
    fn live(&self) -> (u64, &Site) {
        let (id, site) = self.releases.last_key_value().unwrap();
        (*id, site)
    }

    fn add(&mut self, site: Site) {
        self.releases.insert(self.live().0 + 1, site);
        self.releases.remove(&0);
        self.keep_only(self.keep);
    }

    fn keep_only(&mut self, keep: usize) {
        while self.releases.len() > keep {
            self.releases.pop_first();
        }
    }
}

/// Whether the site can be: no file lies below another, and its feeds can be parsed.
fn is_possible(site: &Site) -> bool {
    let clash = |path: &String| site.keys().any(|other| other.starts_with(&format!("{path}/")));
    !site.keys().any(clash) && site.get("g/h.xml").is_none_or(|text| !text.is_empty())
}

fn publish(store: &mut ReleaseStore, model: &mut Model, files: &[(usize, Option<usize>)]) {
    let mut site = model.live().1.clone();
    let is_written_badly = files.iter().any(|(path, text)| path_of(*path) == "g/h.xml" && *text == Some(3));
    let draft = store.draft(checks()).unwrap();
    for (name, text) in files {
        if let Some(text) = text {
            draft.put(&path(&path_of(*name)), page(&TEXTS[*text])).unwrap();
            site.insert(path_of(*name), TEXTS[*text].clone());
        } else {
            draft.remove(&path(&path_of(*name))).unwrap();
            site.remove(&path_of(*name));
        }
    }
    match draft.verify() {
        Err(Error::Rejected(_)) => assert!(is_written_badly || !is_possible(&site)),
        Err(error) => panic!("{error}"),
        Ok(verified) => {
            assert!(is_possible(&site));
            match verified.commit().unwrap() {
                Committed::Unchanged(id) => assert_eq!((id.0, &site), model.live()),
                Committed::Activated(_) => model.add(site),
            }
        }
    }
}

fn roll_back(store: &mut ReleaseStore, model: &mut Model, steps: u64) {
    let (live, site) = model.live();
    let to = live.saturating_sub(steps);
    let outcome = store.roll_back(ReleaseId(to));
    match model.releases.get(&to).filter(|_| to > 0).cloned() {
        None => assert!(matches!(outcome, Err(Error::UnknownRelease { .. }))),
        Some(target) if target == *site => assert_eq!(outcome.unwrap(), Committed::Unchanged(ReleaseId(live))),
        Some(target) => {
            assert!(matches!(outcome.unwrap(), Committed::Activated(_)));
            model.add(target);
        }
    }
}

/// Tidies until it has asked so many times whether to go on; nothing that is there afterwards may be wrong.
fn tidy(store: &mut ReleaseStore, patience: u64) {
    let asked = AtomicU64::new(0);
    let tidied = store.tidy(&|| asked.fetch_add(1, Ordering::SeqCst) < patience).unwrap();
    assert_eq!(tidied == Tidied::BrokenOff, asked.into_inner() > patience);
    assert_eq!(store.audit().unwrap().flaws, []);
}

fn check(store: &mut ReleaseStore, folder: &std::path::Path, model: &Model) {
    let (live, site) = model.live();
    assert_eq!(served(folder), *site);
    assert_eq!(store.live().map_or(0, |release| release.id.0), live);
    let kept: Vec<u64> = store.releases().unwrap().iter().rev().map(|release| release.id.0).collect();
    let expected: Vec<u64> = model.releases.keys().copied().filter(|id| *id > 0).collect();
    assert_eq!(kept, expected);
    let totals = store.manifest().release().totals;
    assert_eq!(totals.files, site.len() as u64);
    assert_eq!(totals.bytes, site.values().map(|text| text.len() as u64).sum::<u64>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(
        is_always_far in any::<bool>(),
        steps in proptest::collection::vec((0..2_usize, step()), 1..40),
    ) {
        let far = if is_always_far { 0 } else { options().far };
        let options = || Options { far, ..options() };
        let folder = tempdir().unwrap();
        let mut model = Model { releases: BTreeMap::from([(0, Site::new())]), keep: 5 };
        // Two that take turns, as two processes would.
        let mut stores = [(); 2].map(|()| ReleaseStore::open(folder.path(), options()).unwrap());
        for (turn, step) in steps {
            let store = &mut stores[turn];
            match step {
                Step::Publish(files) => publish(store, &mut model, &files),
                Step::PublishMany(text) => {
                    let files: Vec<_> = (PATHS.len()..PATHS.len() + MANY).map(|path| (path, text)).collect();
                    publish(store, &mut model, &files);
                }
                Step::RollBack(steps) => roll_back(store, &mut model, steps),
                Step::Prune(keep) => {
                    store.prune(keep).unwrap();
                    model.keep_only(keep);
                }
                Step::Abandon(name, text) => {
                    let draft = store.draft(checks()).unwrap();
                    draft.put(&path(PATHS[name]), page(&TEXTS[text])).unwrap();
                }
                Step::Tidy(patience) => {
                    tidy(store, patience);
                    model.keep_only(model.keep);
                }
                Step::Reopen(keep, patience) => {
                    for store in &mut stores {
                        *store = ReleaseStore::open(folder.path(), Options { keep, ..options() }).unwrap();
                    }
                    // What is kept is adapted when something changes.
                    tidy(&mut stores[turn], patience);
                    model.keep = keep;
                    model.keep_only(keep);
                }
            }
            check(&mut stores[turn], folder.path(), &model);
        }
        prop_assert_eq!(stores[0].audit().unwrap().flaws, []);
    }
}
