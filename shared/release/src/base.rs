//! A full manifest: every file of one release, sorted and front-coded, searched as it lies on disk.
//!
//! 132,000 files take 8 MB, in memory as on disk, and nothing is decoded until it is asked for. Every sixteenth path is
//! written in full, so that a search jumps there and reads at most fifteen more.

use microblog_domain::{FilePath, ReleaseId};

use crate::codec::{self, CodecError, Magic, Reader, Writer};
use crate::entry::Entry;
use crate::release::Release;

const MAGIC: Magic = *b"mbbase-1";
const BLOCK: usize = 16;

/// The manifest of one release, complete in itself.
#[derive(Debug)]
pub(crate) struct Base {
    release: Release,
    entries: Vec<u8>,
    /// Where each block begins in `entries`.
    blocks: Vec<usize>,
}

impl Base {
    /// The manifest of the empty site.
    pub(crate) fn empty() -> Self {
        Self { release: Release::nothing(), entries: Vec::new(), blocks: Vec::new() }
    }

    pub(crate) fn id(&self) -> ReleaseId {
        self.release.id
    }

    pub(crate) fn release(&self) -> &Release {
        &self.release
    }

    /// How many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.entries.len()
    }

    /// Writes the files of a release, which must come sorted by path.
    pub(crate) fn encode(release: &Release, files: impl Iterator<Item = (FilePath, Entry)>) -> Vec<u8> {
        let mut entries = Writer::default();
        let mut blocks = Vec::new();
        let mut before = String::new();
        for (index, (path, entry)) in files.enumerate() {
            if index % BLOCK == 0 {
                blocks.push(entries.len());
                before.clear();
            }
            entries.path(path.as_str(), &before);
            entry.write(&mut entries);
            before.clear();
            before.push_str(path.as_str());
        }
        codec::seal(MAGIC, &payload(release, &blocks, entries))
    }

    /// Reads what [`Base::encode`] wrote.
    pub(crate) fn decode(file: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(codec::unseal(MAGIC, file)?);
        let release = Release::read(&mut reader)?;
        let block_count = reader.size()?;
        let mut blocks = Vec::new();
        let mut at = 0_usize;
        for _ in 0..block_count {
            at = at.checked_add(reader.size()?).ok_or(CodecError::Content)?;
            blocks.push(at);
        }
        let entry_bytes = reader.size()?;
        let entries = reader.take(entry_bytes)?.to_vec();
        if blocks.last().is_some_and(|last| *last >= entries.len()) {
            return Err(CodecError::Content);
        }
        Ok(Self { release, entries, blocks })
    }

    /// The entry of a path.
    pub(crate) fn get(&self, path: &str) -> Option<Entry> {
        let after = self.blocks.partition_point(|at| self.block_begins_at_or_before(*at, path));
        let start = *self.blocks.get(after.checked_sub(1)?)?;
        let mut cursor = Cursor::new(&self.entries[start..]);
        for _ in 0..BLOCK {
            let entry = cursor.advance().ok()??;
            match cursor.path.as_slice().cmp(path.as_bytes()) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Some(entry),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }

    /// All files, sorted by path, from the first that is not before `start`.
    pub(crate) fn iter_from(&self, start: &str) -> Files<'_> {
        let after = self.blocks.partition_point(|at| self.block_begins_at_or_before(*at, start));
        let at = after.checked_sub(1).and_then(|block| self.blocks.get(block)).copied().unwrap_or(0);
        Files { cursor: Cursor::new(&self.entries[at..]), start: start.to_owned() }
    }

    fn block_begins_at_or_before(&self, at: usize, path: &str) -> bool {
        let mut first = Vec::new();
        Reader::new(&self.entries[at..]).path(&mut first).is_ok() && first.as_slice() <= path.as_bytes()
    }
}

fn payload(release: &Release, blocks: &[usize], entries: Writer) -> Vec<u8> {
    let mut payload = Writer::default();
    release.write(&mut payload);
    payload.number(blocks.len() as u64);
    let mut before = 0;
    for at in blocks {
        payload.number((at - before) as u64);
        before = *at;
    }
    payload.number(entries.len() as u64);
    payload.raw(&entries.into_bytes());
    payload.into_bytes()
}

/// Walks the entries of a base.
struct Cursor<'a> {
    reader: Reader<'a>,
    path: Vec<u8>,
}

impl<'a> Cursor<'a> {
    fn new(entries: &'a [u8]) -> Self {
        Self { reader: Reader::new(entries), path: Vec::new() }
    }

    fn advance(&mut self) -> Result<Option<Entry>, CodecError> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        self.reader.path(&mut self.path)?;
        Entry::read(&mut self.reader).map(Some)
    }
}

/// The files of a base, in order. Ends early at an entry that can not be read: the seal has already vouched for them.
pub(crate) struct Files<'a> {
    cursor: Cursor<'a>,
    start: String,
}

impl Iterator for Files<'_> {
    type Item = (FilePath, Entry);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.cursor.advance().ok()??;
            if self.cursor.path.as_slice() >= self.start.as_bytes() {
                return Some((codec::file_path(&self.cursor.path).ok()?, entry));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::{ContentHash, Fingerprint};

    use super::*;

    fn files(count: usize) -> Vec<(FilePath, Entry)> {
        let file = |n: usize| {
            let path = format!("{:03}/post-{n}/index.html", n / 7);
            let entry = Entry {
                content: ContentHash::of(path.as_bytes()),
                size: n as u64,
                fingerprint: Fingerprint::of(path.as_bytes()),
            };
            (path.parse().unwrap(), entry)
        };
        let mut files: Vec<_> = (0..count).map(file).collect();
        files.sort();
        files
    }

    impl PartialOrd for Entry {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Ord for Entry {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.content.cmp(&other.content)
        }
    }

    #[test]
    fn every_file_is_found_and_no_other() {
        for count in [0, 1, 15, 16, 17, 500] {
            let files = files(count);
            let base = Base::decode(&Base::encode(&Release::nothing(), files.iter().cloned())).unwrap();
            assert_eq!(base.iter_from("").collect::<Vec<_>>(), files);
            for (index, (path, entry)) in files.iter().enumerate() {
                assert_eq!(base.get(path.as_str()), Some(*entry));
                assert_eq!(base.get(&format!("{path}x")), None);
                assert_eq!(base.iter_from(path.as_str()).collect::<Vec<_>>(), files[index..]);
            }
            assert_eq!((base.get(""), base.get("zzz")), (None, None));
        }
    }
}
