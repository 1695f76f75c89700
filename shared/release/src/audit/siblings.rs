//! Compressed siblings in an audit: whether they hold what they should, and taking away those that do not.

use super::Flaw;
use crate::chain;
use crate::disk::{self, Disk};
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::reconcile;
use crate::sibling;
use crate::store::ReleaseStore;
use crate::tree::{self, TreeState};

/// Whether an object's sibling, if it has one, decompresses to the object.
pub(super) fn is_right(disk: &Disk, object: ObjectName, entry: &Entry) -> Result<bool> {
    let place = object.sibling_place();
    let Some(file) = disk.open_file(&place)? else { return Ok(true) };
    sibling::is_copy_of(file, entry).map_err(|error| disk.failed("read", &place, disk::errno(&error)))
}

/// Takes away the siblings that an audit found to be wrong, wherever they have a name.
pub(super) fn mend(store: &mut ReleaseStore, flaws: &[Flaw]) -> Result<()> {
    for flaw in flaws {
        match flaw {
            Flaw::Sibling { path, content } => {
                let object = ObjectName::of(path.as_str(), content);
                remove_everywhere(store, path.as_str(), &object.sibling_place())?;
            }
            Flaw::StraySiblings { tree, .. } => remove_strays(store, *tree)?,
            Flaw::File { .. } | Flaw::LiveTree { .. } | Flaw::StandbyTree { .. } => {}
        }
    }
    Ok(())
}

fn remove_everywhere(store: &mut ReleaseStore, path: &str, place: &str) -> Result<()> {
    let Some(wrong) = store.disk.stat(place)? else { return Ok(()) };
    for (number, held) in store.view.trees.iter_mut().enumerate() {
        let name = sibling::name(&format!("{}/{path}", tree::folder(number)));
        if store.disk.stat(&name)?.is_some_and(|found| found.inode == wrong.inode) {
            store.disk.remove(&name)?;
            held.lacking.touch(path);
        }
    }
    store.disk.remove(place)
}

fn remove_strays(store: &mut ReleaseStore, tree: usize) -> Result<()> {
    let TreeState::Clean(release) = store.view.trees[tree].state else { return Ok(()) };
    let plan = reconcile::plan(&store.disk, tree, &chain::load(&store.disk, release)?)?;
    plan.remove_strays(&store.disk, tree)?;
    plan.paths().for_each(|path| store.view.trees[tree].lacking.touch(path));
    Ok(())
}
