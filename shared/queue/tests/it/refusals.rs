//! Brokers that can not be used: each says what is wrong and what to do, shows no secret, and is tried again.

use std::path::Path;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use microblog_domain::QueueUrl;
use microblog_queue::{Condition, Queue, QueueStatus};
use microblog_testkit::{TestBroker, eventually, free_port};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::{Line, down, gets_through, heard, hint, queue_at, send, up};

/// Why the broker at this address can not be used, as the log has it.
async fn refusal(url: &str, ca_file: Option<&Path>) -> String {
    let url: QueueUrl = url.parse().unwrap();
    let queue = Queue::at(&url, ca_file.map(Into::into), "a test");
    let (sender, receiver) = queue.both_ends();
    let reason = down(&sender.status()).await;
    assert_eq!(down(&receiver.status()).await, reason);
    assert_eq!(queue.try_out().await.unwrap_err().to_string(), reason);
    assert!(!reason.contains("hunter2"), "{reason}");
    assert_shows_no_names(&url, ca_file, &sender.status());
    reason
}

/// Everybody may ask how a service is.
fn assert_shows_no_names(url: &QueueUrl, ca_file: Option<&Path>, status: &QueueStatus) {
    let QueueUrl::Amqp(url) = url else { return };
    let shown = status.condition().trouble().unwrap();
    let file = ca_file.and_then(Path::to_str).unwrap_or("hunter2");
    for name in [url.user(), url.vhost(), url.host(), &url.port().to_string(), "hunter2", file] {
        assert!(name == "/" || !shown.contains(name), "{name} in {shown}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_mended_without_a_restart() {
    let broker = TestBroker::alone().await;
    let (port, vhost) = (broker.url().port(), broker.url().vhost());
    let url: QueueUrl = format!("amqp://late:hunter2@127.0.0.1:{port}/{vhost}").parse().unwrap();
    let queue = Queue::at(&url, None, "a test");
    let receiver = queue.receiver();
    let reason = down(&receiver.status()).await;
    assert!(reason.contains("refuses the user or the password"), "{reason}");
    broker.eval(&format!(
        "rabbit_auth_backend_internal:add_user(<<\"late\">>, <<\"hunter2\">>, <<\"test\">>), \
         rabbit_auth_backend_internal:set_permissions(<<\"late\">>, <<\"{vhost}\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"test\">>)"
    ));
    up(&receiver.status()).await;
    queue.try_out().await.unwrap();
    broker.eval("rabbit_auth_backend_internal:delete_user(<<\"late\">>, <<\"test\">>)");
}

#[tokio::test]
async fn a_virtual_host_that_is_missing_or_closed_to_the_user_is_told() {
    let broker = TestBroker::new().await;
    let port = broker.url().port();
    let missing = refusal(&format!("amqp://guest:guest@127.0.0.1:{port}/nowhere"), None).await;
    assert!(missing.contains("virtual host") && missing.contains("add_vhost"), "{missing}");
}

#[tokio::test]
async fn a_permission_that_is_lacking_is_told() {
    let broker = TestBroker::alone().await;
    let (port, vhost) = (broker.url().port(), broker.url().vhost());
    broker.eval(&format!(
        "rabbit_auth_backend_internal:add_user(<<\"poor\">>, <<\"hunter2\">>, <<\"test\">>), \
         rabbit_auth_backend_internal:set_permissions(<<\"poor\">>, <<\"{vhost}\">>, <<\"^$\">>, <<\"^$\">>, <<\"^$\">>, <<\"test\">>)"
    ));
    let reason = refusal(&format!("amqp://poor:hunter2@127.0.0.1:{port}/{vhost}"), None).await;
    assert!(reason.contains("set_permissions"), "{reason}");
    broker.eval("rabbit_auth_backend_internal:delete_user(<<\"poor\">>, <<\"test\">>)");
}

#[tokio::test]
async fn a_host_that_is_unknown_or_takes_no_connections_is_told() {
    let unknown = refusal("amqp://guest:hunter2@no-such-host.invalid/", None).await;
    assert!(unknown.contains("host name of the broker is not known"), "{unknown}");
    let closed = refusal(&format!("amqp://guest:hunter2@127.0.0.1:{}", free_port()), None).await;
    assert!(closed.contains("can not be reached"), "{closed}");
}

#[tokio::test]
async fn what_is_no_broker_is_told_from_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let web_server = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 8]).await;
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let reason = refusal(&format!("amqp://guest:hunter2@127.0.0.1:{port}"), None).await;
    assert!(reason.contains("is no RabbitMQ broker"), "{reason}");
    web_server.abort();
}

#[tokio::test]
async fn a_broker_that_takes_connections_and_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mute = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((client, _)) = listener.accept().await {
            kept.push(client);
        }
    });
    let reason = refusal(&format!("amqp://guest:hunter2@127.0.0.1:{port}"), None).await;
    assert!(reason.contains("does not answer in time"), "{reason}");
    mute.abort();
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_named_and_works_once_it_is_deleted() {
    let line = Line::new().await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut classic = FieldTable::default();
    classic.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
    line.broker.channel().await.queue_declare("builds".into(), durable, classic).await.unwrap();
    let (sender, mut receiver) = line.queue().both_ends();
    let reason = down(&receiver.status()).await;
    assert!(reason.contains("the queue builds was declared with other arguments"), "{reason}");
    assert!(reason.contains("delete_queue"), "{reason}");
    assert_shows_no_names(&QueueUrl::Amqp(line.broker.url().clone()), None, &receiver.status());
    line.broker.delete_queue("builds").await;
    let hint = hint();
    send(&sender, &hint).await;
    assert_eq!(heard(&mut receiver).await, hint);
}

#[tokio::test]
async fn encrypted_connections_are_made_with_those_who_can_be_trusted() {
    let broker = TestBroker::alone().await;
    let (port, ca_file) = broker.tls();
    let url = |host: &str, port| format!("amqps://guest:guest@{host}:{port}/{}", broker.url().vhost());
    for host in ["localhost", "127.0.0.1"] {
        let queue = Queue::at(&url(host, port).parse().unwrap(), Some(ca_file.clone()), "a test");
        let (sender, mut receiver) = queue.both_ends();
        gets_through(&sender, &mut receiver).await;
    }
    let stranger = refusal(&url("localhost", port), None).await;
    assert!(stranger.contains("no encrypted connection") && stranger.contains("queue.ca_file"), "{stranger}");
    let plain_port = refusal(&url("localhost", broker.url().port()), Some(&ca_file)).await;
    assert!(plain_port.contains("no encrypted connection"), "{plain_port}");
    let unencrypted = refusal(&url("localhost", port).replace("amqps", "amqp"), None).await;
    assert!(unencrypted.contains("wants encryption"), "{unencrypted}");
    let missing = refusal(&url("localhost", port), Some("/nowhere/ca.pem".as_ref())).await;
    assert!(missing.contains("queue.ca_file") && missing.contains("/nowhere/ca.pem"), "{missing}");
    let key = ca_file.with_file_name("server.key");
    let no_certificate = refusal(&url("localhost", port), Some(&key)).await;
    assert!(no_certificate.contains("holds no certificate"), "{no_certificate}");
}

#[tokio::test]
async fn a_connection_that_is_being_made_is_no_failure_yet() {
    let broker = TestBroker::new().await;
    let receiver = queue_at(broker.url().clone()).receiver();
    assert_eq!(receiver.status().condition(), Condition::Connecting);
    let made = async || receiver.status().condition() == Condition::Up;
    tokio::time::timeout(Duration::from_secs(60), eventually("it is up", made)).await.unwrap();
}
