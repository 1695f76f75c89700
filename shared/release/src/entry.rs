//! What a manifest knows about one file, and the name of the object that holds its bytes.

use std::fmt;

use microblog_domain::{ContentHash, Fingerprint};

use crate::codec::{CodecError, Reader, Writer};
use crate::sibling;

/// A file of a release: which bytes it has, and what they were made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The hash of its bytes.
    pub content: ContentHash,
    /// How many bytes it has.
    pub size: u64,
    /// What it was rendered from, as the builder reckons it.
    pub fingerprint: Fingerprint,
}

impl Entry {
    /// Whether both have the same bytes, whatever they were made from.
    #[must_use]
    pub fn same_bytes(&self, other: &Self) -> bool {
        self.content == other.content && self.size == other.size
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.raw(self.content.as_bytes());
        to.number(self.size);
        to.raw(self.fingerprint.as_bytes());
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            content: ContentHash::from_bytes(from.array()?),
            size: from.number()?,
            fingerprint: Fingerprint::from_bytes(from.array()?),
        })
    }
}

/// The object of one file: named by its path *and* its content.
///
/// By content alone, ten thousand equal redirect pages would be one inode, and ext4 allows 65,000 links to one. The path
/// also keeps time stamps honest: a file that gets its old bytes back gets its old time stamp back with them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectName(u128);

impl ObjectName {
    pub(crate) fn of(path: &str, content: &ContentHash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(content.as_bytes());
        hasher.update(path.as_bytes());
        let mut name = [0; 16];
        hasher.finalize_xof().fill(&mut name);
        Self(u128::from_be_bytes(name))
    }

    /// The object that a name below `objects/` stands for; nothing if it is no such name.
    pub(crate) fn parse(folder: &str, rest: &str) -> Option<Self> {
        let all_hex = rest.bytes().chain(folder.bytes()).all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if folder.len() != 2 || rest.len() != 30 || !all_hex {
            return None;
        }
        u128::from_str_radix(&format!("{folder}{rest}"), 16).ok().map(Self)
    }

    /// Where it lies, seen from the store's folder.
    pub(crate) fn place(self) -> String {
        let hex = format!("{:032x}", self.0);
        format!("objects/{}/{}", &hex[..2], &hex[2..])
    }

    /// Where the compressed sibling of the object lies, if it has one.
    pub(crate) fn sibling_place(self) -> String {
        sibling::name(&self.place())
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectName({:032x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_by_path_and_content() {
        let (one, two) = (ContentHash::of(b"1"), ContentHash::of(b"2"));
        assert_ne!(ObjectName::of("a", &one), ObjectName::of("b", &one));
        assert_ne!(ObjectName::of("a", &one), ObjectName::of("a", &two));
    }

    #[test]
    fn names_are_read_back_and_strangers_are_not() {
        let name = ObjectName::of("a", &ContentHash::of(b"1"));
        let place = name.place();
        let mut parts = place.split('/').skip(1);
        assert_eq!(ObjectName::parse(parts.next().unwrap(), parts.next().unwrap()), Some(name));
        assert_eq!(ObjectName::parse("ab", "README"), None);
        assert_eq!(ObjectName::parse("+a", &"0".repeat(30)), None);
    }
}
