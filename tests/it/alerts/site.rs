//! An installation that is watched over: an API and a builder at addresses that stay.

use std::net::SocketAddr;
use std::process::Command;

use microblog_testkit::{Target, free_address};

use super::watch::Watch;
use crate::disk::Disk;
use crate::installation::{Client, Installation};
use crate::service::{Service, api, builder};

/// Settings of an installation, and of one of its services alone.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) both: Vec<String>,
    pub(crate) api: Vec<String>,
    pub(crate) builder: Vec<String>,
}

impl From<Vec<String>> for Settings {
    fn from(both: Vec<String>) -> Self {
        Self { both, ..Self::default() }
    }
}

/// An installation.
pub(crate) struct Site {
    pub(crate) namespace: &'static str,
    pub(crate) api_address: SocketAddr,
    pub(crate) builder_address: SocketAddr,
    pub(crate) disk: Disk,
    pub(crate) installation: Installation,
    of_api: Vec<String>,
    of_builder: Vec<String>,
    api: Option<Service>,
    builder: Option<Service>,
}

impl Site {
    /// Starts one with further settings.
    pub(crate) fn start(namespace: &'static str, settings: impl Into<Settings>) -> Self {
        let Settings { mut both, api: mut of_api, builder: mut of_builder } = settings.into();
        let (api_address, builder_address) = (free_address(), free_address());
        of_api.push(format!("server.listen={api_address}"));
        of_builder.push(format!("builder.listen={builder_address}"));
        // Whether the machine's disk is full is not for tests to say.
        let disk = Disk::new();
        both.push(format!("data.dir={}", disk.folder("data").display()));
        both.push(format!("build.dir={}", disk.folder("build").display()));
        let installation = Installation::with(both);
        let (api, builder) = (None, None);
        let mut site =
            Self { namespace, api_address, builder_address, disk, installation, of_api, of_builder, api, builder };
        site.start_api();
        site.start_builder();
        site
    }

    /// Starts one, and has somebody watch over it.
    pub(crate) fn watched(watch: &Watch, namespace: &'static str, settings: impl Into<Settings>) -> Self {
        let site = Self::start(namespace, settings);
        watch.add(&[site.target("api"), site.target("builder")]);
        site
    }

    /// What Prometheus is told of one of the services.
    pub(crate) fn target(&self, job: &str) -> Target {
        let address = if job == "api" { self.api_address } else { self.builder_address };
        Target { job: job.to_owned(), namespace: self.namespace.to_owned(), address }
    }

    pub(crate) fn start_api(&mut self) {
        self.api = Some(self.ready(api(&self.installation), &self.of_api));
    }

    pub(crate) fn start_builder(&mut self) {
        self.builder = Some(self.ready(builder(&self.installation), &self.of_builder));
    }

    fn ready(&self, mut command: Command, settings: &[String]) -> Service {
        for setting in settings {
            command.args(["--set", setting]);
        }
        Service::ready(command, &self.installation)
    }

    pub(crate) fn kill_api(&mut self) {
        self.api.take().unwrap().kill();
    }

    pub(crate) fn kill_builder(&mut self) {
        self.builder.take().unwrap().kill();
    }

    pub(crate) fn client(&self) -> Client {
        Client { api: format!("http://{}", self.api_address), token: self.installation.token.clone() }
    }

    /// Publishes something.
    pub(crate) fn publish(&self) {
        self.client().publish("News", "Something happened.");
    }
}
