//! What a build was made from, noted in its output, so that a build with nothing to do does nothing.
//!
//! Only what is certain counts: every source file is in the state in which the last build met it, and no file of the
//! output was touched since. Whatever can not be told, as when a source file changed just then, is built.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use microblog_content::ContentFolder;
use microblog_domain::{Fingerprint, FingerprintBuilder};
use microblog_site::Site;

/// How coarse the clock of a file system may be: of two changes within this time, it may show only one.
const TICK: SignedDuration = SignedDuration::from_millis(20);

/// What a build left in its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// What it was made from, as text.
    pub(super) made_from: String,
    /// When the next scheduled post appears.
    pub(super) until: Option<Timestamp>,
    pub(super) posts: usize,
    pub(super) pages: usize,
    pub(super) files: usize,
    /// Compressed copies beside files.
    pub(super) compressed: usize,
}

/// The inputs of a build that begins at `now`: this program, settings, theme, what was chosen on the command line, and the state of every source file. `None`
/// if they can not be told for certain.
pub(super) fn made_from(site: &Site, folder: &ContentFolder, choices: [bool; 2], now: Timestamp) -> Option<String> {
    let state = folder.state().ok()?;
    if state.newest_change > now - TICK {
        return None;
    }
    let program = std::env::current_exe().and_then(|program| program.metadata()).ok()?;
    let built = program.modified().ok().and_then(|time| Timestamp::try_from(time).ok())?;
    let inputs = FingerprintBuilder::new()
        .number(program.len())
        .number(built.as_microsecond().cast_unsigned())
        .bytes(&choices.map(u8::from))
        .fingerprint(site.fingerprint())
        .fingerprint(state.fingerprint);
    Some(Fingerprint::to_string(&inputs.finish()))
}

impl Record {
    /// Whether a build from these inputs would make the same site again.
    pub(super) fn holds(&self, made_from: &str, now: Timestamp) -> bool {
        self.made_from == made_from && self.until.is_none_or(|until| now < until)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.map_or_else(|| "ever".to_owned(), |until| until.to_string());
        write!(f, "{} {until} {} {} {} {}", self.made_from, self.posts, self.pages, self.files, self.compressed)
    }
}

/// A line that no build wrote is no record.
#[derive(Debug)]
pub(crate) struct NoRecord;

impl FromStr for Record {
    type Err = NoRecord;

    fn from_str(line: &str) -> Result<Self, NoRecord> {
        let [made_from, until, posts, pages, files, compressed] =
            line.split(' ').collect::<Vec<_>>().try_into().map_err(|_| NoRecord)?;
        let number = |text: &str| text.parse().map_err(|_| NoRecord);
        let until = if until == "ever" { None } else { Some(until.parse().map_err(|_| NoRecord)?) };
        let made_from = made_from.to_owned();
        let (posts, pages, files) = (number(posts)?, number(pages)?, number(files)?);
        Ok(Self { made_from, until, posts, pages, files, compressed: number(compressed)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_anything_else_is_none() {
        for until in [None, Some("2026-11-20T17:00:00Z".parse().unwrap())] {
            let record = Record { made_from: "ab12".to_owned(), until, posts: 1, pages: 20, files: 3, compressed: 0 };
            assert_eq!(record.to_string().parse::<Record>().unwrap(), record);
        }
        for line in ["", "ab12", "ab12 ever 1 2 3 x", "ab12 soon 1 2 3 4", "ab12 ever 1 2 3 4 5"] {
            assert!(line.parse::<Record>().is_err(), "{line}");
        }
    }
}
