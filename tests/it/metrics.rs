//! What Prometheus sees of the services: as many series whatever is asked of them, the figures of the process whatever
//! becomes of the database, and an end of scrapes with the end of the process.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use crate::installation::Installation;
use crate::servers::Servers;
use crate::service::{Service, api, builder, wait_until};

/// How many series a process may have, whatever is asked of it.
const MOST_SERIES: usize = 2_000;
/// How many addresses the crawler tries.
const ADDRESSES: u32 = 10_000;
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

#[test]
fn no_crawl_adds_series_and_there_are_never_many() {
    let installation = Installation::with(vec!["rate_limit.api=1000000".to_owned()]);
    let service = Service::ready(api(&installation), &installation);
    let begun = series(&service);
    assert!(begun.iter().any(|name| name.starts_with("microblog_errors_total{code=\"internal\"}")), "{begun:?}");
    let mut crawler = Crawler::of(&service);
    for address in ["/crawl/0", "/api/v1/posts/0", "/dashboard/0", "/media/0/0.png", "/assets/0"] {
        for method in METHODS {
            crawler.ask(method, address, "example.org", "");
        }
    }
    // The scrape that asks is a request, too.
    series(&service);
    let before = series(&service);
    for number in 1..=ADDRESSES {
        let places = ["/crawl", "/api/v1/posts", "/dashboard", "/assets"];
        let address = format!("{}/{number}?page={number}", places[number as usize % places.len()]);
        let method = if number % 7 == 0 { format!("BREW{number}") } else { METHODS[number as usize % 7].to_owned() };
        crawler.ask(&method, &address, &format!("host{number}.example.org"), &format!("X-Request-ID: {number}\r\n"));
    }
    let after = series(&service);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), [""; 0]);

    ask_everything(&service, &installation, &mut crawler);
    let all = series(&service);
    println!("series: {} at the start, {} after a crawl, {} after everything", begun.len(), after.len(), all.len());
    assert!(all.len() < MOST_SERIES, "{}: {all:#?}", all.len());
}

/// Each route with each method, as nobody and as the owner, with bodies that it takes and that it does not.
fn ask_everything(service: &Service, installation: &Installation, crawler: &mut Crawler) {
    let owner = format!("Authorization: Bearer {}\r\n", installation.token);
    let json = "Content-Type: application/json\r\n";
    for route in routes(service) {
        let address = route.replace("{*file}", "x.css").replace(['{', '}'], "");
        for method in METHODS {
            for headers in [String::new(), owner.clone(), format!("{owner}{json}"), format!("{owner}If-Match: 7\r\n")] {
                crawler.ask(method, &address, "example.org", &headers);
            }
        }
    }
}

/// The templates of all addresses: each is among the metrics from the start.
fn routes(service: &Service) -> BTreeSet<String> {
    let begins_with = "microblog_http_requests_total{";
    let text = service.ask("/metrics").unwrap().1;
    let of = |line: &str| Some(line.strip_prefix(begins_with)?.split_once("route=\"")?.1.split_once('"')?.0.to_owned());
    let routes: BTreeSet<String> = text.lines().filter_map(of).filter(|route| route != "unmatched").collect();
    assert!(routes.contains("/api/v1/posts/{id}") && routes.contains("/dashboard/posts"), "{routes:?}");
    routes
}

#[test]
fn a_builder_has_few_series_which_all_begin_at_zero() {
    let installation = Installation::new();
    let service = Service::ready(builder(&installation), &installation);
    let series = series(&service);
    for name in ["publish_to_live_seconds_count", "builds_total{outcome=\"failed\"}", "ready"] {
        assert!(series.contains(&format!("microblog_{name}")), "{name} in {series:#?}");
    }
    println!("series of a builder: {}", series.len());
    assert!(series.len() < 500, "{}", series.len());
}

#[test]
fn a_database_that_hangs_takes_only_its_own_figures_from_a_scrape() {
    let servers = Servers::database();
    let installation = servers.installation();
    let service = Service::ready(api(&installation), &installation);
    let is_known = |text: &str| text.contains("\nmicroblog_installation_metrics_up 1\n");
    service.wait_for("/metrics", |_, text| is_known(text) && text.contains("\nmicroblog_outbox_pending 0\n"));

    let locked = servers.lock("outbox");
    let text = service.wait_for("/metrics", |_, text| !is_known(text));
    for line in
        ["installation_metrics_up 0", "outbox_pending NaN", "posts{status=\"draft\"} NaN", "jobs{state=\"dead\"} NaN"]
    {
        assert!(text.contains(&format!("\nmicroblog_{line}\n")), "{line} in {text}");
    }
    assert!(text.contains("\nprocess_open_fds ") && text.contains("\nmicroblog_http_requests_total{"), "{text}");

    drop(locked);
    service.wait_for("/metrics", |_, text| is_known(text) && text.contains("\nmicroblog_outbox_pending 0\n"));
}

#[test]
fn scrapes_go_on_until_the_process_has_ended() {
    let installation = Installation::with(vec!["server.drain=1s".to_owned()]);
    for program in [api, builder] {
        let service = Service::ready(program(&installation), &installation);
        let texts = thread::scope(|scope| {
            let scrapers = [(); 8].map(|()| scope.spawn(|| scrape_until_the_end(&service)));
            wait_until("scrapes are answered", || service.ask("/metrics").is_some());
            service.terminate();
            scrapers.map(|scraper| scraper.join().unwrap())
        });
        assert!(texts.iter().all(|text| text.contains("\nmicroblog_build_info{")), "{texts:?}");
        assert!(service.end().success());
    }
    let log = std::fs::read_to_string(installation.log()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// The last answer. Each is whole or none: a connection that is closed.
fn scrape_until_the_end(service: &Service) -> String {
    let mut last = String::new();
    while let Some((status, text)) = service.ask("/metrics") {
        assert_eq!(status, 200, "{text}");
        last = text;
    }
    last
}

/// Everything before the values.
fn series(service: &Service) -> BTreeSet<String> {
    let text = service.ask("/metrics").unwrap().1;
    let is_series = |line: &&str| !line.is_empty() && !line.starts_with('#');
    text.lines().filter(is_series).map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// Asks whatever it likes, by methods that no library lets through.
struct Crawler {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Crawler {
    fn of(service: &Service) -> Self {
        Self { address: service.url.trim_start_matches("http://").to_owned(), connection: None }
    }

    /// Reads the answer to its end, on a connection that stays open if the server likes.
    fn ask(&mut self, method: &str, address: &str, host: &str, headers: &str) {
        let connect = || BufReader::new(TcpStream::connect(&self.address).unwrap());
        let mut connection = self.connection.take().unwrap_or_else(connect);
        let request = format!("{method} {address} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: 2\r\n\r\n{{}}");
        connection.get_mut().write_all(request.as_bytes()).unwrap();
        if read_answer(&mut connection, method) {
            self.connection = Some(connection);
        }
    }
}

/// Tells whether the connection stays open.
fn read_answer(connection: &mut BufReader<TcpStream>, method: &str) -> bool {
    let (mut length, mut closes) = (None, false);
    loop {
        let mut line = String::new();
        assert_ne!(connection.read_line(&mut line).unwrap(), 0, "the server closed the connection without an answer");
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = Some(value.parse::<usize>().unwrap()),
            Some(("connection", "close")) => closes = true,
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length.filter(|_| method != "HEAD").unwrap_or(0)];
    connection.read_exact(&mut body).unwrap();
    // A body without a length is not looked at.
    !closes && (length.is_some() || method == "HEAD")
}
