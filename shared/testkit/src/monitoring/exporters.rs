//! What measures the things that can not measure themselves: the exporters of Debian's packages.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::wait_until_answered;
use crate::postgres::PostgresServer;
use crate::server::{ServerProcess, free_address};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An exporter of its own, which Prometheus may be told to scrape.
#[derive(Debug)]
pub struct TestExporter {
    _process: ServerProcess,
    address: SocketAddr,
}

impl TestExporter {
    /// Of a database server.
    ///
    /// # Panics
    /// When Debian's package `prometheus-postgres-exporter` is missing.
    #[must_use]
    pub fn of_postgres(server: &PostgresServer) -> Self {
        let url = format!("{}?sslmode=disable", server.url().reveal());
        Self::start("prometheus-postgres-exporter", |command, address| {
            command.env("DATA_SOURCE_NAME", url).arg(format!("--web.listen-address={address}"));
        })
    }

    /// Of an nginx that tells how it is (`stub_status`) at this URL.
    ///
    /// # Panics
    /// When Debian's package `prometheus-nginx-exporter` is missing.
    #[must_use]
    pub fn of_nginx(status: &str) -> Self {
        Self::start("prometheus-nginx-exporter", |command, address| {
            command.args([format!("-nginx.scrape-uri={status}"), format!("-web.listen-address={address}")]);
        })
    }

    /// Of this machine.
    ///
    /// # Panics
    /// When Debian's package `prometheus-node-exporter` is missing.
    #[must_use]
    pub fn of_machine() -> Self {
        Self::start("prometheus-node-exporter", |command, address| {
            command.arg(format!("--web.listen-address={address}"));
        })
    }

    /// Where it tells what it measures.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(program: &str, set: impl FnOnce(&mut Command, SocketAddr)) -> Self {
        let name = format!("{program}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let (mut command, address) = (Command::new(program), free_address());
        set(&mut command, address);
        let process = ServerProcess::start(&name, &command).expect("a shell");
        wait_until_answered(&process, &format!("http://{address}/metrics"));
        Self { _process: process, address }
    }
}
