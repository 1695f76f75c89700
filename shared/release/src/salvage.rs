//! When manifests or objects are lost: what is live is still there to be read, file by file.
//!
//! The live tree becomes its own manifest, and its files the objects. What pages were made from and what there was before can not be known, so the
//! next build makes every page anew and there is nothing to go back to; readers notice nothing.

use std::collections::{HashMap, HashSet};
use std::fs::File;

use jiff::Timestamp;
use microblog_domain::{FilePath, Fingerprint, ReleaseId};
use rayon::prelude::*;
use rustix::fs::FileType;

use crate::base::Base;
use crate::chain;
use crate::codec;
use crate::disk::{self, Disk};
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::layout;
use crate::objects;
use crate::release::{Origin, Release, Totals};
use crate::sibling;
use crate::tree;

/// Writes a manifest of what the live tree holds.
pub(crate) fn salvage(disk: &Disk, live_tree: usize, live: ReleaseId, now: Timestamp) -> Result<()> {
    // What only lost manifests name is removed by the repair.
    layout::mark(disk)?;
    let folder = tree::folder(live_tree);
    let files = read_files(disk, &folder, paths(disk, &folder)?)?;
    let mut totals = Totals::default();
    files.iter().for_each(|(path, entry)| totals.add(path.as_str(), entry));
    let release = Release {
        id: live,
        activated_at: now,
        origin: Origin::Mended,
        totals,
        changed: totals.files,
        stamp: now.as_second(),
    };
    let_go_of_history(disk, live)?;
    chain::write_base(disk, live, &Base::encode(&release, files.into_iter()))?;
    disk.sync_all()
}

/// Offers nothing but the live release from now on.
pub(crate) fn let_go_of_history(disk: &Disk, live: ReleaseId) -> Result<()> {
    tree::replace_link(disk, &live.to_string(), layout::OLDEST)?;
    disk.remove(layout::SWEPT)
}

/// Every file below a folder, sorted by path.
fn paths(disk: &Disk, root: &str) -> Result<Vec<FilePath>> {
    let mut paths = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for item in disk.list(&folder)?.unwrap_or_default() {
            let place = format!("{folder}/{}", item.name);
            if item.kind == FileType::Directory {
                open.push(place);
            } else if let Ok(path) = codec::file_path(&place.as_bytes()[root.len() + 1..]) {
                paths.push(path);
            }
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// What every file is. What is nothing but the compression of the file beside it is left out.
fn read_files(disk: &Disk, folder: &str, paths: Vec<FilePath>) -> Result<Vec<(FilePath, Entry)>> {
    let all: HashSet<String> = paths.iter().map(ToString::to_string).collect();
    let is_beside_another = |path: &FilePath| sibling::source(path.as_str()).is_some_and(|source| all.contains(source));
    let (beside, plain): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_beside_another);
    let mut files = read_all(disk, folder, plain)?;
    let entries: HashMap<&str, &Entry> = files.iter().map(|(path, entry)| (path.as_str(), entry)).collect();
    let mut others = Vec::new();
    for path in beside {
        let place = format!("{folder}/{path}");
        let source = sibling::source(path.as_str()).and_then(|source| Some((source, entries.get(source)?)));
        match source.filter(|(_, entry)| is_sibling(disk, &place, entry)) {
            Some((source, entry)) => {
                tree::link_with_folders(disk, &place, &ObjectName::of(source, &entry.content).sibling_place())?;
            }
            None => others.push(path),
        }
    }
    files.extend(read_all(disk, folder, others)?);
    files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

fn read_all(disk: &Disk, folder: &str, paths: Vec<FilePath>) -> Result<Vec<(FilePath, Entry)>> {
    paths.into_par_iter().map(|path| read_file(disk, folder, path)).collect()
}

fn is_sibling(disk: &Disk, place: &str, source: &Entry) -> bool {
    let file = disk.open_file(place).ok().flatten();
    file.is_some_and(|file| sibling::is_copy_of(file, source).unwrap_or(false))
}

/// What a file is, with its object made sure of.
fn read_file(disk: &Disk, folder: &str, path: FilePath) -> Result<(FilePath, Entry)> {
    let place = format!("{folder}/{path}");
    let mut file: File =
        disk.open_file(&place)?.ok_or_else(|| disk.failed("open", &place, rustix::io::Errno::NOENT))?;
    let (content, size) = objects::hash(&mut file).map_err(|error| disk.failed("read", &place, disk::errno(&error)))?;
    let object = ObjectName::of(path.as_str(), &content).place();
    tree::link_with_folders(disk, &place, &object)?;
    Ok((path, Entry { content, size, fingerprint: Fingerprint::default() }))
}
