//! The processes of one throw-away broker: its Erlang node and the name server of that node.
//!
//! Everything that Erlang shares on a machine is its own: name server, cookie, home, ports.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::START_LIMIT;
use super::report::report;
use crate::server::{self, ServerProcess, free_port};

const COOKIE: &str = "microblogtestcookie";
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// How often the node may try to start.
const STARTS: u32 = 3;
/// How long the node may refuse to be talked to.
const CALL_LIMIT: Duration = Duration::from_secs(10);

static NODES: AtomicU32 = AtomicU32::new(0);

/// Whether the broker tells Prometheus what it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exporter {
    On,
    Off,
}

/// A broker that runs, or did.
#[derive(Debug)]
pub(super) struct Node {
    ports: Ports,
    exporter: Exporter,
    /// The root file system that the broker runs in, if it is not ours.
    root: Option<PathBuf>,
    /// Its folder, as we see it.
    folder: PathBuf,
    process: ServerProcess,
    _names: ServerProcess,
    /// Held by whoever talks to the node: two callers at once get in each other's way.
    calling: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    amqp: u16,
    amqps: u16,
    /// Where Erlang nodes talk to each other.
    nodes: u16,
    /// Of Erlang's name server.
    names: u16,
    exporter: u16,
}

impl Node {
    pub(super) async fn start(exporter: Exporter) -> Self {
        let root = std::env::var_os("MICROBLOG_TEST_RABBITMQ_ROOT").map(PathBuf::from);
        require(&root);
        let [amqp, amqps, nodes, names, exports] = [(); 5].map(|()| free_port());
        let ports = Ports { amqp, amqps, nodes, names, exporter: exports };
        let name = format!("rabbitmq-{}", NODES.fetch_add(1, Ordering::Relaxed));
        let folder = make_folder(root.as_deref(), &name);
        write_settings(&folder, &seen_inside(root.as_deref(), &folder), ports, exporter);
        let mut names = Command::new("epmd");
        names.args(["-address", "127.0.0.1", "-port", &ports.names.to_string()]);
        let names = ServerProcess::start(&format!("{name}-epmd"), &names).expect("epmd, of Debian's erlang-base");
        let command = command(root.as_deref(), &folder, ports);
        let process = ServerProcess::start(&name, &command).expect("a shell");
        let node = Self { ports, exporter, root, folder, process, _names: names, calling: Mutex::new(()) };
        node.wait_until_up().await;
        node
    }

    pub(super) async fn start_again(&self) {
        self.run_again();
        self.wait_until_up().await;
    }

    fn run_again(&self) {
        if self.process.has_ended() {
            self.process.start_again(&command(self.root.as_deref(), &self.folder, self.ports)).expect("a shell");
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.ports.amqp
    }

    pub(super) fn exporter(&self) -> Option<SocketAddr> {
        (self.exporter == Exporter::On).then(|| SocketAddr::from(([127, 0, 0, 1], self.ports.exporter)))
    }

    pub(super) fn tls(&self) -> (u16, PathBuf) {
        (self.ports.amqps, self.folder.join("ca.pem"))
    }

    pub(super) fn process(&self) -> &ServerProcess {
        &self.process
    }

    pub(super) fn kill(&self) {
        self.process.kill();
    }

    pub(super) fn stop(&self) {
        self.try_eval("init:stop()").expect("a broker that runs");
        self.wait_until("end", || if self.process.has_ended() { Ok(()) } else { Err("it was told to".to_owned()) });
    }

    pub(super) fn set_memory_alarm(&self, is_on: bool) {
        self.eval(if is_on {
            "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []})"
        } else {
            "rabbit_alarm:clear_alarm({resource_limit, memory, node()})"
        });
    }

    /// Undoes what a test before may have done to it; one that panicked left it as it was.
    pub(super) fn make_well(&self) {
        self.process.resume();
        self.run_again();
        self.wait_until("answer", || self.answers());
        self.set_memory_alarm(false);
    }

    /// Evaluates Erlang in the broker. A node that is busy with a caller of before refuses the next one for a moment.
    pub(super) fn eval(&self, expression: &str) -> String {
        let deadline = Instant::now() + CALL_LIMIT;
        loop {
            match self.try_eval(expression) {
                Ok(said) => return said,
                Err(error) if error.contains("failed to connect") && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{expression}: {error}"),
            }
        }
    }

    /// `erl_call` takes milliseconds, where `rabbitmqctl` starts an Erlang machine of its own.
    fn try_eval(&self, expression: &str) -> Result<String, String> {
        let _turn = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
        let address = format!("127.0.0.1:{}", self.ports.nodes);
        let mut call = Command::new("erl_call");
        call.args(["-address", &address, "-c", COOKIE, "-r", "-timeout", "30", "-e"]);
        let call = call.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut call = call.map_err(|error| format!("erl_call, of Debian's erlang-base: {error}"))?;
        let mut input = call.stdin.take().ok_or("no pipe")?;
        writeln!(input, "{expression}.").map_err(|error| error.to_string())?;
        drop(input);
        let output = call.wait_with_output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && said.starts_with("{ok") {
            return Ok(said);
        }
        Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// On a busy machine a broker may give up while it starts; service managers start it again, and so does this.
    async fn wait_until_up(&self) {
        let (since, mut starts) = (Instant::now(), 1);
        while let Err(reason) = self.answers() {
            if self.process.has_ended() && starts < STARTS {
                starts += 1;
                self.run_again();
            }
            if self.process.has_ended() || since.elapsed() > START_LIMIT {
                self.fail("start", since.elapsed(), &format!("{starts} attempts, {reason}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn wait_until(&self, what: &str, condition: impl Fn() -> Result<(), String>) {
        let since = Instant::now();
        while let Err(reason) = condition() {
            if since.elapsed() > START_LIMIT {
                self.fail(what, since.elapsed(), &reason);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn fail(&self, what: &str, after: Duration, reason: &str) -> ! {
        let report = report(&self.process, &self.folder.join("log"));
        panic!("RabbitMQ does not {what} within {after:.0?}: {reason}\n{report}")
    }

    /// Whether it can be used, and why not.
    fn answers(&self) -> Result<(), String> {
        let address = ("127.0.0.1", self.ports.amqp);
        std::net::TcpStream::connect(address).map_err(|error| format!("port {}: {error}", self.ports.amqp))?;
        let said = self.try_eval("rabbit:is_running()")?;
        if said.contains("true") { Ok(()) } else { Err(format!("rabbit:is_running() is {said}")) }
    }
}

fn require(root: &Option<PathBuf>) {
    let server = root.as_deref().unwrap_or(Path::new("/")).join(SERVER.trim_start_matches('/'));
    assert!(
        server.is_file(),
        "{} is missing: install Debian's package rabbitmq-server, or run `cargo xtask test`, which does that",
        server.display()
    );
}

fn make_folder(root: Option<&Path>, name: &str) -> PathBuf {
    let folder = match root {
        None => server::folder().join(name),
        Some(root) => root.join("tmp").join(format!("microblog-test-{}-{name}", std::process::id())),
    };
    if root.is_some() {
        server::folder_elsewhere(&folder);
    }
    fs::create_dir_all(folder.join("data")).expect("a folder");
    fs::create_dir_all(folder.join("log")).expect("a folder");
    folder
}

/// The folder as the broker sees it.
fn seen_inside(root: Option<&Path>, folder: &Path) -> PathBuf {
    let inside = root.and_then(|root| folder.strip_prefix(root).ok());
    inside.map_or_else(|| folder.to_owned(), |inside| Path::new("/").join(inside))
}

fn write_settings(folder: &Path, inside: &Path, ports: Ports, exporter: Exporter) {
    make_certificates(folder);
    let inside = inside.display();
    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{}\n\
         listeners.ssl.1 = 127.0.0.1:{}\n\
         ssl_options.cacertfile = {inside}/ca.pem\n\
         ssl_options.certfile = {inside}/server.pem\n\
         ssl_options.keyfile = {inside}/server.key\n\
         ssl_options.verify = verify_none\n\
         log.console = false\n\
         vm_memory_high_watermark.relative = 0.8\n\
         disk_free_limit.absolute = 1MB\n\
         collect_statistics_interval = 60000\n",
        ports.amqp, ports.amqps
    );
    let (exports, plugins) = match exporter {
        Exporter::Off => (String::new(), "[]."),
        Exporter::On => {
            let at = format!("prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {}\n", ports.exporter);
            (at, "[rabbitmq_prometheus].")
        }
    };
    fs::write(folder.join("rabbitmq.conf"), settings + &exports).expect("a file");
    fs::write(folder.join("plugins"), plugins).expect("a file");
    let cookie = folder.join(".erlang.cookie");
    fs::write(&cookie, COOKIE).expect("a file");
    fs::set_permissions(cookie, fs::Permissions::from_mode(0o400)).expect("a file of ours");
}

/// Makes an authority that nobody trusts yet, and a certificate of it for this machine.
fn make_certificates(folder: &Path) {
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=testca \
                  -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem && \
                  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
                  -keyout server.key -out server.csr && \
                  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' >extensions && \
                  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
                  -extfile extensions -out server.pem && chmod 644 server.key";
    let made = Command::new("sh").args(["-c", script]).current_dir(folder).output().expect("a shell");
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}

fn command(root: Option<&Path>, folder: &Path, ports: Ports) -> Command {
    let inside = seen_inside(root, folder);
    let mut command = match root {
        None => Command::new(SERVER),
        Some(root) => {
            let mut command = Command::new("chroot");
            command.arg(root).arg(SERVER);
            command
        }
    };
    command
        .env("HOME", &inside)
        .env("ERL_EPMD_PORT", ports.names.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("RABBITMQ_NODENAME", "microblog-test@localhost")
        .env("RABBITMQ_DIST_PORT", ports.nodes.to_string())
        .env("RABBITMQ_MNESIA_BASE", inside.join("data"))
        .env("RABBITMQ_LOG_BASE", inside.join("log"))
        .env("RABBITMQ_CONFIG_FILE", inside.join("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", inside.join("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", inside.join("plugins"))
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        );
    command
}
