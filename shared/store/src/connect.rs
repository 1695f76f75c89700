//! Opening the database, and the two ways to use it: [`Reader`] and [`Transaction`].

use std::fs::{DirBuilder, OpenOptions};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use microblog_domain::DatabaseUrl;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions as _, Connection as _};

use crate::error::StoreError;
use crate::{dialect, migrate};

/// A connection that may read. [`Reader`] and [`Transaction`] both turn into one.
pub type Connection = AnyConnection;

/// As many pages as readers ask for at once are few; each connection costs a thread and its cache.
const READERS: u32 = 4;
/// Longer than any transaction of ours; who waits longer is told so rather than kept.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// The database: many readers, one writer.
///
/// SQLite lets one connection write at a time. Writers queue here, in order, instead of trying against each other
/// there; readers have connections of their own and never wait for a writer.
#[derive(Debug, Clone)]
pub struct Store {
    writer: AnyPool,
    readers: AnyPool,
}

/// How many connections there are and do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections that are doing something for somebody.
    pub used: u32,
    /// Open connections that wait for work.
    pub idle: u32,
    /// How many there may be.
    pub max: u32,
}

impl Store {
    /// Opens the database, makes it if it is missing, and brings its schema up to date.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        install_default_drivers();
        let DatabaseUrl::Sqlite(path) = url;
        make_private_file(path)?;
        let options = options(path)?;
        prepare(&options, path).await?;
        Ok(Self {
            writer: pool(1, options.clone(), dialect::SET_UP_WRITER),
            readers: pool(READERS, options, dialect::SET_UP_READER),
        })
    }

    /// Takes a connection that reads. Two statements may see two states; see [`Store::snapshot`].
    pub async fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(self.readers.acquire().await?))
    }

    /// Begins to read one unchanging state of the whole database. To be kept short: what is overwritten meanwhile can
    /// not be cleared away.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot(self.readers.begin().await?))
    }

    /// Begins to write. Nothing is kept unless [`Transaction::commit`] is called.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction(self.writer.begin_with(dialect::BEGIN_WRITE).await?))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT value FROM counters WHERE name = 'change'").fetch_one(&self.readers).await?;
        Ok(())
    }

    /// How busy the connections are.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let open = self.writer.size() + self.readers.size();
        let idle = u32::try_from(self.writer.num_idle() + self.readers.num_idle()).unwrap_or(open).min(open);
        PoolUse { used: open - idle, idle, max: READERS + 1 }
    }

    /// Finishes what is under way and closes all connections, which folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A connection that reads.
#[derive(Debug)]
pub struct Reader(PoolConnection<Any>);

/// One unchanging state of the database.
#[derive(Debug)]
pub struct Snapshot(sqlx::Transaction<'static, Any>);

/// A change in the making: all of it is kept, or nothing.
#[derive(Debug)]
pub struct Transaction(sqlx::Transaction<'static, Any>);

impl Transaction {
    /// Keeps what was done. When this returns, it survives a power cut.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }

    /// Forgets what was done. Dropping does the same, a little later.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        Ok(self.0.rollback().await?)
    }
}

macro_rules! is_a_connection {
    ($($name:ty),+) => {$(
        impl Deref for $name {
            type Target = Connection;
            fn deref(&self) -> &Connection {
                &self.0
            }
        }
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Connection {
                &mut self.0
            }
        }
    )+};
}
is_a_connection!(Reader, Snapshot, Transaction);

fn options(path: &Path) -> Result<AnyConnectOptions, StoreError> {
    let options: AnyConnectOptions = driver_address(path)?.parse()?;
    Ok(options.disable_statement_logging())
}

/// The file as the driver reads it. With everything escaped, the path has no parts that a parser of addresses could
/// take for a host, lower-case or shorten, nor for the name of a database in memory.
fn driver_address(path: &Path) -> Result<String, StoreError> {
    let failed = || StoreError::CanNotOpen { path: path.to_owned(), reason: "its path is not UTF-8".to_owned() };
    let path = path.to_str().ok_or_else(failed)?;
    Ok(format!("sqlite:{}", utf8_percent_encode(path, NON_ALPHANUMERIC)))
}

fn pool(size: u32, options: AnyConnectOptions, set_up: &'static str) -> AnyPool {
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        // A file does not hang up: nothing is gained by asking first or by opening it anew.
        .test_before_acquire(false)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(set_up).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options)
}

/// The file holds password hashes: only its owner may read it, and a folder made for it. SQLite gives its companions the
/// same permissions.
fn make_private_file(path: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::CanNotOpen { path: path.to_owned(), reason: error.to_string() };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map(drop).map_err(failed)
}

/// Checks the file with a connection of its own: a pool would try a broken one over and over.
async fn prepare(options: &AnyConnectOptions, path: &Path) -> Result<(), StoreError> {
    let open = async {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(dialect::SET_UP_WRITER).execute(&mut connection).await?;
        Ok::<_, sqlx::Error>(connection)
    };
    let mut connection = open.await.map_err(|error| match error {
        error if dialect::is_not_a_database(&error) => StoreError::NotADatabase { path: path.to_owned() },
        error => error.into(),
    })?;
    migrate::up(&mut connection).await?;
    Ok(connection.close().await?)
}
