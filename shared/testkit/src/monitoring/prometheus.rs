//! A Prometheus that watches what a test tells it to.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::files::{self, Pace};
use super::{folder_for, get, program, start, wait_until_ready};
use crate::server::{ServerProcess, free_address};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Where the hosts of `prometheus.yml` are on this machine: the installation `microblog`.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// `api:8000`.
    pub api: SocketAddr,
    /// `builder:8001`.
    pub builder: SocketAddr,
    /// `rabbitmq:15692`, the broker's own exporter.
    pub rabbitmq: SocketAddr,
    /// `alertmanager:9093`.
    pub alertmanager: SocketAddr,
}

/// An entry of `targets/`: something else to scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is: `api`, `builder`, `node`.
    pub job: String,
    /// The installation that it belongs to.
    pub namespace: String,
    /// Where it is.
    pub address: SocketAddr,
}

/// A Prometheus of its own.
#[derive(Debug)]
pub struct TestPrometheus {
    process: ServerProcess,
    command: Command,
    folder: PathBuf,
    address: SocketAddr,
}

impl TestPrometheus {
    /// Starts one with the files of `prometheus/`. Nothing but the addresses of [`Places`], and its own, is replaced.
    ///
    /// # Panics
    /// When Debian's package `prometheus` is missing.
    #[must_use]
    pub fn start(pace: Pace, places: &Places) -> Self {
        let name = format!("prometheus-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let (folder, address) = (folder_for(&name), free_address());
        files::copy(&folder, pace);
        let replacements = [
            ("api:8000", places.api.to_string()),
            ("builder:8001", places.builder.to_string()),
            ("rabbitmq:15692", places.rabbitmq.to_string()),
            ("alertmanager:9093", places.alertmanager.to_string()),
            ("localhost:9090", address.to_string()),
        ];
        files::replace(&folder.join("prometheus.yml"), &replacements);
        let mut command = program("prometheus", &folder);
        command.arg("--config.file=prometheus.yml").arg(format!("--web.listen-address={address}"));
        command.arg("--storage.tsdb.path=data");
        let process = start(&name, &command, address);
        Self { process, command, folder, address }
    }

    /// Scrapes these besides, and no others that it was told of in this way before. It takes notice within moments.
    pub fn watch(&self, targets: &[Target]) {
        let entry = |target: &Target| json!({"targets": [target.address.to_string()], "labels": {"job": target.job, "namespace": target.namespace}});
        // JSON is YAML. The file is read at any moment: it is put there whole.
        let entries: Value = targets.iter().map(entry).collect();
        let new = self.folder.join("targets/new");
        fs::write(&new, entries.to_string()).expect("a folder of ours");
        fs::rename(new, self.folder.join("targets/of-the-test.yml")).expect("a folder of ours");
    }

    /// Asks for what an expression is now: the labels of each series, and its value.
    ///
    /// # Panics
    /// When it is no expression, or Prometheus does not answer.
    #[must_use]
    pub fn query(&self, expression: &str) -> Vec<(Value, f64)> {
        let expression = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let answer = self.get(&format!("/api/v1/query?query={expression}"));
        let results = answer["data"]["result"].as_array().expect("a list of series").iter();
        let value = |result: &Value| result["value"][1].as_str().and_then(|value| value.parse().ok());
        results.map(|result| (result["metric"].clone(), value(result).expect("a number"))).collect()
    }

    /// What it answers to a question of its HTTP API.
    ///
    /// # Panics
    /// When it does not answer with JSON.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let text = get(&format!("{}{path}", self.url())).expect("an answer of Prometheus");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process, to be killed and paused.
    #[must_use]
    pub fn process(&self) -> &ServerProcess {
        &self.process
    }

    /// Starts it once more, after it ended, with what it had measured.
    pub fn start_again(&self) {
        self.process.start_again(&self.command).expect("a shell");
        wait_until_ready(&self.process, self.address);
    }
}
