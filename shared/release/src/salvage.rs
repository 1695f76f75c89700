//! When manifests are lost: what is live is still there to be read, file by file.
//!
//! The live tree becomes its own manifest. What pages were made from and what there was before can not be known, so the
//! next build makes every page anew and there is nothing to go back to; readers notice nothing.

use std::fs::File;

use jiff::Timestamp;
use microblog_domain::{FilePath, Fingerprint, ReleaseId};
use rayon::prelude::*;
use rustix::fs::FileType;

use crate::chain;
use crate::codec;
use crate::disk::{self, Disk};
use crate::entry::{Entry, ObjectName};
use crate::error::Result;
use crate::layout;
use crate::objects;
use crate::release::{Origin, Release, Totals};
use crate::tree;

/// Writes a manifest of what the live tree holds.
pub(crate) fn salvage(disk: &Disk, live_tree: usize, live: ReleaseId, now: Timestamp) -> Result<()> {
    let folder = tree::folder(live_tree);
    let read = |path: FilePath| read_file(disk, &folder, path);
    let files: Result<Vec<(FilePath, Entry)>> = paths(disk, &folder)?.into_par_iter().map(read).collect();
    let files = files?;
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
    chain::write_base(disk, &release, files.into_iter())
}

/// Offers nothing but the live release from now on.
pub(crate) fn let_go_of_history(disk: &Disk, live: ReleaseId) -> Result<()> {
    tree::replace_link(disk, &live.to_string(), layout::OLDEST)
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
