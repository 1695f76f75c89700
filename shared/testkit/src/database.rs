//! A database for one test.

use std::path::{Path, PathBuf};

use microblog_domain::{DatabaseUrl, Role, Timestamp};
use microblog_store::Store;
use microblog_store::users::{self, NewUser, User};
use tempfile::TempDir;

use crate::postgres::Database;

/// A temporary folder in memory if the system has a place for that, else on disk: for tests that sync thousands of times.
#[must_use]
pub fn fast_folder(prefix: &str) -> TempDir {
    let in_memory = TempDir::with_prefix_in(prefix, "/dev/shm");
    in_memory.or_else(|_| TempDir::with_prefix(prefix)).expect("a temporary folder")
}

/// Which kind of database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file in a folder of its own.
    Sqlite,
    /// A database on a real server.
    Postgres,
}

/// Makes a test for each kind of database of functions that take one.
#[macro_export]
macro_rules! on_every_database {
    [$($name:ident),+ $(,)?] => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::DatabaseKind::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::DatabaseKind::Postgres).await;
            })+
        }
    };
}

/// An empty database with the schema in place. It vanishes when it is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    store: Store,
    place: Place,
}

/// What was in a database once.
#[derive(Debug)]
pub struct Backup(Database);

#[derive(Debug)]
enum Place {
    Folder(TempDir),
    Server(Database),
}

impl Place {
    async fn new(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::Folder(TempDir::with_prefix("microblog-test-").expect("a temporary folder")),
            DatabaseKind::Postgres => Self::Server(Database::new().await),
        }
    }

    fn url(&self) -> DatabaseUrl {
        match self {
            Self::Folder(folder) => DatabaseUrl::Sqlite(file_in(folder.path())),
            Self::Server(database) => DatabaseUrl::Postgres(database.url()),
        }
    }
}

impl TestDatabase {
    /// Makes one in a SQLite file.
    pub async fn new() -> Self {
        Self::of(DatabaseKind::Sqlite).await
    }

    /// Makes one on a PostgreSQL server.
    pub async fn postgres() -> Self {
        Self::of(DatabaseKind::Postgres).await
    }

    /// Makes one of this kind.
    pub async fn of(kind: DatabaseKind) -> Self {
        Self::at(Place::new(kind).await).await
    }

    /// Makes one in a SQLite file in this folder.
    pub async fn in_folder(folder: TempDir) -> Self {
        Self::at(Place::Folder(folder)).await
    }

    async fn at(place: Place) -> Self {
        let store = Store::open(&place.url()).await.expect("a fresh database");
        Self { store, place }
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

    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind {
        match self.place {
            Place::Folder(_) => DatabaseKind::Sqlite,
            Place::Server(_) => DatabaseKind::Postgres,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        self.place.url()
    }

    /// Its file.
    ///
    /// # Panics
    /// When it is not in a file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => file_in(folder.path()),
            Place::Server(_) => panic!("a database on a server has no file"),
        }
    }

    /// Keeps a copy of everything that is in it now.
    ///
    /// # Panics
    /// When it is not on a server.
    pub async fn back_up(&self) -> Backup {
        match &self.place {
            Place::Folder(_) => panic!("only servers copy a database while it is used"),
            Place::Server(database) => Backup(database.copy().await),
        }
    }

    /// Puts the copy in the place of what is in it now, under whoever uses it.
    ///
    /// # Panics
    /// When it is not on a server.
    pub async fn restore(&self, backup: &Backup) {
        match &self.place {
            Place::Folder(_) => panic!("only servers copy a database while it is used"),
            Place::Server(database) => database.become_copy_of(&backup.0).await,
        }
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
