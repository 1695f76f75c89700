//! The store's folder and what belongs in it:
//!
//! | name | what |
//! |---|---|
//! | `current` | symbolic link to the live tree: what readers are served |
//! | `trees/0` … | complete trees of hard links |
//! | `objects/ab/…` | the files of all kept releases |
//! | `m/` | manifests: a base now and then, a delta for each release |
//! | `st/` | states, as targets of symbolic links: of each tree, `oldest`, `swept`, `owner`, `boot`, and `writing` while somebody writes |
//! | `tmp/` | what is not in its place yet |
//! | `lock` | held by whoever changes the store |

use std::cmp::Reverse;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::chain;
use crate::disk::{self, Disk, Made};
use crate::error::{Error, Result};
use crate::tree::{self, TreeState};
use microblog_domain::ReleaseId;

/// The link that readers follow.
pub(crate) const CURRENT: &str = "current";
/// It, before it is renamed to its place.
pub(crate) const NEXT: &str = "current.next";
/// Names the oldest release that one can go back to.
pub(crate) const OLDEST: &str = "st/oldest";
/// There while objects are left that only releases before the oldest name: those before this one were seen to.
pub(crate) const SWEPT: &str = "st/swept";
/// Names the installation that builds here.
pub(crate) const OWNER: &str = "st/owner";
/// Names the start of the machine that the states were written in.
pub(crate) const BOOT: &str = "st/boot";
/// There while somebody changes the store; still there means interrupted.
pub(crate) const WRITING: &str = "st/writing";

/// The folders of a store.
const FOLDERS: [&str; 5] = ["objects", "tmp", "trees", "m", "st"];

/// Makes the folder if it is missing, and refuses one that holds something else.
pub(crate) fn claim(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| match disk::errno(&error) {
        reason @ (Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
            Error::NotWritable { doing: "make the folder", place: folder.to_owned(), reason }
        }
        reason => Error::Io { doing: "make the folder", place: folder.to_owned(), reason },
    })?;
    let names = std::fs::read_dir(folder).map_err(|error| disk::outside("list", folder, &error))?;
    let names = names.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    // Every fresh file system has a `lost+found`.
    let mut names: Vec<String> = names.filter(|name| name != "lost+found").collect();
    names.sort();
    match names.first() {
        Some(found) if !is_store(&names) => Err(Error::NotAStore { folder: folder.to_owned(), found: found.clone() }),
        _ => Ok(()),
    }
}

/// Whether a folder with these names was made by this crate. Some people remove a file called `lock`.
fn is_store(names: &[String]) -> bool {
    let has = |name: &&str| names.iter().any(|found| found == name);
    has(&"lock") || ["m", "objects", "trees"].iter().all(has)
}

/// Makes what is missing of the store's own folders, at least so many trees, and `current`. Tells how many trees there
/// are. A store that has all of it is not touched.
pub(crate) fn furnish(disk: &Disk, trees: usize) -> Result<usize> {
    for folder in FOLDERS {
        if disk.stat(folder)?.is_none() {
            disk.make_folder(folder)?;
        }
    }
    let count = furnish_trees(disk, trees)?;
    furnish_current(disk, count)?;
    Ok(count)
}

/// A tree that has to be made anew holds nothing of what its state says.
fn furnish_trees(disk: &Disk, least: usize) -> Result<usize> {
    let mut count = 0;
    loop {
        if disk.stat(&tree::folder(count))?.is_none() {
            if count >= least {
                return Ok(count);
            }
            disk.remove(&format!("st/{count}"))?;
            disk.make_folder(&tree::folder(count))?;
        }
        count += 1;
    }
}

/// In a new store the empty site is live. Where the link is lost, or the tree behind it, readers get the newest release
/// that a tree still holds.
fn furnish_current(disk: &Disk, trees: usize) -> Result<()> {
    let states = (0..trees).map(|tree| tree::read_state(disk, tree)).collect::<Result<Vec<_>>>()?;
    let target = disk.read_link(CURRENT)?;
    let is_live = |tree: usize| target.as_deref() == Some(tree::folder(tree).as_str());
    let is_lost = |(tree, state): (usize, &TreeState)| is_live(tree) && *state == TreeState::Unknown;
    let lost = states.iter().enumerate().position(|(tree, state)| is_lost((tree, state)));
    match lost {
        None if target.is_some() => return Ok(()),
        Some(live) if !is_empty(disk, &tree::folder(live))? => return number_anew(disk, live),
        _ => {}
    }
    let held = states.iter().enumerate().filter_map(|(tree, state)| match state {
        TreeState::Clean(id) => Some((*id, Reverse(tree))),
        TreeState::Dirty { .. } | TreeState::Unknown => None,
    });
    match held.max() {
        Some((id, Reverse(newest))) => {
            chain::forget_after(disk, id)?;
            tree::replace_link(disk, &tree::folder(newest), CURRENT)
        }
        None => begin_anew(disk, trees),
    }
}

/// Readers see a tree of which nobody knows which release it is, as its state was lost: it gets a number that no earlier
/// release had. What it holds is found out by reading it, since no manifest is left.
fn number_anew(disk: &Disk, live: usize) -> Result<()> {
    let newest = chain::newest(disk)?;
    chain::forget_after(disk, ReleaseId(0))?;
    tree::write_state(disk, live, TreeState::Clean(newest.next()))
}

/// No tree holds a release, and none is empty but those that were just made: the empty site is live in one of them.
fn begin_anew(disk: &Disk, trees: usize) -> Result<()> {
    for tree in 0..trees {
        if is_empty(disk, &tree::folder(tree))? {
            chain::forget_after(disk, ReleaseId(0))?;
            disk.remove(OLDEST)?;
            disk.remove(SWEPT)?;
            if !is_empty(disk, "objects")? {
                mark(disk)?;
            }
            tree::write_state(disk, tree, TreeState::Clean(ReleaseId(0)))?;
            return tree::replace_link(disk, &tree::folder(tree), CURRENT);
        }
    }
    Ok(())
}

/// Marks the store as being changed. If the mark is still there later, something was interrupted, and whoever has the
/// right to change the store repairs it first.
pub(crate) fn mark(disk: &Disk) -> Result<()> {
    let made = disk.symlink("1", WRITING)?;
    debug_assert!(made != Made::Missing, "furnished when opened");
    Ok(())
}

/// Whether something is missing without which nothing can be published: somebody removed it under an open store.
pub(crate) fn lacks_something(disk: &Disk, live_tree: usize, live: ReleaseId) -> Result<bool> {
    for folder in FOLDERS.into_iter().chain([tree::folder(live_tree).as_str()]) {
        if disk.stat(folder)?.is_none() {
            return Ok(true);
        }
    }
    lacks_content(disk, live)
}

/// Whether a store with a live release has no objects any more, or no manifests.
pub(crate) fn lacks_content(disk: &Disk, live: ReleaseId) -> Result<bool> {
    Ok(live != ReleaseId(0) && (is_empty(disk, "objects")? || is_empty(disk, "m")?))
}

fn is_empty(disk: &Disk, folder: &str) -> Result<bool> {
    let Some(mut names) = disk.open_listing(folder)? else { return Ok(true) };
    Ok(disk.next_item(&mut names)?.is_none())
}

/// Hard links do not cross file systems, so nothing in the store may be mounted from elsewhere.
pub(crate) fn check_one_file_system(disk: &Disk, trees: usize) -> Result<()> {
    let device = disk.stat(".")?.map(|stat| stat.device);
    for name in FOLDERS.map(str::to_owned).into_iter().chain((0..trees).map(tree::folder)) {
        if disk.stat(&name)?.map(|stat| stat.device) != device {
            return Err(Error::OtherFileSystem { place: disk.place(&name), folder: disk.path().to_owned() });
        }
    }
    Ok(())
}

/// What tells this start of the machine from others; nothing where the system does not say.
pub(crate) fn boot_id() -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open("/proc/sys/kernel/random/boot_id", flags, Mode::empty()).ok()?;
    let mut text = [0; 36];
    rustix::io::read(&file, &mut text).ok()?;
    String::from_utf8(text.to_vec()).ok()
}
