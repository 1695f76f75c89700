//! A database and a broker of one test, on real servers, for programs that share them; and what an operator can do there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use microblog_domain::{DatabaseUrl, PostgresUrl};
use microblog_testkit::{TestBroker, TestDatabase};
use tokio::runtime::Runtime;

use crate::installation::Installation;
use crate::program::run;

/// They end with the test.
pub(crate) struct Servers {
    runtime: Runtime,
    database: Option<TestDatabase>,
    broker: Option<TestBroker>,
}

impl Servers {
    /// A database, and jobs that wait in it.
    pub(crate) fn database() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = Some(runtime.block_on(TestDatabase::postgres()));
        Self { runtime, database, broker: None }
    }

    /// A database, and a broker for the jobs.
    pub(crate) fn database_and_broker() -> Self {
        let mut servers = Self::database();
        servers.broker = Some(servers.runtime.block_on(TestBroker::new()));
        servers
    }

    /// An installation that uses them, with an owner who has a token.
    pub(crate) fn installation(&self) -> Installation {
        Installation::with(self.settings())
    }

    /// One that nobody has set up yet.
    pub(crate) fn untouched(&self) -> Installation {
        Installation::untouched_with(self.settings())
    }

    /// The settings that name them.
    pub(crate) fn settings(&self) -> Vec<String> {
        let queue = self.broker.as_ref().map(|broker| {
            let url = broker.url();
            let login = format!("{}:{}", url.user(), url.password());
            format!("queue.url=amqp://{login}@{}:{}/{}", url.host(), url.port(), url.vhost())
        });
        let database = format!("database.url={}", self.url().reveal());
        [database].into_iter().chain(queue).collect()
    }

    fn url(&self) -> PostgresUrl {
        match self.database.as_ref().unwrap().url() {
            DatabaseUrl::Postgres(url) => url,
            DatabaseUrl::Sqlite(path) => panic!("{} is on no server", path.display()),
        }
    }

    /// How many hints wait at the broker, which no builder was given.
    pub(crate) fn hints(&self) -> u32 {
        self.runtime.block_on(self.broker.as_ref().unwrap().queue("builds")).0
    }

    /// Asks the database: the lines of the answer.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        run(self.psql().args(["--command", sql])).lines().map(str::to_owned).collect()
    }

    /// Keeps everybody else from a table.
    pub(crate) fn lock(&self, table: &str) -> Locked {
        let mut psql = self.psql().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = psql.stdin.take().unwrap();
        writeln!(input, "BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n\\echo locked").unwrap();
        let mut said = String::new();
        BufReader::new(psql.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "locked\n");
        Locked { psql, input: Some(input) }
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", self.url().reveal().as_str()]);
        psql
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        self.database.take();
    }
}

/// A table that nobody else can use until this is dropped.
pub(crate) struct Locked {
    psql: Child,
    input: Option<ChildStdin>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // At its end the program takes back what it did.
        self.input.take();
        let _ = self.psql.wait();
    }
}
