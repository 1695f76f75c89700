//! What the last build into a place was made from and what it said, kept in the user's cache folder, so that a build with
//! nothing to do says the same again and does nothing.
//!
//! Only what is certain counts: every source file is in the state in which the last build met it, and no file of the
//! output was touched since. Whatever can not be told, as when a source file changed just then, is built. The output
//! itself holds no more than a hash: what is in a record is the author's business, not the readers'.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use microblog_content::ContentFolder;
use microblog_domain::{ContentHash, FingerprintBuilder};
use microblog_site::Site;
use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::cli::output::FileTime;

/// Raised when records are written otherwise than before.
const EDITION: &str = "builds-1";

/// How coarse the clock of a file system may be, in nanoseconds: of two changes within this time, it may show only one.
const TICK: i128 = 20_000_000;
/// The same where times have no fractions.
const COARSE_TICK: i128 = 2_000_000_000;

/// What was chosen on the command line and shows in the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choices {
    /// Compressed copies are made.
    pub(super) compress: bool,
    /// Variants of pictures are made.
    pub(super) images: bool,
}

/// The inputs of a build that began at this time: this program, settings, theme, choices, and the state of every source
/// file. `None` if they can not be told for certain.
pub(super) fn made_from(site: &Site, folder: &ContentFolder, choices: Choices, began: FileTime) -> Option<String> {
    let state = folder.state().ok()?;
    if !is_past(state.newest_change, began) {
        return None;
    }
    let program = std::env::current_exe().and_then(|program| program.metadata()).ok()?;
    let built = program.modified().ok().and_then(|time| Timestamp::try_from(time).ok())?;
    let inputs = FingerprintBuilder::new()
        .number(program.len())
        .number(built.as_microsecond().cast_unsigned())
        .number(choices.compress.into())
        .number(choices.images.into())
        .fingerprint(site.fingerprint())
        .fingerprint(state.fingerprint);
    Some(inputs.finish().to_string())
}

/// Whether a change was so long ago that a later one would show another time.
fn is_past(change: FileTime, now: FileTime) -> bool {
    let nanoseconds = |(seconds, fraction): FileTime| i128::from(seconds) * 1_000_000_000 + i128::from(fraction);
    let tick = if change.1 == 0 { COARSE_TICK } else { TICK };
    nanoseconds(change) < nanoseconds(now) - tick
}

/// What a build leaves for the next one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) made_from: String,
    /// When the next scheduled post appears.
    pub(super) until: Option<Timestamp>,
    pub(super) summary: Summary,
}

impl Record {
    /// Whether a build from these inputs would make the same site again.
    pub(super) fn holds(&self, made_from: &str, now: Timestamp) -> bool {
        self.made_from == made_from && self.until.is_none_or(|until| now < until)
    }
}

/// The records of all places, one for each.
#[derive(Debug)]
pub(super) struct Records {
    folder: PathBuf,
}

impl Records {
    pub(super) fn within(cache: &Path) -> Self {
        Self { folder: cache.join(EDITION) }
    }

    pub(super) fn find(&self, place: &Path) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.file(place)).ok()?).ok()
    }

    pub(super) fn keep(&self, place: &Path, record: &Record) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let draft = tempfile::NamedTempFile::new_in(&self.folder)?;
        serde_json::to_writer(&draft, record)?;
        draft.persist(self.file(place))?;
        Ok(())
    }

    fn file(&self, place: &Path) -> PathBuf {
        self.folder.join(format!("{}.json", ContentHash::of(place.as_os_str().as_bytes()).short(32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_just_now_may_hide_another_one() {
        let now = (1_000, 500_000_000);
        for (change, past) in [
            ((1_000, 400_000_000), true),
            ((1_000, 490_000_000), false),
            ((1_001, 1), false),
            ((999, 0), false),
            ((998, 0), true),
        ] {
            assert_eq!(is_past(change, now), past, "{change:?}");
        }
    }
}
