//! PostgreSQL and RabbitMQ that are thrown away afterwards: what the two services share.
//!
//! Both are Debian's, with what they do by default to keep what they acknowledged: PostgreSQL syncs, and the queue is a
//! quorum queue. Only the services speak to them while anything is measured.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use microblog_domain::{AmqpUrl, DatabaseUrl};
use microblog_store::Store;
use microblog_testkit::{PostgresServer, TestBroker};
use tokio::runtime::Runtime;

use crate::installation::{Filled, Installation};
use crate::place::Place;
use crate::program::Program;
use crate::sample::SampleSite;

/// Servers that run until this is dropped.
pub(crate) struct Servers {
    postgres: PostgresServer,
    runtime: Runtime,
}

/// An installation whose database and queue are on servers.
pub(crate) struct Remote<T> {
    pub(crate) installation: T,
    database: DatabaseUrl,
    /// Its own virtual host, which goes with it.
    _broker: TestBroker,
}

impl Servers {
    /// Starts them. The data of PostgreSQL stay in the folder that is to be kept, if there is one.
    pub(crate) fn start(keep: Option<&Path>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let postgres = PostgresServer::durable(keep.map(|folder| folder.join("postgres")));
        runtime.block_on(postgres.wait_until_ready());
        Ok(Self { postgres, runtime })
    }

    /// An installation without posts.
    pub(crate) fn empty(&self, program: &Program, place: &Place) -> anyhow::Result<Remote<Installation>> {
        let installation = Installation::new(program, place)?;
        self.attach(installation, "empty", true, Ok)
    }

    /// An installation with the posts of a site; one that is to be kept is taken as it was left.
    pub(crate) fn filled(
        &self,
        program: &Program,
        place: &Place,
        keep: Option<&Path>,
        site: &SampleSite,
    ) -> anyhow::Result<Remote<Filled>> {
        let kept: Option<PathBuf> = keep.map(|folder| folder.join(format!("services-{}", site.key())));
        let installation = Installation::new_or_kept(program, place, kept)?;
        let name: String = site.key().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let is_new = !installation.is_filled();
        self.attach(installation, &format!("site_{name}"), is_new, |installation| installation.fill(site.content()))
    }

    fn attach<T>(
        &self,
        installation: Installation,
        database: &str,
        is_new: bool,
        fill: impl FnOnce(Installation) -> anyhow::Result<T>,
    ) -> anyhow::Result<Remote<T>> {
        if is_new {
            self.runtime.block_on(self.postgres.new_database(database));
        }
        let url = self.postgres.url().with_database(database);
        let broker = self.runtime.block_on(TestBroker::new());
        let settings = vec![format!("database.url={}", url.reveal()), format!("queue.url={}", address(broker.url()))];
        let installation = fill(installation.with(settings))?;
        Ok(Remote { installation, database: DatabaseUrl::Postgres(url), _broker: broker })
    }

    /// Does something in the database of an installation.
    pub(crate) fn in_database<T, R>(
        &self,
        remote: &Remote<T>,
        work: impl AsyncFnOnce(&Store) -> anyhow::Result<R>,
    ) -> anyhow::Result<R> {
        self.runtime.block_on(async {
            let store = Store::open(&remote.database).await.context("opening the database")?;
            let done = work(&store).await;
            store.close().await;
            done
        })
    }
}

fn address(broker: &AmqpUrl) -> String {
    let (user, password) = (broker.user(), broker.password());
    format!("amqp://{user}:{password}@{}:{}/{}", broker.host(), broker.port(), broker.vhost().replace('/', "%2F"))
}
