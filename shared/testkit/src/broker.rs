//! A RabbitMQ broker that may be mistreated.
//!
//! One is started for each test process, on first use; each test gets a virtual host of its own. Tests that do something
//! to the whole broker ([`TestBroker::alone`]) run while no other test uses it. Who does so for long, or wants to see what
//! the broker tells of itself, has one of their own ([`TestBroker::measured`]).
//!
//! | variable | does |
//! |---|---|
//! | `MICROBLOG_TEST_AMQP_URL` | the broker of the tests that only need a virtual host; they empty it and take turns |
//! | `MICROBLOG_TEST_RABBITMQ_ROOT` | a root file system with another version of RabbitMQ, which is started in there |

mod node;
mod report;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lapin::options::{BasicGetOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use microblog_domain::{AmqpUrl, QueueUrl};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use node::{Exporter, Node};

/// Tests that share the broker read; one that must have it to itself writes.
static USE: RwLock<()> = RwLock::const_new(());
static NODE: OnceCell<Arc<Node>> = OnceCell::const_new();
static VHOSTS: AtomicU32 = AtomicU32::new(0);

/// Who logs in at the brokers that tests start.
const LOGIN: &str = "guest:guest";

#[derive(Debug)]
enum Turn {
    Shared {
        _guard: RwLockReadGuard<'static, ()>,
    },
    Alone {
        _guard: RwLockWriteGuard<'static, ()>,
    },
    /// Nobody else has this broker.
    Own,
}

/// A virtual host on a broker.
#[derive(Debug)]
pub struct TestBroker {
    url: AmqpUrl,
    node: Option<Arc<Node>>,
    turn: Turn,
}

impl TestBroker {
    /// A virtual host of its own, on a broker that other tests use at the same time.
    pub async fn new() -> Self {
        if let Some(given) = std::env::var_os("MICROBLOG_TEST_AMQP_URL") {
            return Self::given(given.to_str().expect("MICROBLOG_TEST_AMQP_URL is UTF-8")).await;
        }
        let turn = Turn::Shared { _guard: USE.read().await };
        Self::on_node(turn).await
    }

    /// A virtual host on a broker that no other test of this process uses meanwhile. Afterwards the broker is as it was.
    pub async fn alone() -> Self {
        let turn = Turn::Alone { _guard: USE.write().await };
        Self::on_node(turn).await
    }

    /// A virtual host on a broker that no other test has, and that exports what it measures.
    pub async fn measured() -> Self {
        Self::on(Arc::new(Node::start(Exporter::On).await), Turn::Own)
    }

    async fn on_node(turn: Turn) -> Self {
        let node = NODE.get_or_init(async || Arc::new(Node::start(Exporter::Off).await)).await;
        node.make_well();
        Self::on(Arc::clone(node), turn)
    }

    fn on(node: Arc<Node>, turn: Turn) -> Self {
        let vhost = format!("test{}", VHOSTS.fetch_add(1, Ordering::Relaxed));
        node.eval(&format!(
            "rabbit_vhost:add(<<\"{vhost}\">>, <<\"test\">>), \
             rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, <<\"{vhost}\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"test\">>)"
        ));
        let url = amqp(&format!("amqp://{LOGIN}@127.0.0.1:{}/{vhost}", node.port()));
        Self { url, node: Some(node), turn }
    }

    async fn given(url: &str) -> Self {
        let broker = Self { url: amqp(url), node: None, turn: Turn::Alone { _guard: USE.write().await } };
        let channel = broker.channel().await;
        for queue in ["builds", "builds.dead"] {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.expect("a queue to delete");
        }
        let events = "builds.events".into();
        channel.exchange_delete(events, ExchangeDeleteOptions::default()).await.expect("an exchange to delete");
        broker
    }

    /// How a program reaches it.
    #[must_use]
    pub fn url(&self) -> &AmqpUrl {
        &self.url
    }

    /// The same, by way of another port of this machine, such as a proxy's.
    #[must_use]
    pub fn url_through(&self, port: u16) -> AmqpUrl {
        let vhost = self.url.vhost().replace('/', "%2F");
        let (user, password) = (self.url.user(), self.url.password());
        amqp(&format!("amqp://{user}:{password}@127.0.0.1:{port}/{vhost}"))
    }

    /// The port for encrypted connections, and the certificate (PEM) of who vouches for it.
    ///
    /// # Panics
    /// When a given broker is used.
    #[must_use]
    pub fn tls(&self) -> (u16, std::path::PathBuf) {
        self.node().tls()
    }

    /// A channel to look at and to disturb the virtual host with.
    pub async fn channel(&self) -> Channel {
        let vhost = self.url.vhost().replace('/', "%2F");
        let scheme = if self.url.is_encrypted() { "amqps" } else { "amqp" };
        let (user, password, host, port) = (self.url.user(), self.url.password(), self.url.host(), self.url.port());
        let url = format!("{scheme}://{user}:{password}@{host}:{port}/{vhost}");
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("a broker");
        connection.create_channel().await.expect("a channel")
    }

    /// How many messages a queue holds that nobody was given, and how many consumers it has. The queue must exist.
    pub async fn queue(&self, name: &str) -> (u32, u32) {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let channel = self.channel().await;
        let queue = channel.queue_declare(name.into(), passive, FieldTable::default()).await.expect("a queue");
        (queue.message_count(), queue.consumer_count())
    }

    /// Waits until a queue holds so many messages.
    pub async fn wait_for_messages(&self, queue: &str, messages: u32) {
        crate::eventually(&format!("{messages} messages in {queue}"), async || self.queue(queue).await.0 == messages)
            .await;
    }

    /// Takes all that a queue holds and nobody was given: the bodies, in their order.
    pub async fn take_all(&self, queue: &str) -> Vec<Vec<u8>> {
        let (channel, mut bodies) = (self.channel().await, Vec::new());
        let take = async || channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await;
        while let Some(message) = take().await.expect("a queue") {
            bodies.push(message.delivery.data);
        }
        bodies
    }

    /// Puts a message of these bytes into a queue, and waits until the broker has it.
    pub async fn send(&self, queue: &str, body: &[u8]) {
        let (channel, (options, confirmed, properties)) = (self.channel().await, Default::default());
        channel.confirm_select(confirmed).await.expect("a channel");
        let sent = channel.basic_publish("".into(), queue.into(), options, body, properties).await;
        sent.expect("a queue").await.expect("a broker that confirms");
    }

    /// Removes a queue with all that it holds.
    pub async fn delete_queue(&self, name: &str) {
        self.channel().await.queue_delete(name.into(), QueueDeleteOptions::default()).await.expect("a queue to delete");
    }

    /// Ends all connections to the virtual host, as an operator does.
    pub fn close_connections(&self) {
        let vhost = self.url.vhost();
        self.node().eval(&format!(
            "[rabbit_networking:close_connection(Pid, \"closed by the test\") || \
             [{{pid, Pid}}, {{vhost, Vhost}}] <- rabbit_networking:connection_info_all([pid, vhost]), \
             Vhost =:= <<\"{vhost}\">>]"
        ));
    }

    /// Says that memory is short, or no longer is: publishers are blocked meanwhile.
    pub fn set_memory_alarm(&self, is_on: bool) {
        self.node().set_memory_alarm(is_on);
    }

    /// Kills the broker's processes; nothing is told to anybody.
    pub fn kill(&self) {
        self.node().kill();
    }

    /// Lets the broker end in good order.
    pub fn stop(&self) {
        self.node().stop();
    }

    /// Starts it again, on the same port and with what it kept on disk.
    pub async fn start(&self) {
        self.node().start_again().await;
    }

    /// Stops the broker in the middle of what it does. Connections stay, and nothing answers.
    pub fn pause(&self) {
        self.node().process().pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.node().process().resume();
    }

    /// Evaluates Erlang in the broker; what comes out is given back as it is printed.
    pub fn eval(&self, expression: &str) -> String {
        self.node().eval(expression)
    }

    /// Where a broker of [`Self::measured`] tells Prometheus what it measures.
    ///
    /// # Panics
    /// When it is another one.
    #[must_use]
    pub fn exporter(&self) -> SocketAddr {
        self.node().exporter().expect("a broker that exports what it measures")
    }

    fn node(&self) -> &Node {
        self.node.as_deref().expect("a test that does something to the broker takes TestBroker::alone()")
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        if let (Some(node), false) = (&self.node, std::thread::panicking() || matches!(self.turn, Turn::Own)) {
            node.make_well();
            node.eval(&format!("rabbit_vhost:delete(<<\"{}\">>, <<\"test\">>)", self.url.vhost()));
        }
    }
}

/// Longer than any broker takes to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(180);

fn amqp(url: &str) -> AmqpUrl {
    match url.parse() {
        Ok(QueueUrl::Amqp(url)) => url,
        other => panic!("not the address of a broker: {other:?}"),
    }
}
