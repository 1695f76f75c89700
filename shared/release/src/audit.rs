//! Checking the whole store: every byte of every kept release, and every name of every tree.
//!
//! For the command line and for tests; the cost is that of reading the site. What was found can then be mended: wrong
//! names are put right, and where bytes are lost the manifest is made to tell the truth, so that the next build sees that
//! the page must be made again.

mod siblings;

use std::collections::BTreeMap;

use microblog_domain::{ContentHash, FilePath, ReleaseId};
use rayon::prelude::*;

use crate::activate;
use crate::chain;
use crate::compress;
use crate::delta::Change;
use crate::draft::Committed;
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::objects::{self, Damage};
use crate::reconcile;
use crate::release::{Origin, Release};
use crate::store::ReleaseStore;
use crate::tree::TreeState;

/// What an audit looked at, and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// How many different files of all kept releases were read.
    pub files: u64,
    /// What is not as it should be.
    pub flaws: Vec<Flaw>,
}

/// Something in the store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A file of a kept release is missing or altered.
    #[error("{path} of release {release} is damaged ({damage:?}); mend the store, then build")]
    File {
        /// The file.
        path: FilePath,
        /// A release that has it.
        release: ReleaseId,
        /// What is wrong.
        damage: Damage,
    },
    /// The live tree is not what its manifest says. Mending sends readers to another.
    #[error("{names} names of the live tree are wrong")]
    LiveTree {
        /// How many.
        names: usize,
    },
    /// A standby tree is not what it should be. Mending puts it right before it is used.
    #[error("{names} names of the standby tree {tree} are wrong")]
    StandbyTree {
        /// Which tree.
        tree: usize,
        /// How many.
        names: usize,
    },
    /// The compressed sibling of a file does not hold its bytes. Mending makes it anew.
    #[error("the compressed copy of {path} does not hold its bytes; mend the store")]
    Sibling {
        /// The file.
        path: FilePath,
        /// What it holds.
        content: ContentHash,
    },
    /// Files of a tree that look like compressed siblings are none. Mending makes them anew.
    #[error("{names} compressed copies in the tree {tree} belong to other files; mend the store")]
    StraySiblings {
        /// Which tree.
        tree: usize,
        /// How many.
        names: usize,
    },
}

impl Flaw {
    fn is_of_siblings(&self) -> bool {
        matches!(self, Self::Sibling { .. } | Self::StraySiblings { .. })
    }
}

impl ReleaseStore {
    /// Reads everything and compares it with the manifests. Publishing waits meanwhile.
    pub fn audit(&mut self) -> Result<Audit> {
        let right = self.exclusive()?;
        let (files, mut flaws) = audit_files(right.store)?;
        flaws.extend(audit_trees(right.store)?);
        Ok(Audit { files, flaws })
    }

    /// Mends what an audit found, as far as that is possible without a build. If the live release has damaged files, it
    /// makes a new one that says what they are now, so that the next build makes them anew. If any kept release has, the
    /// older ones are let go.
    pub fn mend(&mut self, flaws: &[Flaw]) -> Result<Committed> {
        let mut right = self.exclusive()?;
        right.begin()?;
        distrust_trees(right.store, flaws)?;
        let live_tree = right.store.view.live_tree;
        let is_live_damaged = flaws.iter().any(|flaw| matches!(flaw, Flaw::LiveTree { .. }));
        siblings::mend(right.store, flaws)?;
        let changes = own_up(right.store, flaws)?;
        let committed = if !changes.is_empty() {
            let delta = right.store.delta(changes, Origin::Mended);
            activate::activate(&mut right, delta).map(Committed::Activated)?
        } else {
            if is_live_damaged {
                activate::move_to_other_tree(right.store)?;
            }
            right.finish()?;
            Committed::Unchanged(right.store.view.live().id)
        };
        if is_live_damaged {
            activate::set_state(right.store, live_tree, TreeState::Unknown)?;
        }
        drop(right);
        // A release that has lost a file can not be gone back to, so it must not be offered.
        if flaws.iter().any(|flaw| matches!(flaw, Flaw::File { .. })) {
            self.prune(1)?;
        }
        if self.options.compress && flaws.iter().any(Flaw::is_of_siblings) {
            compress::fill(self, &|| true)?;
        }
        Ok(committed)
    }
}

/// The changes that make the manifest of the live release say what its damaged files really are.
fn own_up(store: &ReleaseStore, flaws: &[Flaw]) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for flaw in flaws {
        if let Flaw::File { path, .. } = flaw
            && let Some(before) = store.view.manifest.get(path.as_str())
        {
            let after = objects::name_by_content(&store.disk, path.as_str(), &before)?;
            if after != Some(before) {
                changes.push(Change { path: path.clone(), before: Some(before), after });
            }
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

/// Checks each object that a kept release names, once.
fn audit_files(store: &ReleaseStore) -> Result<(u64, Vec<Flaw>)> {
    let live = store.view.live().id;
    let mut files: BTreeMap<ObjectName, (FilePath, Entry, ReleaseId)> = BTreeMap::new();
    for id in chain::between(store.view.oldest, live) {
        for change in chain::read_delta(&store.disk, id)?.changes {
            if let Some(entry) = change.before {
                let before = ReleaseId(id.0 - 1);
                files.insert(ObjectName::of(change.path.as_str(), &entry.content), (change.path, entry, before));
            }
        }
    }
    for (path, entry) in &store.view.manifest {
        files.insert(ObjectName::of(path.as_str(), &entry.content), (path, entry, live));
    }
    let count = files.len() as u64;
    let check = |(object, (path, entry, release)): (ObjectName, (FilePath, Entry, ReleaseId))| {
        let damage = objects::damage(&store.disk, path.as_str(), &entry)?;
        if damage.is_none() && !siblings::is_right(&store.disk, object, &entry)? {
            return Ok(Some(Flaw::Sibling { path, content: entry.content }));
        }
        Ok(damage.map(|damage| Flaw::File { path, release, damage }))
    };
    let flaws: Result<Vec<Option<Flaw>>> = files.into_par_iter().map(check).collect();
    Ok((count, flaws?.into_iter().flatten().collect()))
}

fn audit_trees(store: &ReleaseStore) -> Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
    for (tree, held) in store.view.trees.iter().enumerate() {
        // The objects of a tree that lags behind further are gone; it is not compared before it is used, either.
        let TreeState::Clean(release) = held.state else { continue };
        if release < store.view.oldest {
            continue;
        }
        // The newest base may be newer than what the tree holds.
        let held = Release { id: release, ..store.view.live().clone() };
        let manifest = chain::load_earlier(&store.disk, store.view.live().id, held)?;
        let plan = reconcile::plan(&store.disk, tree, &manifest)?;
        let names = plan.wrong_names();
        if names > 0 && tree == store.view.live_tree {
            flaws.push(Flaw::LiveTree { names });
        } else if names > 0 {
            flaws.push(Flaw::StandbyTree { tree, names });
        }
        if !plan.strays.is_empty() {
            flaws.push(Flaw::StraySiblings { tree, names: plan.strays.len() });
        }
    }
    Ok(flaws)
}

/// Damage seldom comes alone: whatever was found, each standby tree is compared file by file before it is used.
fn distrust_trees(store: &mut ReleaseStore, flaws: &[Flaw]) -> Result<()> {
    if flaws.iter().all(|flaw| matches!(flaw, Flaw::Sibling { .. })) {
        return Ok(());
    }
    store.view.standby_trees().into_iter().try_for_each(|tree| activate::set_state(store, tree, TreeState::Unknown))
}
