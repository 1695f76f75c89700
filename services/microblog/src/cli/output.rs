//! A folder that holds a whole site, of `build` or `releases copy`: written beside its place, put there in one step, never
//! put over what neither of them made, and left alone when it is what would be built.

mod desk;

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use microblog_content::OUTPUT_MARKER;
use microblog_domain::FilePath;
use rayon::prelude::*;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use self::desk::Desk;

const MARKER_TEXT: &str =
    "This folder was made by `microblog build` or `microblog releases copy`, which replace it as a whole.\n";

/// A folder that is being written. Dropping it leaves the place as it was.
pub(crate) struct Output {
    /// Where the site belongs.
    place: PathBuf,
    /// Where it is being written: a hidden folder beside the place, on the same file system.
    desk: Desk,
}

/// A moment as a file system counts it: seconds and nanoseconds.
pub(crate) type FileTime = (i64, i64);

impl Output {
    /// Finds out whether the place may be taken, and makes room to write beside it. The site is made from `sources`, which
    /// must not go away with what was in the place before.
    pub(crate) fn prepare(place: &Path, sources: &[&Path]) -> anyhow::Result<Self> {
        let place = resolved(place).with_context(|| format!("the output folder {}", place.display()))?;
        refuse_foreign(&place)?;
        refuse_to_lose(&place, sources)?;
        let parent = place.parent().context("the output folder can not be the root of the file system")?.to_owned();
        let hint = || format!("can not write in {}; choose another folder", parent.display());
        fs::create_dir_all(&parent).with_context(hint)?;
        let desk = Desk::make_in(&parent).with_context(hint)?;
        let output = Self { place, desk };
        fs::create_dir(output.site()).with_context(hint)?;
        output.mark(None).with_context(hint)?;
        Ok(output)
    }

    /// Where the site belongs.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// When the writing began, by the clock of the file system.
    pub(crate) fn began(&self) -> io::Result<FileTime> {
        Ok(changed(&self.site().join(OUTPUT_MARKER).metadata()?))
    }

    /// What was noted by those who made the folder, if nobody touched it since.
    pub(crate) fn note(&self) -> Option<String> {
        let marker = self.place.join(OUTPUT_MARKER);
        let note = fs::read_to_string(&marker).ok()?.lines().nth(1)?.to_owned();
        let written_last = changed(&marker.metadata().ok()?);
        is_untouched(&self.place, written_last).ok()?.then_some(note)
    }

    /// Makes the folder recognisable. The marker is the last file that is written.
    fn mark(&self, note: Option<&str>) -> io::Result<()> {
        let note = note.map(|note| format!("{note}\n")).unwrap_or_default();
        fs::write(self.site().join(OUTPUT_MARKER), format!("{MARKER_TEXT}{note}"))
    }

    fn site(&self) -> PathBuf {
        self.desk.path().join("site")
    }

    /// Where a file is while the site is being written.
    pub(crate) fn file(&self, path: &FilePath) -> PathBuf {
        self.site().join(path)
    }

    /// Writes one file.
    pub(crate) fn write(&self, path: &FilePath, content: &[u8]) -> io::Result<()> {
        with_parent(&self.site().join(path), |target| File::create(target)?.write_all(content))
    }

    /// Copies one file, over one that was written before.
    pub(crate) fn copy(&self, source: &Path, path: &FilePath) -> io::Result<()> {
        with_parent(&self.site().join(path), |target| io::copy(&mut File::open(source)?, &mut File::create(target)?))
            .map(|_| ())
    }

    /// Copies one file with its time, by which `rsync` and servers tell whether it has changed.
    pub(crate) fn copy_with_time(&self, source: &Path, path: &FilePath) -> io::Result<()> {
        with_parent(&self.site().join(path), |target| {
            let (mut from, mut to) = (File::open(source)?, File::create(target)?);
            io::copy(&mut from, &mut to)?;
            to.set_modified(from.metadata()?.modified()?)
        })
    }

    /// Makes a second name for a file, where the file system can.
    pub(crate) fn link(&self, source: &Path, path: &FilePath) -> io::Result<()> {
        with_parent(&self.site().join(path), |target| fs::hard_link(source, target))
    }

    /// Puts what was written into its place, with a note of one line for those who come next.
    pub(crate) fn replace(self, note: Option<&str>) -> io::Result<Replaced> {
        let site = self.site();
        self.mark(note)?;
        match fs::rename(&site, &self.place) {
            Err(error) if is_occupied(&error) => self.exchange(&site)?,
            done => done?,
        }
        Ok(Replaced { _desk: self.desk })
    }

    fn exchange(&self, site: &Path) -> io::Result<()> {
        if renameat_with(CWD, site, CWD, &self.place, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
        // A file system that can not exchange: for a moment the place is empty.
        let old = self.desk.path().join("old");
        fs::rename(&self.place, &old)?;
        fs::rename(site, &self.place).inspect_err(|_| {
            let _ = fs::rename(&old, &self.place);
        })
    }
}

/// The site that was there before. Dropping it clears it away, which can take longer than the build did.
#[must_use]
pub(crate) struct Replaced {
    _desk: Desk,
}

/// When the file system last counted a change of a file.
fn changed(metadata: &Metadata) -> FileTime {
    (metadata.ctime(), metadata.ctime_nsec())
}

/// Whether neither the files of a folder nor its list of names changed after this moment. Moving a folder as a whole is
/// no change of it.
fn is_untouched(folder: &Path, since: FileTime) -> io::Result<bool> {
    let names_changed = |metadata: &Metadata| (metadata.mtime(), metadata.mtime_nsec()) > since;
    if names_changed(&folder.metadata()?) {
        return Ok(false);
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => folders.push(entry.path()),
            kind if kind.is_file() && changed(&entry.metadata()?) <= since => {}
            _ => return Ok(false),
        }
    }
    folders.par_iter().map(|folder| is_untouched(folder, since)).try_reduce(|| true, |all, one| Ok(all && one))
}

fn is_occupied(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// The place itself, where a link leads to it.
fn resolved(place: &Path) -> io::Result<PathBuf> {
    match place.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && place.is_symlink() => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "it is a link that leads to nothing; remove it, or make the folder that it names",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(place),
        found => found,
    }
}

/// Nobody's files are thrown away: a place is free, empty, or carries our mark.
fn refuse_foreign(place: &Path) -> anyhow::Result<()> {
    let mut entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("the output folder {}", place.display())),
    };
    let place_of = place.display();
    if place.join(".git").exists() {
        bail!("{place_of} is the root of a Git repository, which would be replaced as well; choose a folder within it");
    }
    if entries.next().is_none() || place.join(OUTPUT_MARKER).is_file() {
        return Ok(());
    }
    bail!(
        "{place_of} holds files that neither a build nor a copy made (there is no {OUTPUT_MARKER}); choose a new or \
         empty folder"
    );
}

/// What is in the place is replaced as a whole, whatever was put there since.
fn refuse_to_lose(place: &Path, sources: &[&Path]) -> anyhow::Result<()> {
    let is_inside = |source: &&&Path| source.canonicalize().is_ok_and(|source| source.starts_with(place));
    if let Some(source) = sources.iter().find(is_inside) {
        bail!(
            "{} lies in the output folder {}, which is replaced as a whole; choose another output folder",
            source.display(),
            place.display()
        );
    }
    Ok(())
}

/// Makes the parent only when it turns out to be missing: nearly all files have one already.
fn with_parent<T>(target: &Path, act: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    match act(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            act(target)
        }
        done => done,
    }
}
