//! From an address to a broker that has greeted us: name, network, encryption, log-in, each with its own way to fail.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use async_rs::traits::Reactor as _;
use lapin::tcp::RustlsConnectorConfig;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties};
use microblog_domain::AmqpUrl;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::time::timeout;

use super::Address;
use super::error::BrokerError;
use super::wire::{self, Socket, Wire, WireHandle};

/// For each step: name, network, encryption, log-in.
const STEP_LIMIT: Duration = Duration::from_secs(5);
/// For each of the addresses that a name has.
const ADDRESS_LIMIT: Duration = Duration::from_secs(2);
/// Both sides send something twice in this time, in seconds, and give up after two of them in silence.
const HEARTBEAT: u16 = 4;
/// Our messages are small. The library's buffers are multiples of this.
const FRAME_MAX: u32 = 16 * 1024;

/// Connects and logs in.
pub(super) async fn dial(address: &Address, purpose: &str) -> Result<(Connection, WireHandle), BrokerError> {
    let stream = encrypt(address, reach(&address.url).await?).await?;
    let (wire, handle) = Wire::new(stream);
    let properties = ConnectionProperties::default()
        .with_client_property("product".into(), "Microblog".into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into())
        .with_connection_name(format!("{} {purpose}", address.name).into());
    let wire = Mutex::new(Some(wire));
    let hand_over = async move |_, _| {
        let wire = wire.lock().map_or(None, |mut wire| wire.take());
        // Asked a second time there is none: connecting again is our business, not the library's.
        wire.map(AsyncTcpStream::Plain).ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
    };
    let logging_in = Connection::connector(uri(&address.url), wire::runtime(), hand_over, properties);
    let logged_in = match timeout(STEP_LIMIT, logging_in).await {
        Ok(Ok(connection)) => handle.greeting().check_version().map(|()| connection),
        Ok(Err(error)) => Err(BrokerError::of_handshake(&error, handle.greeting().is_there())),
        Err(_) => Err(BrokerError::Silent),
    };
    logged_in.inspect_err(|_| handle.cut()).map(|connection| (connection, handle))
}

/// A connection to the first of the host's addresses that takes one.
async fn reach(url: &AmqpUrl) -> Result<Socket, BrokerError> {
    let unknown = |reason: String| BrokerError::HostUnknown { reason };
    let looked_up = timeout(STEP_LIMIT, tokio::net::lookup_host((url.host(), url.port()))).await;
    let addresses = looked_up.map_err(|_| unknown("no answer in time".to_owned()))?;
    let mut last = unknown("it has no address".to_owned());
    for address in addresses.map_err(|error| unknown(error.to_string()))? {
        match connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = BrokerError::Unreachable { reason: error.to_string() },
        }
    }
    Err(last)
}

async fn connect(address: SocketAddr) -> io::Result<Socket> {
    let connecting = async_rs::Tokio::current().tcp_connect_addr(address);
    timeout(ADDRESS_LIMIT, connecting)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")))
}

async fn encrypt(address: &Address, socket: Socket) -> Result<AsyncTcpStream<Socket>, BrokerError> {
    let stream = AsyncTcpStream::Plain(socket);
    if !address.url.is_encrypted() {
        return Ok(stream);
    }
    let failed = |error: io::Error| BrokerError::Tls { reason: error.to_string() };
    let trusted = trusted(address)?;
    let connector = trusted.connector_with_no_client_auth().map_err(failed)?;
    let encrypting = stream.into_rustls(&connector, address.url.host());
    timeout(STEP_LIMIT, encrypting).await.map_err(|_| BrokerError::Silent)?.map_err(failed)
}

/// Whom we believe that the broker is who it says: read anew each time, since certificates are replaced while we run.
fn trusted(address: &Address) -> Result<RustlsConnectorConfig, BrokerError> {
    let Some(path) = &address.ca_file else {
        let failed = |error: io::Error| BrokerError::Tls { reason: error.to_string() };
        return RustlsConnectorConfig::new_with_native_certs().map_err(failed);
    };
    let failed = |reason: String| BrokerError::CaFile { path: path.clone(), reason };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("it holds no certificate in PEM form".to_owned()));
    }
    Ok(RustlsConnectorConfig::default().with_parsable_certificates(certificates))
}

fn uri(url: &AmqpUrl) -> AMQPUri {
    let (username, password) = (url.user().to_owned(), url.password().to_owned());
    AMQPUri {
        scheme: if url.is_encrypted() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username, password },
            host: url.host().to_owned(),
            port: url.port(),
        },
        vhost: url.vhost().to_owned(),
        query: AMQPQueryString { frame_max: Some(FRAME_MAX), heartbeat: Some(HEARTBEAT), ..AMQPQueryString::default() },
    }
}
