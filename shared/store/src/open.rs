//! Opening the database: a SQLite file that is made if it is missing, or a PostgreSQL server that must be there.
//!
//! What is wrong is found out by a connection of its own (`server.rs`), which also brings the schema up to date.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use microblog_domain::{DatabaseUrl, PostgresUrl};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::sync::Mutex;

use crate::connect::{Connection, Store};
use crate::dialect::postgres::Session;
use crate::dialect::{Dialect, sqlite};
use crate::error::StoreError;
use crate::migrate;
use crate::server::Server;

/// As many pages of a SQLite file as readers ask for at once are few; each connection costs a thread and its cache.
const SQLITE_READERS: u32 = 4;
/// Longer than any transaction of ours; who waits longer is told so rather than kept.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);
/// A server answers a question that asks nothing sooner, or the connection is not worth waiting for.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);

/// How a server is used. A SQLite file needs none of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerOptions {
    /// How many connections there may be, at least 2: half of them read, and from 4 on, one only counts requests.
    pub max_connections: u32,
    /// How long a connection may take to be made or to become free.
    pub connect_timeout: Duration,
    /// How long a statement may take.
    pub statement_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

impl Store {
    /// Opens the database, makes it if it is a file and missing, and brings its schema up to date.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Self::open_with(url, ServerOptions::default()).await
    }

    /// Does the same, with the server used in another way.
    pub async fn open_with(url: &DatabaseUrl, options: ServerOptions) -> Result<Self, StoreError> {
        install_default_drivers();
        match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path).await,
            DatabaseUrl::Postgres(url) => open_postgres(url, options).await,
        }
    }
}

/// Which schema the database has, whose file must be there: 0 if it has none. Changes nothing.
///
/// # Errors
/// When this program can not use the database.
pub async fn schema_of(url: &DatabaseUrl, options: ServerOptions) -> Result<i64, StoreError> {
    install_default_drivers();
    let mut connection = match url {
        DatabaseUrl::Sqlite(path) => connect_sqlite(&sqlite_address(path)?, path).await?,
        DatabaseUrl::Postgres(url) => server_at(url).connect(options.connect_timeout).await?,
    };
    let schema = migrate::look(&mut connection).await?;
    connection.close().await?;
    Ok(schema)
}

async fn open_sqlite(path: &Path) -> Result<Store, StoreError> {
    make_private_file(path)?;
    let address = sqlite_address(path)?;
    prepare_sqlite(&address, path).await?;
    // A file does not hang up: nothing is gained by asking first or by opening it anew.
    let pool = |size, set_up: &str| {
        let options = pool_options(size, WAIT_FOR_CONNECTION, set_up.to_owned());
        let options = options.test_before_acquire(false).max_lifetime(None);
        options.after_release(|connection, _| Box::pin(is_at_rest(connection))).connect_lazy_with(address.clone())
    };
    Ok(Store {
        dialect: Dialect::Sqlite,
        writers: pool(1, sqlite::SET_UP_WRITER),
        readers: pool(SQLITE_READERS, sqlite::SET_UP_READER),
        counting: None,
        server: None,
    })
}

fn sqlite_address(path: &Path) -> Result<AnyConnectOptions, StoreError> {
    let address: AnyConnectOptions = sqlite::driver_address(path)?.parse()?;
    Ok(address.disable_statement_logging())
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

async fn prepare_sqlite(options: &AnyConnectOptions, path: &Path) -> Result<(), StoreError> {
    let mut connection = connect_sqlite(options, path).await?;
    migrate::up(&mut connection).await?;
    Ok(connection.close().await?)
}

async fn connect_sqlite(options: &AnyConnectOptions, path: &Path) -> Result<Connection, StoreError> {
    let open = async {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(sqlite::SET_UP_WRITER).execute(&mut connection).await?;
        Ok::<_, sqlx::Error>(connection)
    };
    open.await.map_err(|error| match error {
        error if sqlite::is_not_a_database(&error) => StoreError::NotADatabase { path: path.to_owned() },
        error => error.into(),
    })
}

fn server_at(url: &PostgresUrl) -> Server {
    Server { url: url.clone(), asking: Mutex::default() }
}

async fn open_postgres(url: &PostgresUrl, options: ServerOptions) -> Result<Store, StoreError> {
    let server = server_at(url);
    prepare_postgres(&server, options.connect_timeout).await?;
    let address = server.address()?;
    let pool = |size, is_reader| {
        let session = Session { statement_timeout: options.statement_timeout, is_reader };
        let pool = pool_options(size, options.connect_timeout, session.set_up());
        only_those_that_answer(pool).connect_lazy_with(address.clone())
    };
    let Shares { counting, writers, readers } = Shares::of(options.max_connections);
    Ok(Store {
        dialect: Dialect::Postgres,
        writers: pool(writers, false),
        readers: pool(readers, true),
        counting: counting.map(|size| pool(size, false)),
        server: Some(Arc::new(server)),
    })
}

async fn prepare_postgres(server: &Server, connect_timeout: Duration) -> Result<(), StoreError> {
    let mut connection = server.connect(connect_timeout).await?;
    migrate::up(&mut connection).await?;
    Ok(connection.close().await?)
}

/// How many connections are for what.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    /// Requests are counted before anything else is done for them: where there are enough, they do not queue behind those
    /// that save.
    counting: Option<u32>,
    writers: u32,
    readers: u32,
}

impl Shares {
    fn of(all: u32) -> Self {
        let counting = (all >= 4).then_some(1);
        let others = all.saturating_sub(counting.unwrap_or(0));
        let writers = (others / 2).max(1);
        Self { counting, writers, readers: others.saturating_sub(writers).max(1) }
    }
}

/// Throws connections away that a restarted server or a broken network left behind: before they are handed out, so that
/// it costs the next caller no error; and when they come back, so that they take no place. The driver asks, too, but waits
/// for the answer of a peer that is frozen without an end.
fn only_those_that_answer(pool: AnyPoolOptions) -> AnyPoolOptions {
    pool.test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(answers(connection)))
        .after_release(|connection, _| Box::pin(answers(connection)))
}

async fn answers(connection: &mut Connection) -> sqlx::Result<bool> {
    let asked = tokio::time::timeout(LONGEST_SILENCE, connection.ping()).await;
    asked.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())).map(|()| true)
}

/// A full disk lets SQLite undo a transaction by itself. The driver then fails to undo it, holds it for open for ever, and
/// the connection begins no other.
async fn is_at_rest(connection: &mut Connection) -> sqlx::Result<bool> {
    // By the answer, what was dropped is undone, or was tried to be.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// A pool whose connections are each set up by these statements.
fn pool_options(size: u32, wait: Duration, set_up: String) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(size).acquire_timeout(wait).after_connect(move |connection, _| {
        // The statements are the program's own.
        let set_up = AssertSqlSafe(set_up.clone());
        Box::pin(async move { sqlx::raw_sql(set_up).execute(connection).await.map(drop) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_and_never_more_than_there_may_be() {
        for (all, counting, writers, readers) in
            [(2, None, 1, 1), (3, None, 1, 2), (4, Some(1), 1, 2), (10, Some(1), 4, 5)]
        {
            assert_eq!(Shares::of(all), Shares { counting, writers, readers });
        }
    }
}
