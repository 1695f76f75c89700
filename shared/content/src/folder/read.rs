//! Reading the file of one post, within limits, and finding its text again later.

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use microblog_domain::{ContentHash, Post, PostContent, PostId, PostStatus, Version};

use super::state::FileState;
use super::{PostFile, Resource};
use crate::MAX_FILE_BYTES;
use crate::post::{self, Reading};
use crate::problem::{FileProblem, Reason};

/// A post that came from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePost {
    /// The file, relative to the folder.
    pub path: PathBuf,
    /// The same for the same path, so that builds are reproducible.
    pub id: PostId,
    /// What the author wrote.
    pub content: PostContent,
    /// Draft, scheduled or published.
    pub status: PostStatus,
    /// When it was last changed, if the file says so.
    pub updated_at: Option<Timestamp>,
    /// Where its text stands, for a caller that drops it and asks [`ContentFolder::read_text`](super::ContentFolder) later.
    pub text: TextLocation,
    /// The files that belong beside its page.
    pub resources: Vec<Resource>,
}

impl FilePost {
    /// The post. One that does not say when it was changed was changed when it was published; a page that says neither
    /// was changed at the epoch, since what the disk says differs from one copy of the folder to the next.
    #[must_use]
    pub fn into_post(self) -> Post {
        let updated_at = self.updated_at.or(self.content.published_at).unwrap_or(Timestamp::UNIX_EPOCH);
        Post { id: self.id, content: self.content, status: self.status, updated_at, version: Version(1) }
    }
}

/// Where the text of a post stands in its file, and which state of the file that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLocation {
    range: Range<usize>,
    state: FileState,
}

/// Fetches the text of a post again; one that was changed since is a problem, as it may no longer fit its front matter.
pub(super) fn read_again(source: &Path, text: &TextLocation) -> Result<String, Reason> {
    let (mut file, state) = read_text(source)?;
    let is_whole = |file: &str| file.get(text.range.clone()).is_some();
    if state != text.state || !is_whole(&file) {
        return Err(Reason::Changed);
    }
    file.truncate(text.range.end);
    file.drain(..text.range.start);
    Ok(file)
}

/// Reads one post of a folder.
pub(super) fn read_post(root: &Path, file: &PostFile, reading: &Reading) -> Result<FilePost, FileProblem> {
    let source = root.join(&file.path);
    let (text, state) = read_text(&source).map_err(|reason| FileProblem::new(&file.path, reason))?;
    let parsed = post::parse(&text, &file.path, reading)?;
    Ok(FilePost {
        path: file.path.clone(),
        id: id_of(&file.path),
        content: parsed.content,
        status: parsed.status,
        updated_at: parsed.updated_at,
        text: TextLocation { range: parsed.body, state },
        resources: file.resources.clone(),
    })
}

fn id_of(path: &Path) -> PostId {
    let hash = ContentHash::of(path.as_os_str().as_encoded_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    PostId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The text of a file, never more of it than a post may have.
fn read_text(path: &Path) -> Result<(String, FileState), Reason> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Reason::NotAFile);
    }
    let too_large = |bytes| Reason::TooLarge { bytes, limit: MAX_FILE_BYTES };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let count = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if count as u64 > MAX_FILE_BYTES {
        return Err(too_large(count as u64));
    }
    let text =
        String::from_utf8(bytes).map_err(|error| Reason::NotUtf8 { offset: error.utf8_error().valid_up_to() })?;
    Ok((text, FileState::of(&metadata)))
}
