//! Releases behind the real nginx, run as `docs/serving.md` says.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use microblog_domain::Fingerprint;
use microblog_release::{Checks, Options, Page, ReleaseStore};
use microblog_testkit::free_address;
use tempfile::TempDir;
use ureq::http::Response;
use ureq::{Agent, Body};

const GUIDE: &str = include_str!("../../docs/serving.md");
const PATIENCE: Duration = Duration::from_secs(30);

static STARTING: Mutex<()> = Mutex::new(());

/// nginx, serving a release store until it is dropped.
pub(crate) struct Nginx {
    address: String,
    status: String,
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    pub(crate) fn start(build: &Path) -> Self {
        Self::start_before(build, &[]).0
    }

    /// The same, and on another port before replicas of the API. Gives the address for whoever uses the API, too.
    pub(crate) fn start_before(build: &Path, apis: &[SocketAddr]) -> (Self, String) {
        let folder = TempDir::new().unwrap();
        // Until nginx has the port, no other thread may get the same.
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let [address, status, front] = [(); 3].map(|()| free_address().to_string());
        let config = folder.path().join("nginx.conf");
        let servers = servers_of_the_guide(build, &address, &status) + &front_of(apis, &front);
        fs::write(&config, config_of(folder.path(), &servers)).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(&config);
        let process = command
            .stderr(Stdio::inherit())
            .spawn()
            .expect("nginx can not be started; on Debian: apt-get install nginx-light");
        let nginx = Self { address, status, process, _folder: folder };
        let deadline = Instant::now() + PATIENCE;
        while Agent::new_with_defaults().get(nginx.url("/")).call().is_err() {
            assert!(Instant::now() < deadline, "nginx does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        (nginx, format!("http://{front}"))
    }

    pub(crate) fn url(&self, address: &str) -> String {
        format!("http://{}{address}", self.address)
    }

    /// Where it tells exporters how it is.
    pub(crate) fn status(&self) -> String {
        format!("http://{}/stub_status", self.status)
    }

    /// Asks for an address.
    fn get(&self, address: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let agent = Agent::new_with_config(Agent::config_builder().http_status_as_error(false).build());
        let request = agent.get(self.url(address));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call().unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The configurations of the guide, with other places and other ports.
fn servers_of_the_guide(build: &Path, address: &str, status: &str) -> String {
    let mut servers = GUIDE.split("```nginx\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut next = |listen: &str, address: &str| {
        let server = servers.next().expect("the guide has two configurations");
        assert!(server.contains(listen), "{listen} is to be replaced in {server}");
        server.replace(listen, &format!("listen {address};"))
    };
    let site = next("listen 80;", address).replace("/var/lib/microblog/build", build.to_str().unwrap());
    site + &next("listen 127.0.0.1:8081;", status)
}

/// Passes requests on to whichever replica answers, event streams without delay.
fn front_of(apis: &[SocketAddr], address: &str) -> String {
    if apis.is_empty() {
        return String::new();
    }
    let replicas: String = apis.iter().map(|api| format!("server {api} max_fails=0; ")).collect();
    format!(
        "upstream api {{ {replicas} }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://api; proxy_http_version 1.1; proxy_buffering off; \
         proxy_set_header Connection ''; proxy_connect_timeout 1s; proxy_next_upstream error timeout http_503; }} }}\n"
    )
}

/// Replicas of the API end in the middle of requests; that is no news here.
fn config_of(own: &Path, servers: &str) -> String {
    let level = if servers.contains("upstream") { "crit" } else { "warn" };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};", own.display()))
        .join("\n");
    format!(
        "daemon off; master_process off; pid {own}/pid; error_log stderr {level}; events {{}}\n\
         http {{ access_log off; types {{ text/html html; }}\n{temporary}\n{servers} }}",
        own = own.display()
    )
}

fn publish(store: &mut ReleaseStore, text: &str) {
    let draft = store.draft(Checks::new("https://example.org".parse().unwrap())).unwrap();
    for path in ["index.html", "a/index.html", "404.html"] {
        let page = Page { bytes: text.as_bytes(), fingerprint: Fingerprint::of(text.as_bytes()), author_links: &[] };
        draft.put(&path.parse().unwrap(), page).unwrap();
    }
    draft.verify().unwrap().commit().unwrap();
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// The encoding of an answer, and its text.
pub(crate) fn content(response: Response<Body>) -> (Option<String>, String) {
    let encoding = header(&response, "content-encoding").map(str::to_owned);
    let bytes = response.into_body().read_to_vec().unwrap();
    let mut text = String::new();
    match encoding {
        Some(_) => GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap(),
        None => bytes.as_slice().read_to_string(&mut text).unwrap(),
    };
    (encoding, text)
}

#[test]
fn nginx_sends_the_compressed_sibling_of_the_live_release_and_of_no_other() {
    let folder = TempDir::new().unwrap();
    let mut store = ReleaseStore::open(folder.path(), Options::default()).unwrap();
    publish(&mut store, "the first release");
    let nginx = Nginx::start(folder.path());
    let gzip = ("accept-encoding", "gzip");
    for n in 0..6 {
        let page = format!("release {n} ").repeat(1_000);
        publish(&mut store, &page);
        for address in ["/", "/a/", "/nowhere/"] {
            assert_eq!(content(nginx.get(address, &[gzip])), (None, page.clone()), "{address}, release {n}");
        }
        store.tidy(&|| true).unwrap();
        for address in ["/", "/a/", "/nowhere/"] {
            let compressed = nginx.get(address, &[gzip]);
            assert_eq!(header(&compressed, "vary"), Some("Accept-Encoding"));
            assert_eq!(content(compressed), (Some("gzip".to_owned()), page.clone()), "{address}, release {n}");
            assert_eq!(content(nginx.get(address, &[])), (None, page.clone()), "{address}, release {n}");
        }
    }
}

#[test]
fn a_copy_that_a_reader_has_stays_good_for_nginx_until_the_page_changes() {
    let folder = TempDir::new().unwrap();
    let mut store = ReleaseStore::open(folder.path(), Options::default()).unwrap();
    let gzip = ("accept-encoding", "gzip");
    publish(&mut store, &"one ".repeat(1_000));
    store.tidy(&|| true).unwrap();
    let nginx = Nginx::start(folder.path());
    let tag = |response: &Response<Body>| header(response, "etag").unwrap().to_owned();
    let (plain, compressed) = (tag(&nginx.get("/", &[])), tag(&nginx.get("/", &[gzip])));
    assert_ne!(plain, compressed);
    let status = |headers: &[(&str, &str)]| nginx.get("/", headers).status().as_u16();
    assert_eq!(status(&[gzip, ("if-none-match", &compressed)]), 304);
    assert_eq!(status(&[gzip, ("if-none-match", &plain)]), 200);
    assert_eq!(status(&[("if-none-match", &plain)]), 304);
    let date = header(&nginx.get("/", &[]), "last-modified").unwrap().to_owned();
    assert_eq!(header(&nginx.get("/", &[gzip]), "last-modified"), Some(date.as_str()));
    // As many bytes, within the same second.
    publish(&mut store, &"two ".repeat(1_000));
    store.tidy(&|| true).unwrap();
    assert_eq!(status(&[gzip, ("if-none-match", &compressed)]), 200);
    assert_eq!(status(&[("if-none-match", &plain)]), 200);
}
