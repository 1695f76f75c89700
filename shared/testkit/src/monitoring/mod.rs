//! Prometheus and Alertmanager of Debian's packages, as throw-away servers with the project's own files, somebody who
//! receives what they send, and exporters of what does not measure itself.
//!
//! The servers run with the files of `prometheus/` as they are, or with every duration divided ([`Pace`]) by
//! `scripts/shorten-prometheus.sh`. What has to differ on a test machine is listed where the files are made: addresses of
//! hosts, the folder of the secrets, and that the mail server has no certificate ([`TestPrometheus::start`],
//! [`TestAlertmanager::start`]). Everything else is what operators get.
//!
//! To ask a query of services that run in a test: start a [`TestPrometheus`] with their addresses, then
//! [`TestPrometheus::query`], or give [`TestPrometheus::url`] to whatever asks by itself.

mod alertmanager;
mod exporters;
mod files;
mod mail;
mod prometheus;
mod receiver;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::server::ServerProcess;

pub use alertmanager::{TestAlertmanager, WebhookAt};
pub use exporters::TestExporter;
pub use files::Pace;
pub use prometheus::{Places, Target, TestPrometheus};
pub use receiver::{Alert, Delivery, Receiver, Way};

/// Longer than either takes to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Longer than either takes to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Starts a server, and waits until it says that it is ready.
fn start(name: &str, command: &Command, address: SocketAddr) -> ServerProcess {
    let process = ServerProcess::start(name, command).expect("a shell");
    wait_until_ready(&process, address);
    process
}

fn wait_until_ready(process: &ServerProcess, address: SocketAddr) {
    wait_until_answered(process, &format!("http://{address}/-/ready"));
}

fn wait_until_answered(process: &ServerProcess, url: &str) {
    let deadline = Instant::now() + START_LIMIT;
    while get(url).is_err() {
        let has_failed = process.has_ended() || Instant::now() > deadline;
        assert!(!has_failed, "it does not start; is the Debian package there?\n{}", process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn get(url: &str) -> Result<String, ureq::Error> {
    let request = ureq::get(url).config().timeout_global(Some(ANSWER_LIMIT)).build();
    request.call()?.body_mut().read_to_string()
}

/// The folder of a server that is started under this name.
fn folder_for(name: &str) -> std::path::PathBuf {
    let folder = crate::server::folder().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A program with nothing of our environment.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).arg("--log.level=warn");
    command
}
