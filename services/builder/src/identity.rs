//! Who a builder is in the database, so that a process that is started again takes up at once what it was working on when
//! it was killed, and nobody ever takes the work of one that lives.
//!
//! A name alone proves nothing: two machines may have one settings file. So a random mark is added, which lies in a file
//! of the data folder; whoever holds the lock of that file is the one builder with this mark, and all before it are dead.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use microblog_domain::{BuildId, Timestamp};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Of the data folder.
const FOLDER: &str = "builders";
/// Letters of an id that are enough to tell builders apart.
const MARK: usize = 12;

/// A builder's own name.
#[derive(Debug, Clone)]
pub struct Identity {
    name: String,
    /// Locked for as long as the process lives; nothing for a name that ends with the process.
    lock: Option<Arc<File>>,
}

impl Identity {
    /// The identity that a builder of this name has in this data folder. If it can not have that, because another process
    /// has it or the folder can not be written, it gets one for this once: what it leaves when it is killed is then taken up
    /// when its lease is over.
    #[must_use]
    pub fn take(data: &Path, name: &str) -> Self {
        match locked(&data.join(FOLDER), name) {
            Ok(Some((file, mark))) => Self { name: format!("{name} {mark}"), lock: Some(Arc::new(file)) },
            Ok(None) => {
                tracing::info!(name, "another builder of this name uses the same data folder");
                Self::for_once(name)
            }
            Err(error) => {
                let folder = data.join(FOLDER);
                tracing::warn!(%error, folder = %folder.display(), "what this builder is called can not be kept");
                Self::for_once(name)
            }
        }
    }

    fn for_once(name: &str) -> Self {
        Self { name: format!("{name} {}", new_mark()), lock: None }
    }

    /// What it is called, and nobody else.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there may have been processes of this identity before. They are dead.
    pub(crate) const fn has_predecessors(&self) -> bool {
        self.lock.is_some()
    }
}

/// The file of this name, locked, and its mark, which is made if there is none; nothing if another process has it.
fn locked(folder: &Path, name: &str) -> io::Result<Option<(File, String)>> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join(name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-"));
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        // A file system without locks, say: the name would be nobody's own.
        Err(error) => return Err(error.into()),
    }
    let mut mark = String::new();
    file.read_to_string(&mut mark)?;
    if mark.len() != MARK {
        // Empty, or what a full disk has left of one.
        mark = new_mark();
        file.set_len(0)?;
        file.write_all(mark.as_bytes())?;
        file.sync_all()?;
    }
    Ok(Some((file, mark)))
}

/// Ids are random at their end.
fn new_mark() -> String {
    let id = BuildId::generate(Timestamp::UNIX_EPOCH).to_string();
    id[id.len().saturating_sub(MARK)..].to_owned()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_builder_that_is_started_again_is_the_same_and_two_that_live_are_not() {
        let (here, elsewhere) =
            (TempDir::with_prefix("microblog-").unwrap(), TempDir::with_prefix("microblog-").unwrap());
        let first = Identity::take(here.path(), "one:8001");
        let others = [Identity::take(here.path(), "one:8001"), Identity::take(elsewhere.path(), "one:8001")];
        assert!(others.iter().all(|other| other.name() != first.name()), "{first:?} {others:?}");
        assert!(first.has_predecessors() && !others[0].has_predecessors());
        let name = first.name().to_owned();
        drop(first);
        let again = Identity::take(here.path(), "one:8001");
        assert!(again.has_predecessors());
        assert_eq!(again.name(), name);
    }

    #[test]
    fn a_builder_whose_folder_can_not_be_written_has_a_name_all_the_same() {
        let folder = TempDir::with_prefix("microblog-").unwrap();
        std::fs::write(folder.path().join(FOLDER), "in the way").unwrap();
        let [one, two] = [(); 2].map(|()| Identity::take(folder.path(), "one"));
        assert!(!one.has_predecessors());
        assert_ne!(one.name(), two.name());
    }
}
