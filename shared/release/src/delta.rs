//! The difference between a release and the one before it.
//!
//! A delta names, for each path that changed, the entry before and after. So it can be walked in both directions, and a
//! tree can be brought from any release to any other without a full manifest.

use microblog_domain::{FilePath, ReleaseId};

use crate::codec::{self, CodecError, Magic, Reader, Writer};
use crate::entry::Entry;
use crate::release::Release;

const MAGIC: Magic = *b"mbdelta1";

/// What became of one path. At least one side is there, and they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: FilePath,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

impl Change {
    /// Whether the file has other bytes afterwards; if not, only what it was made from has changed.
    pub(crate) fn touches_bytes(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => !before.same_bytes(after),
            _ => true,
        }
    }
}

/// A release as the difference from the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) release: Release,
    /// Sorted by path.
    pub(crate) changes: Vec<Change>,
}

impl Delta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut payload = Writer::default();
        self.release.write(&mut payload);
        payload.number(self.changes.len() as u64);
        let mut path_before = "";
        for change in &self.changes {
            payload.path(change.path.as_str(), path_before);
            path_before = change.path.as_str();
            payload.number(u64::from(change.before.is_some()) | u64::from(change.after.is_some()) << 1);
            for entry in [&change.before, &change.after].into_iter().flatten() {
                entry.write(&mut payload);
            }
        }
        codec::seal(MAGIC, &payload.into_bytes())
    }

    pub(crate) fn decode(file: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(codec::unseal(MAGIC, file)?);
        let release = Release::read(&mut reader)?;
        let count = reader.number()?;
        let mut changes = Vec::new();
        let mut path = Vec::new();
        for _ in 0..count {
            reader.path(&mut path)?;
            let sides = reader.number()?;
            changes.push(Change {
                path: codec::file_path(&path)?,
                before: (sides & 1 != 0).then(|| Entry::read(&mut reader)).transpose()?,
                after: (sides & 2 != 0).then(|| Entry::read(&mut reader)).transpose()?,
            });
        }
        Ok(Self { release, changes })
    }

    pub(crate) fn id(&self) -> ReleaseId {
        self.release.id
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::{ContentHash, Fingerprint};

    use super::*;
    use crate::release::Origin;

    fn entry(text: &str) -> Entry {
        Entry { content: ContentHash::of(text.as_bytes()), size: 7, fingerprint: Fingerprint::of(text.as_bytes()) }
    }

    #[test]
    fn a_delta_comes_back_as_it_was_written() {
        let change = |path: &str, before: Option<&str>, after: Option<&str>| Change {
            path: path.parse().unwrap(),
            before: before.map(entry),
            after: after.map(entry),
        };
        let delta = Delta {
            release: Release { id: ReleaseId(7), origin: Origin::RolledBackTo(ReleaseId(3)), ..Release::nothing() },
            changes: vec![
                change("a/index.html", None, Some("new")),
                change("a/other.html", Some("old"), None),
                change("b", Some("old"), Some("new")),
            ],
        };
        assert_eq!(Delta::decode(&delta.encode()), Ok(delta));
    }
}
