//! A PostgreSQL server that may be mistreated.
//!
//! One is started for each test process, on first use, and each test gets a database of its own on it. It forgets what it
//! acknowledged when the machine crashes, which makes it fast; not when it is killed. `MICROBLOG_TEST_POSTGRES_URL` names
//! a server that is used instead.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use microblog_domain::PostgresUrl;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

use crate::server::{ServerProcess, folder, free_port};
use crate::wait::eventually;

/// Where Debian has the programs, in one folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Whom a server runs as when the tests run as root, which it refuses to.
const UNPRIVILEGED: &str = "postgres";

static SERVERS: AtomicU32 = AtomicU32::new(0);
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server of its own, on a free port.
#[derive(Debug)]
pub struct PostgresServer {
    process: ServerProcess,
    data: PathBuf,
    port: u16,
    promise: Promise,
}

/// What survives when the machine crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// Perhaps nothing.
    Nothing,
    /// Whatever was acknowledged, as PostgreSQL does it by default.
    All,
}

impl PostgresServer {
    /// Makes one and starts it.
    ///
    /// # Panics
    /// When the programs of PostgreSQL are missing.
    #[must_use]
    pub fn start() -> Self {
        let name = new_name();
        let data = folder().join(&name);
        Self::start_in(data, &name, Promise::Nothing)
    }

    /// One that keeps what it acknowledged, for measurements. Its data stay in this folder if one is named, where the
    /// next one finds them.
    ///
    /// # Panics
    /// When the programs of PostgreSQL are missing.
    #[must_use]
    pub fn durable(data: Option<PathBuf>) -> Self {
        let name = new_name();
        let data = data.unwrap_or_else(|| folder().join(&name));
        Self::start_in(data, &name, Promise::All)
    }

    fn start_in(data: PathBuf, name: &str, promise: Promise) -> Self {
        if !data.exists() {
            make_cluster(&data);
        }
        let port = free_port();
        let process = ServerProcess::start(name, &server(&data, port, promise)).expect("the server's program");
        Self { process, data, port, promise }
    }

    /// Makes an empty database, in place of one that had this name.
    pub async fn new_database(&self, name: &str) {
        let admin = self.url();
        command(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        command(&admin, &format!("CREATE DATABASE {name}")).await;
    }

    /// The address of its first database, and of the user who may do everything.
    #[must_use]
    pub fn url(&self) -> PostgresUrl {
        self.url_through(self.port)
    }

    /// The same, by way of another port of this machine, such as a proxy's.
    #[must_use]
    pub fn url_through(&self, port: u16) -> PostgresUrl {
        format!("postgres://microblog@127.0.0.1:{port}/postgres").parse().expect("an address")
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process, to be killed, paused and asked to end.
    #[must_use]
    pub fn process(&self) -> &ServerProcess {
        &self.process
    }

    /// Starts it once more, after it ended.
    pub fn start_again(&self) {
        self.process.start_again(&server(&self.data, self.port, self.promise)).expect("the server's program");
    }

    /// Makes it a standby, from its next start on: it answers, and takes nothing.
    pub fn become_standby(&self) {
        fs::write(self.data.join("standby.signal"), "").expect("a file in a folder of our own");
    }

    /// Does something that only an administrator may.
    pub async fn administer(&self, sql: &'static str) {
        command(&self.url(), sql).await;
    }

    /// Tries to do so; tells whether the server let it.
    pub async fn try_to_administer(&self, sql: &'static str) -> bool {
        let mut connection = connect(&self.url()).await.expect("a server");
        sqlx::raw_sql(sql).execute(&mut connection).await.is_ok()
    }

    /// Does so in another database than the first one.
    pub async fn administer_in(&self, database: &str, sql: &'static str) {
        command(&self.url().with_database(database), sql).await;
    }

    /// Whether this query finds anything.
    pub async fn finds(&self, sql: &'static str) -> bool {
        let mut connection = connect(&self.url()).await.expect("a server");
        sqlx::query(sql).fetch_optional(&mut connection).await.expect("an answer").is_some()
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn wait_until_ready(&self) {
        eventually("the server answers", async || {
            assert!(!self.process.has_ended(), "the database server ended: {}", self.process.log());
            connect(&self.url()).await.is_ok()
        })
        .await;
    }
}

/// The order of bytes, and letters of ASCII only: whoever relies on the locale of a database finds out here.
fn make_cluster(data: &Path) {
    // Debian's user for this is not the owner of the folder above.
    fs::create_dir(data).expect("a folder");
    fs::set_permissions(data, fs::Permissions::from_mode(0o700)).expect("a folder of our own");
    if is_root() {
        run(Command::new("chown").arg(UNPRIVILEGED).arg(data));
    }
    let mut initdb = program("initdb");
    initdb.arg("--pgdata").arg(data);
    run(initdb.args(["--username=microblog", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]));
    // Users called "guarded" are asked for their password.
    let access = "host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
    fs::write(data.join("pg_hba.conf"), access).expect("a file in a folder of our own");
}

fn server(data: &Path, port: u16, promise: Promise) -> Command {
    let mut server = program("postgres");
    server.arg("-D").arg(data).arg("-p").arg(port.to_string());
    let own = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        // In the folder, so that one that is killed leaves nothing in the memory of the machine.
        "dynamic_shared_memory_type=mmap",
    ];
    let fast: &[&str] = match promise {
        Promise::Nothing => &["fsync=off", "full_page_writes=off"],
        Promise::All => &[],
    };
    for setting in own.iter().chain(fast) {
        server.args(["-c", setting]);
    }
    server
}

fn new_name() -> String {
    format!("postgres-{}", SERVERS.fetch_add(1, Ordering::Relaxed))
}

/// A program of PostgreSQL, as a user that it accepts.
fn program(name: &str) -> Command {
    let program = programs().join(name);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED, "--clear-groups"]).arg(program);
    command
}

/// The folder with the newest version.
fn programs() -> PathBuf {
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let newest = versions.filter(|path| path.join("bin/initdb").is_file()).max_by_key(version);
    let missing = "the tests need a PostgreSQL server: install Debian's package postgresql, run `cargo xtask test`, which \
                   does that, or name a server in MICROBLOG_TEST_POSTGRES_URL";
    newest.expect(missing).join("bin")
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program to run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The server of this test process, or the one that was named.
async fn shared_server() -> PostgresUrl {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    if let Some(given) = std::env::var_os("MICROBLOG_TEST_POSTGRES_URL") {
        let given = given.into_string().expect("MICROBLOG_TEST_POSTGRES_URL is UTF-8");
        return given.parse().expect("MICROBLOG_TEST_POSTGRES_URL is the address of a database");
    }
    let server = SERVER.get_or_init(PostgresServer::start);
    server.wait_until_ready().await;
    server.url()
}

/// A database of one test, empty at first, which vanishes when this is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    admin: PostgresUrl,
    name: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let admin = shared_server().await;
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let database = Self { admin, name: format!("microblog_test_{}_{number}", std::process::id()) };
        command(&database.admin, &format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    /// Another one with the same in it.
    pub(crate) async fn copy(&self) -> Self {
        let copy = Self::new().await;
        copy.become_copy_of(self).await;
        copy
    }

    /// A server copies a database that nobody is connected to, so all are sent away.
    pub(crate) async fn become_copy_of(&self, other: &Self) {
        let (name, other) = (&self.name, &other.name);
        for sql in [
            format!("DROP DATABASE {name} WITH (FORCE)"),
            format!("ALTER DATABASE {other} ALLOW_CONNECTIONS false"),
            format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{other}'"),
            format!("CREATE DATABASE {name} TEMPLATE {other}"),
            format!("ALTER DATABASE {other} ALLOW_CONNECTIONS true"),
        ] {
            command(&self.admin, &sql).await;
        }
    }

    pub(crate) fn url(&self) -> PostgresUrl {
        self.admin.with_database(&self.name)
    }
}

/// Runs a command of which all names are ours.
async fn command(admin: &PostgresUrl, sql: &str) {
    let mut connection = connect(admin).await.expect("a server");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("a server that may be written");
    connection.close().await.expect("an end");
}

async fn connect(url: &PostgresUrl) -> sqlx::Result<PgConnection> {
    PgConnectOptions::from_url(url.reveal())?.disable_statement_logging().connect().await
}

impl Drop for Database {
    /// On a thread of its own, since the one that drops may be in the middle of something asynchronous.
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let remove = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = connect(&admin).await.map_err(std::io::Error::other)?;
                let sql = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop).map_err(std::io::Error::other)
            })
        };
        // What is left behind on a throw-away server goes with it.
        let _: Result<std::io::Result<()>, _> = std::thread::spawn(remove).join();
    }
}
