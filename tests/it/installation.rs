//! A running `microblog up` in a folder of its own, and a client that speaks to it over HTTP.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::log_lines::complaints;
use crate::program::{microblog, run};

/// How long anything may take before it counts as never; generous, since test machines are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The password of the owner.
pub(crate) const PASSWORD: &str = "a long password";
/// What tests give as passwords, right and wrong ones.
const PASSWORDS: [&str; 3] = [PASSWORD, "a wrong password", "hunter2"];

/// A data folder, a build folder, and the settings that name them.
pub(crate) struct Installation {
    folder: TempDir,
    /// Settings other than those that all have.
    settings: Vec<String>,
    pub(crate) token: String,
}

impl Installation {
    /// An installation with an owner who has a token.
    pub(crate) fn new() -> Self {
        Self::with(Vec::new())
    }

    /// The same with further settings, as `key=value`.
    pub(crate) fn with(settings: Vec<String>) -> Self {
        let mut installation = Self::untouched_with(settings);
        installation.add_owner();
        let mut token = installation.command(&["token", "create", "--user", "owner"]);
        token.args(["--scope", "read", "--scope", "write", "--scope", "admin"]);
        installation.token = run(&mut token).trim().to_owned();
        installation
    }

    /// An installation that nobody has set up yet.
    pub(crate) fn untouched() -> Self {
        Self::untouched_with(Vec::new())
    }

    /// The same with further settings.
    pub(crate) fn untouched_with(settings: Vec<String>) -> Self {
        Self { folder: TempDir::with_prefix("microblog-up-").unwrap(), settings, token: String::new() }
    }

    fn add_owner(&self) {
        let mut command = self.command(&["user", "add", "owner", "--role", "owner", "--password-stdin"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with this installation's settings.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = microblog();
        command.current_dir(self.path()).args(words);
        // Limits are for strangers; the tests are many clients from one address.
        for setting in [
            "server.listen=127.0.0.1:0",
            "server.drain=0s",
            "site.listen=127.0.0.1:0",
            "log.format=json",
            "rate_limit.owner=1000000",
        ] {
            command.args(["--set", setting]);
        }
        self.set(&mut command);
        command
    }

    /// Gives a program the settings that only this installation has.
    pub(crate) fn set(&self, command: &mut Command) {
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
    }

    /// Starts it, and waits until it has said where it is.
    pub(crate) fn start(&self) -> Running {
        let log = File::options().create(true).append(true).open(self.path().join("log")).unwrap();
        let mut child = self.command(&["up"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut site, mut dashboard) = (String::new(), String::new());
        let mut said = String::new();
        while site.is_empty() || dashboard.is_empty() {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap() == 0 {
                panic!("microblog up ended at once ({}):\n{said}", child.wait().unwrap());
            }
            said.push_str(&line);
            if let Some(rest) = line.split("Your site:").nth(1) {
                site = rest.trim().trim_end_matches('/').to_owned();
            }
            if let Some(rest) = line.split("Dashboard:").nth(1).or_else(|| line.split("Set it up:").nth(1)) {
                rest.trim().clone_into(&mut dashboard);
            }
        }
        std::thread::spawn(move || keep_log(lines, log));
        let api = dashboard.split("/dashboard").next().unwrap_or_default().to_owned();
        Running { child, site, dashboard, client: Client { api, token: self.token.clone() } }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// What its programs know and must not log.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let token = Some(self.token.clone()).filter(|token| !token.is_empty());
        let told = self.settings.iter().filter_map(|setting| secret_of(setting).or_else(|| password_in(setting)));
        let passwords = told.map(str::to_owned);
        token.into_iter().chain(passwords).chain(PASSWORDS.map(str::to_owned)).collect()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let log = std::fs::read(self.log()).unwrap_or_default();
            let complaints = complaints(&String::from_utf8_lossy(&log), &self.secrets());
            assert!(complaints.is_empty(), "lines of the log are wrong:\n{}", complaints.join("\n"));
        }
    }
}

/// What is secret as a whole.
fn secret_of(setting: &str) -> Option<&str> {
    let (key, value) = setting.split_once('=')?;
    (key.ends_with("secret") || key.ends_with("token")).then_some(value)
}

/// Of the address that a setting names: `key=scheme://user:password@host`, in the form that no other text has.
fn password_in(setting: &str) -> Option<&str> {
    let (login, _) = setting.split_once("://")?.1.split_once('@')?;
    login.split_once(':').filter(|(user, password)| user != password).map(|(_, password)| password)
}

fn keep_log(lines: BufReader<std::process::ChildStderr>, mut log: File) {
    for line in lines.lines().map_while(Result::ok) {
        let _ = writeln!(log, "{line}");
    }
}

/// A process that serves the installation.
pub(crate) struct Running {
    child: Child,
    pub(crate) site: String,
    /// Where to click: the dashboard, or the link to set it up.
    pub(crate) dashboard: String,
    pub(crate) client: Client,
}

impl Running {
    /// Ends it as a power cut would: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as a service manager would: SIGTERM. Tells whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        run(Command::new("kill").args(["-TERM", &pid]));
        self.child.wait().unwrap().success()
    }

    /// What a reader gets: status and text.
    pub(crate) fn read(&self, path: &str) -> (u16, String) {
        let mut answer =
            ureq::get(format!("{}{path}", self.site)).config().http_status_as_error(false).build().call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// Waits until a page has what it should.
    pub(crate) fn wait_for(&self, path: &str, is_there: impl Fn(u16, &str) -> bool) {
        self.wait_until(path, path, is_there);
    }

    /// The same, with words for what is expected.
    pub(crate) fn wait_until(&self, path: &str, expected: &str, is_there: impl Fn(u16, &str) -> bool) {
        let since = Instant::now();
        loop {
            let (status, text) = self.read(path);
            if is_there(status, &text) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{expected} did not come: {status}\n{text}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that uses the API with a token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) api: String,
    pub(crate) token: String,
}

impl Client {
    /// Sends a request; an answer of 4xx or 5xx is an answer.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(u16, Value), ureq::Error> {
        let version = if_match.map(|version| ("if-match", version));
        self.send_with(method, path, &version.into_iter().collect::<Vec<_>>(), body)
    }

    /// The same with headers.
    pub(crate) fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<(u16, Value), ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut answer = agent.run(request.body(text).unwrap())?;
        let text = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Sends a request that must succeed.
    pub(crate) fn ok(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.send(method, path, Some("*"), body).unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) fn publish(&self, title: &str, markdown: &str) -> Value {
        let post = json!({"title": title, "markdown": markdown, "status": "published"});
        self.ok("POST", "/api/v1/posts", Some(&post))
    }
}

/// Where readers find a post.
pub(crate) fn path_of(post: &Value) -> String {
    let url = post["url"].as_str().unwrap();
    url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap()
}
