//! A service as a process of its own, with the settings of an installation.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::installation::{Client, Installation, PATIENCE};
use crate::program::{microblog_api, microblog_builder, run};

/// A process that serves, and what it logs.
pub(crate) struct Service {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
}

/// The program with the settings of the installation.
pub(crate) fn api(installation: &Installation) -> Command {
    with_settings(microblog_api(), installation)
}

/// The program with the settings of the installation. It has the name `one`.
pub(crate) fn builder(installation: &Installation) -> Command {
    with_settings(microblog_builder(), installation)
}

fn with_settings(mut command: Command, installation: &Installation) -> Command {
    command.current_dir(installation.path());
    for setting in [
        "server.listen=127.0.0.1:0",
        "server.drain=0s",
        "builder.listen=127.0.0.1:0",
        "builder.name=one",
        "log.format=json",
        "rate_limit.owner=1000000",
    ] {
        command.args(["--set", setting]);
    }
    installation.set(&mut command);
    command
}

impl Service {
    /// Starts it, and waits until it says where it listens. What it logs is appended to the log of the installation.
    pub(crate) fn listening(mut command: Command, installation: &Installation) -> Self {
        let mut log = File::options().create(true).append(true).open(installation.log()).unwrap();
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it ended at once ({}):\n{said}", child.wait().unwrap()) };
            let _ = writeln!(log, "{line}");
            let record: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = record["address"].as_str() {
                break address.to_owned();
            }
            said.push_str(&line);
        };
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = writeln!(log, "{line}");
            }
        });
        Self { child, url: format!("http://{address}") }
    }

    /// The same, and waits until it is ready.
    pub(crate) fn ready(command: Command, installation: &Installation) -> Self {
        let service = Self::listening(command, installation);
        service.wait_for("/health/ready", |status, _| status == 200);
        service
    }

    /// A program that uses it with the token of the installation.
    pub(crate) fn client(&self, installation: &Installation) -> Client {
        Client { api: self.url.clone(), token: installation.token.clone() }
    }

    /// What it answers: status and text; nothing if it does not.
    pub(crate) fn ask(&self, path: &str) -> Option<(u16, String)> {
        let request = ureq::get(format!("{}{path}", self.url)).config().http_status_as_error(false);
        let mut answer = request.timeout_global(Some(PATIENCE)).build().call().ok()?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
    }

    /// Waits until it answers as it should; gives the answer.
    pub(crate) fn wait_for(&self, path: &str, is_there: impl Fn(u16, &str) -> bool) -> String {
        let mut last = None;
        wait_until(&format!("{path} of {}", self.url), || {
            last = self.ask(path);
            last.as_ref().is_some_and(|(status, text)| is_there(*status, text))
        });
        last.map(|(_, text)| text).unwrap_or_default()
    }

    /// Ends it as a power cut would: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Stops it in the middle of what it does.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Tells it to read the settings again that can change while it runs.
    pub(crate) fn reload(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        run(Command::new("kill").args([signal, &self.child.id().to_string()]));
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the end of the process", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that is sure to come.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
