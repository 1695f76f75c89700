//! The two ways to use the database: [`Reader`] and [`Transaction`]. How it is opened is in `open.rs`.

use std::future::Future;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool};

use crate::audit::{AuditLine, Kept, Pending};
use crate::decode::Columns as _;
use crate::dialect::{Dialect, has_undone};
use crate::error::StoreError;
use crate::server::Server;

/// Whoever asks how the database is waits for a second.
const PING: Duration = Duration::from_millis(900);
/// Longer than a server needs to come back after a restart, and shorter than people wait who watch it do so.
const PATIENCE: Duration = Duration::from_secs(8);

/// Does something for which nobody else sets a limit, such as the rounds of a task. A network can lose a connection
/// without telling either end; who waits for an answer then would wait for ever.
pub async fn in_time<T, E: From<StoreError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within(PATIENCE, work).await
}

/// The same for whoever asks how things are, and wants to hear soon that they are bad.
pub async fn in_a_moment<T, E: From<StoreError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within(PING, work).await
}

async fn within<T, E: From<StoreError>>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let late = |_| StoreError::Unavailable(io::Error::new(io::ErrorKind::TimedOut, "it does not answer").into());
    tokio::time::timeout(limit, work).await.map_err(late)?
}

/// A connection that may read. [`Reader`] and [`Transaction`] both turn into one.
pub type Connection = AnyConnection;

/// The database, with connections that read and connections that write.
///
/// SQLite lets one connection write at a time: writers queue here, in order, instead of trying against each other there.
/// PostgreSQL lets as many write as there are connections for it. On both, readers have connections of their own, so
/// that no reader waits for a writer.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) dialect: Dialect,
    pub(crate) writers: AnyPool,
    pub(crate) readers: AnyPool,
    pub(crate) counting: Option<AnyPool>,
    pub(crate) server: Option<Arc<Server>>,
}

/// How many connections there are and do something, of those that serve one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// What they are for: `write`, `read`, or `count` requests.
    pub pool: &'static str,
    /// Connections that are doing something for somebody.
    pub used: u32,
    /// Open connections that wait for work.
    pub idle: u32,
    /// How many there may be.
    pub max: u32,
}

impl Store {
    /// Takes a connection that reads. Two statements may see two states; see [`Store::snapshot`].
    pub async fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(self.readers.acquire().await?))
    }

    /// Begins to read one unchanging state of the whole database. To be kept short: what is overwritten meanwhile can
    /// not be cleared away.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot(self.readers.begin_with(self.dialect.begin_snapshot()).await?))
    }

    /// Begins to write. Nothing is kept unless [`Transaction::commit`] is called.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::of(self.writers.begin_with(self.dialect.begin_write()).await?))
    }

    /// The same for work that may be done again: a server that crashes right after the commit may forget it. Nobody waits
    /// for its disk, then.
    pub async fn begin_forgettable(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction::of(self.writers.begin_with(self.dialect.begin_forgettable()).await?))
    }

    /// Whether the database answers and can be written, and within a second or two; if not, why. Tells which schema it
    /// has: a newer program may have been here.
    pub async fn examine(&self) -> Result<i64, StoreError> {
        match within(PING, self.ask()).await {
            Err(StoreError::Unavailable(error)) => Err(self.reason().await.unwrap_or(StoreError::Unavailable(error))),
            asked => asked,
        }
    }

    async fn ask(&self) -> Result<i64, StoreError> {
        let answer = sqlx::query(self.dialect.how_are_you()).fetch_one(&self.readers).await?;
        if answer.flag("is_standby")? { Err(StoreError::ReadOnly) } else { answer.number("schema") }
    }

    /// Why a server is not available, if it says so to somebody new: connections that are made for the pool try again
    /// until their time is over, and keep the reason to themselves. One asks at a time: probes come from anybody, and
    /// must not take the connections of everybody else.
    async fn reason(&self) -> Option<StoreError> {
        let server = self.server.as_ref()?;
        let _turn = server.asking.try_lock().ok()?;
        server.connect(PING).await.err()
    }

    /// The connections that count requests.
    pub(crate) fn counting(&self) -> &AnyPool {
        self.counting.as_ref().unwrap_or(&self.writers)
    }

    fn pools(&self) -> impl Iterator<Item = (&'static str, &AnyPool)> {
        let counting = self.counting.iter().map(|pool| ("count", pool));
        [("write", &self.writers), ("read", &self.readers)].into_iter().chain(counting)
    }

    /// How busy the connections are. Each pool by itself: whoever waits for one is not helped by another.
    pub fn pools_in_use(&self) -> impl Iterator<Item = PoolUse> {
        self.pools().map(|(pool, connections)| {
            let open = connections.size();
            let idle = u32::try_from(connections.num_idle()).unwrap_or(open).min(open);
            PoolUse { pool, used: open - idle, idle, max: connections.options().get_max_connections() }
        })
    }

    /// Finishes what is under way and closes all connections, which folds the write-ahead log of SQLite into its file.
    pub async fn close(&self) {
        if let Some(counting) = &self.counting {
            counting.close().await;
        }
        self.readers.close().await;
        self.writers.close().await;
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
pub struct Transaction {
    inner: sqlx::Transaction<'static, Any>,
    /// What the audit trail will say when it is kept.
    pub(crate) audited: Vec<AuditLine>,
}

impl Transaction {
    fn of(inner: sqlx::Transaction<'static, Any>) -> Self {
        Self { inner, audited: Vec::new() }
    }

    /// Keeps what was done. When this returns, it survives a power cut. When the connection is lost meanwhile, nobody
    /// knows whether it was kept.
    pub async fn commit(self) -> Result<(), StoreError> {
        let lines = Pending::new(self.audited);
        let committed = self.inner.commit().await.map_err(|error| match StoreError::from(error) {
            StoreError::Unavailable(error) if !has_undone(&error) => StoreError::Unsettled(error),
            error => error,
        });
        lines.settle(match &committed {
            Ok(()) => Kept::Yes,
            Err(StoreError::Unsettled(_)) => Kept::Unknown,
            Err(_) => Kept::No,
        });
        committed
    }

    /// Forgets what was done. Dropping does the same, a little later.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        Ok(self.inner.rollback().await?)
    }
}

macro_rules! is_a_connection {
    ($($name:ty, $inner:tt);+) => {$(
        impl Deref for $name {
            type Target = Connection;
            fn deref(&self) -> &Connection {
                &self.$inner
            }
        }
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Connection {
                &mut self.$inner
            }
        }
    )+};
}
is_a_connection!(Reader, 0; Snapshot, 0; Transaction, inner);

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use microblog_domain::{DatabaseUrl, Timestamp};
    use serde_json::Value;
    use tokio::net::TcpListener;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata};

    use super::*;
    use crate::{Origin, audit};

    /// Counts lines of the audit trail.
    struct Counter(Arc<AtomicUsize>);

    impl tracing::Subscriber for Counter {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.is_event() && metadata.target() == "audit"
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn a_change_is_logged_even_if_nobody_waits_until_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("blog.db"))).await.unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let _counts = tracing::subscriber::set_default(Counter(Arc::clone(&count)));
        let origin = Origin::system(Timestamp::UNIX_EPOCH);
        let mut change = store.begin().await.unwrap();
        audit::record(&mut change, &origin, "post.create", "one", &Value::Null).await.unwrap();
        let mut commit = Box::pin(change.commit());
        drop(poll_fn(|context| Poll::Ready(commit.as_mut().poll(context))).await);
        drop(commit);
        assert_eq!(count.load(Ordering::Relaxed), 1);
        let mut dropped = store.begin().await.unwrap();
        audit::record(&mut dropped, &origin, "post.create", "two", &Value::Null).await.unwrap();
        dropped.roll_back().await.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    /// A store whose server takes connections and says nothing, and how many it took.
    async fn silent_server(folder: &tempfile::TempDir) -> (Store, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://somebody@{}/blog?sslmode=disable", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&count);
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok(connection) = listener.accept().await {
                counts.fetch_add(1, Ordering::Relaxed);
                open.push(connection);
            }
        });
        let file = Store::open(&DatabaseUrl::Sqlite(folder.path().join("blog.db"))).await.unwrap();
        let DatabaseUrl::Postgres(url) = url.parse().unwrap() else { panic!("{url}") };
        let server = Server { url, asking: tokio::sync::Mutex::default() };
        (Store { server: Some(Arc::new(server)), ..file }, count)
    }

    #[tokio::test]
    async fn one_probe_at_a_time_asks_on_a_connection_of_its_own_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let (store, connections) = silent_server(&folder).await;
        let (first, second, third) = tokio::join!(store.reason(), store.reason(), store.reason());
        assert!(matches!(first, Some(StoreError::Unreachable { .. })), "{first:?}");
        assert!(second.is_none() && third.is_none(), "{second:?} {third:?}");
        assert_eq!(connections.load(Ordering::Relaxed), 1);
        assert!(store.reason().await.is_some(), "the next one asks again");
    }
}
