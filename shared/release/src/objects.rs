//! The files of all kept releases, each an object that is written once and never changed.
//!
//! Owns the folder `objects/`. An object that no kept release names is swept after an interruption, so a half-written
//! one can not stay; one that is there already is compared before it is used again.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;

use microblog_domain::{ContentHash, Fingerprint};
use rustix::fs::FileType;
use rustix::io::Errno;

use crate::disk::{self, Disk, Made};
use crate::entry::{Entry, ObjectName};
use crate::error::{Error, Result};
use crate::sibling;

/// How many bytes of a file are read at once.
const MOST_AT_ONCE: usize = 64 * 1024;
const LEAST_AT_ONCE: usize = 512;

/// How a file from elsewhere becomes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// By a hard link where that is possible: for files that nobody changes in place, such as stored uploads.
    Link,
    /// By a copy: for files that belong to somebody else.
    Copy,
}

/// Writes the bytes of one file. Tells whether an object was made; if not, it was there.
pub(crate) fn write(disk: &Disk, path: &str, content: &ContentHash, bytes: &[u8], stamp: i64) -> Result<bool> {
    let entry = (content, bytes.len() as u64);
    make(disk, path, entry, |place| disk.create(place, bytes, Some(stamp)))
}

/// Takes a file from elsewhere in. Tells whether an object was made; if not, it was there.
pub(crate) fn adopt(
    disk: &Disk,
    path: &str,
    source: &Path,
    (content, size): (&ContentHash, u64),
    how: Adopt,
    stamp: i64,
) -> Result<bool> {
    make(disk, path, (content, size), |place| match how {
        Adopt::Link => match disk.link_in(source, place) {
            Ok(()) => Ok(Made::New),
            Err(Errno::EXIST) => Ok(Made::Exists),
            Err(Errno::NOENT) => Ok(Made::Missing),
            // Another file system, too many links, or somebody else's file.
            Err(Errno::XDEV | Errno::MLINK | Errno::PERM | Errno::ACCESS) => disk.copy_in(source, place, stamp),
            Err(reason) => Err(disk.failed("link", place, reason)),
        },
        Adopt::Copy => disk.copy_in(source, place, stamp),
    })
}

fn make(
    disk: &Disk,
    path: &str,
    (content, size): (&ContentHash, u64),
    write: impl Fn(&str) -> Result<Made>,
) -> Result<bool> {
    let place = ObjectName::of(path, content).place();
    let mut made = write(&place)?;
    if made == Made::Missing {
        disk.make_folder(folder_of(&place))?;
        made = write(&place)?;
    }
    match made {
        Made::New => Ok(true),
        Made::Missing => Err(Error::Damaged { place: disk.place(&place), reason: "its folder is gone".to_owned() }),
        Made::Exists if damage_at(disk, &place, content, size)?.is_none() => Ok(false),
        Made::Exists => replace(disk, &place, write).map(|()| false),
    }
}

/// Puts a whole object in the place of a damaged one.
fn replace(disk: &Disk, place: &str, write: impl Fn(&str) -> Result<Made>) -> Result<()> {
    let draft = format!("tmp/{}", place.replace('/', "-"));
    disk.remove(&draft)?;
    write(&draft)?;
    disk.rename(&draft, place)
}

fn folder_of(place: &str) -> &str {
    place.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What is wrong with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is not there.
    Missing,
    /// It has other bytes than it should.
    Altered,
}

/// What is wrong with the object of a file, if anything is; reads all its bytes.
pub(crate) fn damage(disk: &Disk, path: &str, entry: &Entry) -> Result<Option<Damage>> {
    damage_at(disk, &ObjectName::of(path, &entry.content).place(), &entry.content, entry.size)
}

/// Gives a damaged object a second name, the one that its bytes deserve, and tells what it is; nothing if it is not there.
/// The name that it does not deserve goes with the releases that have it.
pub(crate) fn name_by_content(disk: &Disk, path: &str, expected: &Entry) -> Result<Option<Entry>> {
    let place = ObjectName::of(path, &expected.content).place();
    let Some(mut file) = disk.open_file(&place)? else { return Ok(None) };
    let (content, size) = hash(&mut file).map_err(|error| disk.failed("read", &place, disk::errno(&error)))?;
    if (content, size) == (expected.content, expected.size) {
        return Ok(Some(*expected));
    }
    let deserved = ObjectName::of(path, &content).place();
    disk.make_folder(folder_of(&deserved))?;
    disk.link(&place, &deserved)?;
    Ok(Some(Entry { content, size, fingerprint: Fingerprint::default() }))
}

fn damage_at(disk: &Disk, place: &str, content: &ContentHash, size: u64) -> Result<Option<Damage>> {
    let Some(mut file) = disk.open_file(place)? else { return Ok(Some(Damage::Missing)) };
    let found = hash_of_about(&mut file, size).map_err(|error| disk.failed("read", place, disk::errno(&error)))?;
    Ok((found != (*content, size)).then_some(Damage::Altered))
}

/// The hash and the size of what a reader gives, with bounded memory.
pub(crate) fn hash(from: &mut impl Read) -> io::Result<(ContentHash, u64)> {
    hash_of_about(from, MOST_AT_ONCE as u64)
}

/// As [`hash`], where the size is all but known: most files are far smaller than a buffer that suits large ones.
fn hash_of_about(from: &mut impl Read, size: u64) -> io::Result<(ContentHash, u64)> {
    let mut hasher = blake3::Hasher::new();
    let at_once = usize::try_from(size).unwrap_or(MOST_AT_ONCE).clamp(LEAST_AT_ONCE, MOST_AT_ONCE);
    let mut buffer = vec![0; at_once];
    let mut size = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((ContentHash::from_bytes(*hasher.finalize().as_bytes()), size)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes every object that is not named, with its sibling, and tells how many files that were.
pub(crate) fn sweep(disk: &Disk, named: &HashSet<ObjectName>) -> Result<u64> {
    let mut removed = 0;
    for folder in disk.list("objects")?.unwrap_or_default() {
        if folder.kind != FileType::Directory {
            continue;
        }
        let place = format!("objects/{}", folder.name);
        for object in disk.list(&place)?.unwrap_or_default() {
            let name = sibling::source(&object.name).unwrap_or(&object.name);
            let is_named = ObjectName::parse(&folder.name, name).is_some_and(|name| named.contains(&name));
            if !is_named {
                disk.remove(&format!("{place}/{}", object.name))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
