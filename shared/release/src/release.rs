//! What is known about one release: its number, its time, how it came about, how large it is.

use jiff::Timestamp;
use microblog_domain::ReleaseId;

use crate::codec::{CodecError, Reader, Writer};
use crate::entry::Entry;

/// One release, as `list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub id: ReleaseId,
    /// When it was made live.
    pub activated_at: Timestamp,
    /// How it came about.
    pub origin: Origin,
    /// What it holds.
    pub totals: Totals,
    /// How many files differ from the release before it.
    pub changed: u64,
    /// The second that its new files carry as their time stamp; no two releases share one, so that no two contents of
    /// a file share an `ETag`.
    pub stamp: i64,
}

/// How a release came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From a draft.
    Built,
    /// By going back: it holds what the named release held.
    RolledBackTo(ReleaseId),
    /// By mending: it owns up to files whose bytes were lost.
    Mended,
}

impl Origin {
    fn write(self, to: &mut Writer) {
        let (kind, id) = match self {
            Self::Built => (0, 0),
            Self::RolledBackTo(id) => (1, id.0),
            Self::Mended => (2, 0),
        };
        to.number(kind);
        to.number(id);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        match (from.number()?, from.number()?) {
            (0, 0) => Ok(Self::Built),
            (1, id) => Ok(Self::RolledBackTo(ReleaseId(id))),
            (2, 0) => Ok(Self::Mended),
            _ => Err(CodecError::Content),
        }
    }
}

/// How much a release holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Files of any kind.
    pub files: u64,
    /// HTML pages among them.
    pub pages: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Totals {
    /// Counts a file in.
    pub(crate) fn add(&mut self, path: &str, entry: &Entry) {
        self.files += 1;
        self.pages += u64::from(is_page(path));
        self.bytes += entry.size;
    }

    /// Counts a file out.
    pub(crate) fn subtract(&mut self, path: &str, entry: &Entry) {
        self.files = self.files.saturating_sub(1);
        self.pages = self.pages.saturating_sub(u64::from(is_page(path)));
        self.bytes = self.bytes.saturating_sub(entry.size);
    }
}

/// Whether a path is an HTML page.
pub(crate) fn is_page(path: &str) -> bool {
    path.ends_with(".html")
}

impl Release {
    /// The empty site that every store begins with; never listed, never gone back to.
    pub(crate) fn nothing() -> Self {
        Self {
            id: ReleaseId(0),
            activated_at: Timestamp::UNIX_EPOCH,
            origin: Origin::Built,
            totals: Totals::default(),
            changed: 0,
            stamp: 0,
        }
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.number(self.id.0);
        to.raw(&self.activated_at.as_millisecond().to_le_bytes());
        to.raw(&self.stamp.to_le_bytes());
        self.origin.write(to);
        for number in [self.totals.files, self.totals.pages, self.totals.bytes, self.changed] {
            to.number(number);
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let id = ReleaseId(from.number()?);
        let milliseconds = i64::from_le_bytes(from.array()?);
        let stamp = i64::from_le_bytes(from.array()?);
        let origin = Origin::read(from)?;
        Ok(Self {
            id,
            activated_at: Timestamp::from_millisecond(milliseconds).map_err(|_| CodecError::Content)?,
            origin,
            totals: Totals { files: from.number()?, pages: from.number()?, bytes: from.number()? },
            changed: from.number()?,
            stamp,
        })
    }
}
