//! An Alertmanager that notifies a [`Receiver`].

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::files::{self, Pace};
use super::receiver::{Receiver, Way};
use super::{folder_for, program, start, wait_until_ready};
use crate::server::{ServerProcess, free_address};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Where the product's own webhook is.
#[derive(Debug, Clone, Copy)]
pub enum WebhookAt<'a> {
    /// At the receiver.
    Receiver,
    /// At an API, which was given this secret.
    Api {
        /// Where it listens.
        address: SocketAddr,
        /// What it expects.
        secret: &'a str,
    },
}

/// An Alertmanager of its own.
#[derive(Debug)]
pub struct TestAlertmanager {
    process: ServerProcess,
    command: Command,
    address: SocketAddr,
}

impl TestAlertmanager {
    /// Starts one with the file `prometheus/alertmanager.yml`. Nothing is replaced but the addresses of those who are
    /// told, the folder of the secrets, and that the mail server must encrypt.
    ///
    /// # Panics
    /// When Debian's package `prometheus-alertmanager` is missing.
    #[must_use]
    pub fn start(pace: Pace, receiver: &Receiver, webhook: WebhookAt<'_>) -> Self {
        let name = format!("alertmanager-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let (folder, address) = (folder_for(&name), free_address());
        files::copy(&folder, pace);
        let (webhook, secret) = match webhook {
            WebhookAt::Receiver => (receiver.url(Way::Webhook), "webhook secret"),
            WebhookAt::Api { address, secret } => (format!("http://{address}/api/v1/alerts/webhook"), secret),
        };
        write_secrets(&folder.join("secrets"), receiver, secret);
        let replacements = [
            ("/etc/alertmanager/secrets", folder.join("secrets").display().to_string()),
            ("smtp.example.org:587", receiver.mail().to_string()),
            ("smtp_require_tls: true", "smtp_require_tls: false".to_owned()),
            ("https://events.pagerduty.com/v2/enqueue", receiver.url(Way::Pager)),
            ("https://deadman.example.org/ping/microblog", receiver.url(Way::DeadMansSwitch)),
            ("http://api:8000/api/v1/alerts/webhook", webhook),
        ];
        files::replace(&folder.join("alertmanager.yml"), &replacements);
        let mut command = program("prometheus-alertmanager", &folder);
        command.args(["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="]);
        command.arg(format!("--web.listen-address={address}"));
        let process = start(&name, &command, address);
        Self { process, command, address }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, to be killed and paused.
    #[must_use]
    pub fn process(&self) -> &ServerProcess {
        &self.process
    }

    /// Starts it once more, after it ended.
    pub fn start_again(&self) {
        self.process.start_again(&self.command).expect("a shell");
        wait_until_ready(&self.process, self.address);
    }
}

fn write_secrets(folder: &Path, receiver: &Receiver, webhook: &str) {
    fs::create_dir_all(folder).expect("a folder of ours");
    let slack = receiver.url(Way::Chat);
    let secrets = [
        ("smtp-password", "mail password"),
        ("slack-url", slack.as_str()),
        ("pagerduty-key", "routing key"),
        ("webhook-secret", webhook),
    ];
    for (name, secret) in secrets {
        fs::write(folder.join(name), secret).expect("a file of ours");
    }
}
