//! Asks a server for its certificate, by a handshake that is broken off as soon as it has come.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use microblog_domain::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// Whose certificate is wanted, and where to ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The name that browsers ask for.
    pub(super) host: String,
    /// A host and a port.
    pub(super) address: String,
}

/// Why a certificate could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum CertificateError {
    #[error("the server can not be reached: {0}")]
    Network(#[from] io::Error),
    #[error("the server does not speak TLS as it should: {0}")]
    Tls(#[from] rustls::Error),
    #[error("a certificate can not be asked for by this name: {0}")]
    Name(#[from] InvalidDnsNameError),
    #[error("the server did not show a certificate within {PATIENCE:?}")]
    Late,
    #[error("the certificate can not be read")]
    Unreadable,
}

/// Until when the certificate is valid that is shown there.
pub(super) async fn expiry(endpoint: &Endpoint) -> Result<Timestamp, CertificateError> {
    let shown = tokio::time::timeout(PATIENCE, certificate(endpoint));
    let der = shown.await.map_err(|_| CertificateError::Late)??;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| CertificateError::Unreadable)?;
    let expiry = certificate.validity().not_after.timestamp();
    Timestamp::from_second(expiry).map_err(|_| CertificateError::Unreadable)
}

async fn certificate(endpoint: &Endpoint) -> Result<CertificateDer<'static>, CertificateError> {
    let name = endpoint.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut tls = ClientConnection::new(Arc::new(config()?), ServerName::try_from(name)?)?;
    let mut stream = TcpStream::connect(&endpoint.address).await?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let mut sent = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sent)?;
        }
        stream.write_all(&sent).await?;
        if let Some([certificate, ..]) = tls.peer_certificates() {
            return Ok(certificate.clone().into_owned());
        }
        let mut received = match stream.read(&mut chunk).await? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            length => &chunk[..length],
        };
        while !received.is_empty() {
            tls.read_tls(&mut received)?;
            tls.process_new_packets()?;
        }
    }
}

fn config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Takes every certificate: one that has expired is exactly what is to be told of. Nothing is sent to the server, and
/// nothing but the date is believed.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;

    /// Answers one client, whose connection it hands to `serve`.
    fn server(serve: impl FnOnce(std::net::TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0));
        address
    }

    /// Shows a certificate that nobody vouches for and that has expired.
    fn show_certificate(mut client: std::net::TcpStream) {
        let mut params = CertificateParams::new(vec!["example.org".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 3, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        // The client breaks off when it has seen enough.
        while tls.is_handshaking() && tls.complete_io(&mut client).is_ok() {}
    }

    async fn ask(address: SocketAddr) -> Result<Timestamp, CertificateError> {
        expiry(&Endpoint { host: "example.org".to_owned(), address: address.to_string() }).await
    }

    #[tokio::test]
    async fn a_certificate_tells_until_when_it_is_valid_even_if_that_is_past() {
        let expiry = ask(server(show_certificate)).await.unwrap();
        assert_eq!(expiry.to_string(), "2020-03-31T00:00:00Z");
    }

    #[tokio::test]
    async fn a_server_without_tls_is_told_of() {
        let plain = server(|mut client| {
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = client.read(&mut [0; 1_024]);
        });
        assert!(matches!(ask(plain).await, Err(CertificateError::Tls(_))));
        let silent = server(drop);
        assert!(matches!(ask(silent).await, Err(CertificateError::Network(_))));
    }
}
