//! A database for one test.

use std::path::{Path, PathBuf};

use microblog_domain::{DatabaseUrl, Role, Timestamp};
use microblog_store::Store;
use microblog_store::users::{self, NewUser, User};
use tempfile::TempDir;

/// A temporary folder in memory if the system has a place for that, else on disk: for tests that sync thousands of times.
#[must_use]
pub fn fast_folder(prefix: &str) -> TempDir {
    let in_memory = TempDir::with_prefix_in(prefix, "/dev/shm");
    in_memory.or_else(|_| TempDir::with_prefix(prefix)).expect("a temporary folder")
}

/// An empty database in a folder of its own, with the schema in place. Both vanish when it is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    store: Store,
    folder: TempDir,
}

impl TestDatabase {
    /// Makes one.
    pub async fn new() -> Self {
        Self::in_folder(TempDir::with_prefix("microblog-test-").expect("a temporary folder")).await
    }

    /// Makes one in this folder.
    pub async fn in_folder(folder: TempDir) -> Self {
        let store = Store::open(&DatabaseUrl::Sqlite(file_in(folder.path()))).await.expect("a fresh database");
        Self { store, folder }
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The database once more, as another process would open it.
    pub async fn open_again(&self) -> Store {
        Store::open(&self.url()).await.expect("the database that was just made")
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.path())
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        file_in(self.folder.path())
    }

    /// Adds a user with a password hash that no password fits.
    pub async fn user(&self, name: &str, role: Role) -> User {
        let new = NewUser { name: name.to_owned(), password_hash: "!".to_owned(), role };
        let mut tx = self.store.begin().await.expect("a transaction");
        let user = users::create(&mut tx, &new, Timestamp::UNIX_EPOCH).await.expect("a name that is not taken");
        tx.commit().await.expect("a commit");
        user
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("microblog.db")
}
