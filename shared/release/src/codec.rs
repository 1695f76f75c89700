//! How manifests are written: numbers of variable length, front-coded paths, and a seal that shows damage.
//!
//! Owns bytes, not meaning; [`crate::base`] and [`crate::delta`] say what the bytes are.

use microblog_domain::FilePath;

const SEAL_BYTES: usize = 32;
const MAGIC_BYTES: usize = 8;

/// What kind of file it is; the last byte counts the versions of the format.
pub(crate) type Magic = [u8; MAGIC_BYTES];

/// The bytes are not what they should be: cut short, altered, or written by something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("it is not a file of this kind, or of a newer version of Microblog")]
    Magic,
    #[error("its checksum does not match its content")]
    Seal,
    #[error("its content makes no sense")]
    Content,
}

/// Frames a payload: magic, payload, checksum over both.
pub(crate) fn seal(magic: Magic, payload: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(MAGIC_BYTES + payload.len() + SEAL_BYTES);
    file.extend_from_slice(&magic);
    file.extend_from_slice(payload);
    file.extend_from_slice(blake3::hash(&file).as_bytes());
    file
}

/// Checks the frame and gives the payload.
pub(crate) fn unseal(magic: Magic, file: &[u8]) -> Result<&[u8], CodecError> {
    let body_bytes = file.len().checked_sub(SEAL_BYTES).ok_or(CodecError::Seal)?;
    let (body, seal) = file.split_at(body_bytes);
    let payload = body.strip_prefix(&magic).ok_or(CodecError::Magic)?;
    if blake3::hash(body).as_bytes() != seal {
        return Err(CodecError::Seal);
    }
    Ok(payload)
}

/// Appends to a payload.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the lowest first.
    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.bytes.push(value.to_le_bytes()[0]);
    }

    /// A path, without what it shares with the one before.
    pub(crate) fn path(&mut self, path: &str, before: &str) {
        let shared = path.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
        self.number(shared as u64);
        self.number((path.len() - shared) as u64);
        self.raw(&path.as_bytes()[shared..]);
    }
}

/// Reads a payload; every step fails rather than run past the end.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(CodecError::Content)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(CodecError::Content)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn number(&mut self) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Content)
    }

    pub(crate) fn size(&mut self) -> Result<usize, CodecError> {
        usize::try_from(self.number()?).map_err(|_| CodecError::Content)
    }

    /// Turns `path`, the one before, into the next.
    pub(crate) fn path(&mut self, path: &mut Vec<u8>) -> Result<(), CodecError> {
        let shared = self.size()?;
        let own = self.size()?;
        if shared > path.len() {
            return Err(CodecError::Content);
        }
        path.truncate(shared);
        path.extend_from_slice(self.take(own)?);
        Ok(())
    }
}

/// A stored path as a path of the site: stored bytes are as hostile as any others.
pub(crate) fn file_path(bytes: &[u8]) -> Result<FilePath, CodecError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CodecError::Content)?;
    text.parse().map_err(|_| CodecError::Content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_paths_come_back_as_they_went() {
        let mut writer = Writer::default();
        for number in [0, 127, 128, 300, u64::MAX] {
            writer.number(number);
        }
        writer.path("2026/11/a/index.html", "");
        writer.path("2026/11/b/index.html", "2026/11/a/index.html");
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        for number in [0, 127, 128, 300, u64::MAX] {
            assert_eq!(reader.number(), Ok(number));
        }
        let mut path = Vec::new();
        reader.path(&mut path).unwrap();
        reader.path(&mut path).unwrap();
        assert_eq!((path.as_slice(), reader.is_empty()), (b"2026/11/b/index.html".as_slice(), true));
    }

    #[test]
    fn any_damage_shows() {
        let file = seal(*b"mbtest-1", b"payload");
        assert_eq!(unseal(*b"mbtest-1", &file), Ok(b"payload".as_slice()));
        assert_eq!(unseal(*b"mbtest-2", &file), Err(CodecError::Magic));
        for at in 8..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(unseal(*b"mbtest-1", &damaged), Err(CodecError::Seal), "byte {at}");
            assert!(unseal(*b"mbtest-1", &file[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn nonsense_never_runs_past_the_end() {
        assert!(Reader::new(&[0xff; 20]).number().is_err());
        assert!(Reader::new(&[5, 1, b'a']).path(&mut Vec::new()).is_err());
        assert!(Reader::new(&[0, 200, 1]).path(&mut Vec::new()).is_err());
    }
}
