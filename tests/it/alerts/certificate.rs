//! A certificate that nobody renews.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use microblog_testkit::free_address;
use tempfile::TempDir;

use super::site::Site;
use super::watch::Watch;
use crate::program::run;

const HOST: &str = "blog.example.org";

/// Two days are left of it; then it is renewed.
pub(crate) fn expire(watch: &Watch) {
    let address = free_address();
    let old = TlsServer::start(address, 2);
    let settings = vec![format!("site.base_url=https://{HOST}"), format!("monitor.certificate={address}")];
    let site = Site::start("certificate", settings);
    let incident = watch.incident(site.namespace);
    watch.add(&[site.target("api"), site.target("builder")]);
    incident.is_told("CertificateExpiring", &[("host", HOST), ("severity", "critical")]);
    drop(old);
    let _new = TlsServer::start(address, 90);
    incident.ends_with(&["CertificateExpiring"]);
}

/// Something that shows a certificate.
struct TlsServer {
    process: Child,
    _folder: TempDir,
}

impl TlsServer {
    fn start(address: SocketAddr, days: u32) -> Self {
        let folder = TempDir::with_prefix("microblog-certificate-").unwrap();
        let openssl = |words: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(words).current_dir(folder.path());
            command
        };
        let (days, subject, address) = (days.to_string(), format!("/CN={HOST}"), address.to_string());
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
        let own = ["req", "-x509", "-days", &days, "-subj", &subject, "-out", "cert.pem"];
        run(&mut openssl(&[own.as_slice(), &key].concat()));
        let mut server = openssl(&["s_server", "-accept", &address, "-cert", "cert.pem", "-key", "key.pem", "-quiet"]);
        let process = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { process, _folder: folder }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
